"""Acceptance: a licence that must be accepted is accepted once, and remembered with its date."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tunesmith.errors import InvalidRequest, ModelFileError
from tunesmith.licences import GEMMA, STABILITY_COMMUNITY
from tunesmith.models.licence_acceptance import FILE, AcceptedLicences, check_accepted

FAMILY = "stability-ai-community; gemma"
DAY, LATER = date(2030, 1, 2), date(2031, 1, 2)


def test_what_is_accepted_is_remembered_with_its_first_date(tmp_path: Path) -> None:
    accepted = AcceptedLicences(tmp_path / "data")
    assert accepted.missing(FAMILY) == (STABILITY_COMMUNITY, GEMMA)
    accepted.accept([GEMMA], DAY)
    assert AcceptedLicences(tmp_path / "data").missing(FAMILY) == (STABILITY_COMMUNITY,)
    accepted.accept([GEMMA, STABILITY_COMMUNITY], LATER)
    assert accepted.missing(f"{FAMILY}; stable-audio-community") == ()
    assert json.loads((tmp_path / "data" / FILE).read_text(encoding="utf-8")) == {
        "gemma": "2030-01-02", "stability-ai-community": "2031-01-02",
    }  # fmt: skip


def test_what_is_not_accepted_is_refused_in_one_line_with_names_addresses_and_flag(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_accepted(tmp_path, "tune", FAMILY, accepted_now=False)
    assert refused.value.field == "accept_licence"
    text = str(refused.value)
    for words in ("tune", STABILITY_COMMUNITY.name, STABILITY_COMMUNITY.url, GEMMA.name, GEMMA.url, "--accept-licence"):
        assert words in text
    assert "\n" not in text
    check_accepted(tmp_path, "tune", FAMILY, accepted_now=True)
    assert not (tmp_path / FILE).exists()
    AcceptedLicences(tmp_path).accept([GEMMA, STABILITY_COMMUNITY], DAY)
    check_accepted(tmp_path, "tune", FAMILY, accepted_now=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mit": 7}', "[" * 100_000])
def test_a_damaged_file_is_said_and_not_taken_for_an_acceptance(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ModelFileError, match="is damaged; remove it"):
        AcceptedLicences(tmp_path).missing("mit")
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text
