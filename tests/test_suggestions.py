"""Near names: what a misspelt name means, and that no name costs much to compare."""

import pytest

from tunesmith.field_names import FIELD_ALIASES, did_you_mean_field, field_for, plain_form
from tunesmith.request import GenerationRequest
from tunesmith.suggestions import did_you_mean, near_names

FIELDS = GenerationRequest.model_fields


@pytest.mark.parametrize("name", ["tempo_bpm", "tempoBpm", "Tempo-BPM", " tempo bpm ", "bpm", "BPM", "tempo"])
def test_a_field_is_found_by_spelling_and_alias(name: str) -> None:
    assert field_for(name, FIELDS) == "tempo_bpm"


@pytest.mark.parametrize(
    ("name", "field"),
    [("promt", "prompt"), ("lenght", "duration"), ("temop", "tempo_bpm"), ("instrumets", "instruments")],
)
def test_a_misspelt_field_or_alias_suggests_the_field(name: str, field: str) -> None:
    assert field_for(name, FIELDS) is None
    assert did_you_mean_field(name, FIELDS) == f"; did you mean {field}?"


def test_an_unlike_name_suggests_nothing() -> None:
    assert did_you_mean("xyzzy", ["generate", "batch"]) == ""
    assert did_you_mean_field("xyzzy", FIELDS) == ""
    assert near_names("", FIELDS) == []


def test_no_alias_hides_a_field_and_each_means_one() -> None:
    assert not set(FIELD_ALIASES) & set(FIELDS)
    assert set(FIELD_ALIASES.values()) <= set(FIELDS)
    assert all(plain_form(alias) == alias for alias in FIELD_ALIASES)


def test_a_door_without_a_field_has_no_alias_for_it() -> None:
    assert field_for("bpm", {"prompt", "duration"}) is None
    assert did_you_mean_field("bpm", {"prompt", "duration"}) == ""


def test_a_name_of_megabytes_is_not_compared() -> None:
    assert near_names("generate" * 1_000_000, ["generate" * 1_000_000]) == []
    assert did_you_mean_field("promt" * 1_000_000, FIELDS) == ""
