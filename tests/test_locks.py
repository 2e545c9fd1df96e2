"""Locks: decisions of a request that draw from another seed."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.request import LOCKS, GenerationRequest


def request(**fields: object) -> GenerationRequest:
    return GenerationRequest.checked(prompt="lofi", **fields)


def test_a_lock_is_a_decision_and_a_seed_as_text_or_as_an_object() -> None:
    assert request(lock=("Melody = 7", "chords=8")).locks == {"melody": 7, "chords": 8}
    assert request(lock={"melody": 7, "chords": 8}).locks == {"melody": 7, "chords": 8}


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        (("melodi=7",), "did you mean melody"),
        (("melody",), "such as melody=7"),
        (("melody=x",), "such as melody=7"),
        (("melody=9007199254740992",), "0 to 9007199254740991"),
        (("key=1", "key=2"), "key more than once"),
    ],
)
def test_a_lock_that_is_none_is_refused_with_what_it_should_be(lock: tuple[str, ...], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        request(lock=lock)


def test_a_request_that_keeps_decisions_draws_them_from_its_own_seed_whatever_the_next_one_is() -> None:
    kept = request(seed=5).keeping(["melody", "band"])
    other = kept.model_copy(update={"seed": 6})
    # A hook in another key is another hook, and every lock keeps genre and meter.
    assert {name for name in LOCKS if other.seed_of(name) == 5} == {"melody", "band", "key", "genre", "meter"}
    assert other.seed_of("chords") == other.seed_of("performance") == 6


def test_a_take_of_a_take_keeps_the_hook_of_the_first() -> None:
    take = request(seed=5).keeping(["melody"]).model_copy(update={"seed": 6})
    again = take.keeping(["melody", "band"]).model_copy(update={"seed": 7})
    assert (again.seed_of("melody"), again.seed_of("band"), again.seed_of("genre")) == (5, 6, 5)
    assert again.seed_of("groove") == 7


def test_keeping_nothing_changes_nothing_and_an_unknown_name_is_refused() -> None:
    assert request(seed=5).keeping([]) == request(seed=5)
    with pytest.raises(InvalidRequest, match="did you mean chords"):
        request().keeping(["chord"])


def test_locks_survive_a_round_trip_through_json() -> None:
    kept = request(seed=5).keeping(["melody"])
    assert GenerationRequest.model_validate_json(kept.model_dump_json()) == kept
