"""``tunesmith token``: create, list and revoke."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tunesmith.cli import run
from tunesmith.cli.token import time_of
from tunesmith.config import load_settings
from tunesmith.errors import InvalidRequest
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import ApiToken, Tokens

Capture = pytest.CaptureFixture[str]
NOW = datetime(2026, 5, 1, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["token", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def verified(secret: str) -> ApiToken | None:
    database = open_database(load_settings())
    try:
        return Tokens(database).verify(secret)
    finally:
        database.close()


def test_a_token_is_shown_once_and_works(capsys: Capture) -> None:
    code, out, hint = said(capsys, "create", "--name", "ci", "--quota", "1000/day", "--rate", "60/min")
    secret = out.strip()
    token = verified(secret)
    assert (code, out) == (0, f"{secret}\n")
    assert "only once" in hint
    assert token is not None
    assert (str(token.quota), str(token.rate), token.scope) == ("1000/day", "60/minute", "generate")
    assert secret not in said(capsys, "list", "--json")[1] + said(capsys, "list")[1]


def test_tokens_are_listed_until_they_are_revoked(capsys: Capture) -> None:
    secret = json.loads(said(capsys, "create", "--name", "a", "--scope", "admin", "--json")[1])["token"]
    said(capsys, "create", "--name", "b", "--expires", "30d")
    listed = json.loads(said(capsys, "list", "--json")[1])
    assert [(one["name"], one["scope"], one["expires"] is None) for one in listed] == [
        ("a", "admin", True), ("b", "generate", False),
    ]  # fmt: skip
    assert said(capsys, "list")[1].splitlines()[0].split("\t")[:3] == ["a", secret[:9], "admin"]
    assert said(capsys, "revoke", "a") == (0, "revoked a\n", "")
    assert verified(secret) is None
    assert [one["name"] for one in json.loads(said(capsys, "list", "--json")[1])] == ["b"]
    assert len(json.loads(said(capsys, "list", "--json", "--revoked")[1])) == 2


def test_no_tokens_are_said_to_be_none(capsys: Capture) -> None:
    assert said(capsys, "list")[2] == "there are no tokens; create one: tunesmith token create --name NAME\n"
    assert said(capsys, "list", "--json")[1] == "[]\n"


@pytest.mark.parametrize(("arguments", "problem"), [
    (["create", "--name", ""], "name: must be"),
    (["create", "--name", "x", "--quota", "lots"], "quota: must be COUNT/UNIT"),
    (["create", "--name", "x", "--rate", "1/eon"], "rate: must be COUNT/UNIT"),
    (["create", "--name", "x", "--expires", "soon"], "expires: must be like"),
    (["create", "--name", "x", "--expires", "2001-01-01"], "expires: must lie in the future"),
    (["create", "--name", "x", "--scope", "root"], "scope: must be generate or admin"),
    (["create"], "--name"),
    (["revoke", "nobody"], "there is no token called 'nobody'"),
])  # fmt: skip
def test_a_mistake_is_one_line(capsys: Capture, arguments: list[str], problem: str) -> None:
    code, out, error = said(capsys, *arguments)
    assert (code, out) == (2, "")
    assert problem in error
    assert error.count("\n") == 1


def test_a_damaged_database_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tunesmith.db").write_bytes(b"no database" * 100)
    code, out, error = said(capsys, "list")
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert "is damaged" in error


@pytest.mark.parametrize(("text", "moment"), [
    ("12h", "2026-05-01T12:00+00:00"), ("30d", "2026-05-31T00:00+00:00"), ("2w", "2026-05-15T00:00+00:00"),
    ("2027-01-31", "2027-01-31T00:00+00:00"), ("2027-01-31T10:00+02:00", "2027-01-31T08:00+00:00"),
])  # fmt: skip
def test_expiry_is_a_date_or_a_time_from_now(text: str, moment: str) -> None:
    assert time_of(text, NOW) == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize("text", ["", "30", "30y", "-1d", "tomorrow", "2027-13-01", "999999d"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="expires"):
        time_of(text, NOW)
