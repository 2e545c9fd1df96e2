"""Regions of a sound, as users write them."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.regions import TimeRegion, parse_regions, regions_text
from tunesmith.request import STRENGTHS, GenerationRequest


@pytest.mark.parametrize(("text", "regions"), [
    ("4-8", [(4, 8)]), ("16-20,4-8", [(4, 8), (16, 20)]), (" 0 - 2.5s, 1:16-1:20.5 ", [(0, 2.5), (76, 80.5)]),
    ("0-1,1-2", [(0, 1), (1, 2)]),
])  # fmt: skip
def test_regions_are_read_in_order_of_time(text: str, regions: list[tuple[float, float]]) -> None:
    parsed = parse_regions(text)
    assert parsed == tuple(TimeRegion(*region) for region in regions)
    assert parse_regions(regions_text(parsed)) == parsed


@pytest.mark.parametrize(("text", "problem"), [
    ("", "must be 1 to 64 regions"), (",", "must be 1 to 64 regions"), ("4", "must be START-END in seconds"),
    ("4-8-9", "must be START-END"), ("a-b", "must be START-END"), ("-1-3", "must be START-END"),
    ("nan-3", "must be START-END"), ("8-4", "must be regions that end after their start, got 8-4"),
    ("4-4.01", "must be regions of at least 0.1 s, got 4-4.01"),
    ("4-8,7-9", "must be regions that do not overlap, got 4-8 and 7-9"),
    (",".join(f"{n}-{n + 1}" for n in range(65)), "must be 1 to 64 regions such as 4-8,16-20, got 65"),
])  # fmt: skip
def test_a_mistake_in_them_is_one_line_that_names_the_field(text: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^repaint: {problem}"):
        GenerationRequest.checked(prompt="x", repaint=text)


@pytest.mark.parametrize("given", ["re-dress", "Redress", "0.6", 0.6])
def test_a_strength_is_a_number_or_a_name(given: object) -> None:
    assert GenerationRequest.checked(prompt="x", strength=given).strength == STRENGTHS["redress"]


@pytest.mark.parametrize(("given", "problem"), [
    (1.01, "must be at most 1, got 1.01"), ("-0.1", "must be at least 0, got '-0.1'"), (True, "must be a number"),
    ("nan", "must be a finite number"), ("hard", "must be a number from 0 to 1, or one of redress, reimagine, insp"),
])  # fmt: skip
def test_any_other_strength_is_refused(given: object, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^strength: {problem}"):
        GenerationRequest.checked(prompt="x", strength=given)
