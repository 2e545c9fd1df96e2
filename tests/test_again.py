"""Laws of music that is changed from Python: the methods are the functions, and the seed stays."""

from __future__ import annotations

import numpy as np
import pytest

import tunesmith
from tunesmith import Audio, InvalidRequest


@pytest.fixture(scope="module")
def made() -> Audio:
    return tunesmith.generate("calm piano", duration=1, seed=3)


def test_a_piece_changes_one_thing_about_itself_as_the_function_does(made: Audio) -> None:
    changed = made.again("happier", key="D major")
    assert np.array_equal(changed.samples, tunesmith.again(made, "happier", key="D major").samples)
    assert [one["field"] for one in changed.metadata["change"]["changes"]] == ["mood", "key"]
    assert changed.metadata["seed"] == made.metadata["seed"]


def test_a_piece_again_is_the_same_piece_and_its_variations_have_other_seeds(made: Audio) -> None:
    assert np.array_equal(made.again().samples, made.samples)
    assert [one.metadata["seed"] for one in made.vary(n=2)] == [4, 5]


def test_variations_keep_what_is_locked_by_name(made: Audio) -> None:
    (one,) = made.vary(n=1, lock=["melody", "tempo"])
    assert one.metadata["request"]["lock"] == ["melody=3", "tempo=3", "key=3", "genre=3", "meter=3"]
    assert one.metadata["settings"]["tempo_bpm"] == made.metadata["settings"]["tempo_bpm"]
    with pytest.raises(InvalidRequest, match="lock"):
        made.vary(n=1, lock=["melodi"])


def test_music_without_a_request_says_so() -> None:
    with pytest.raises(InvalidRequest, match="source: holds no request"):
        Audio(np.zeros((2, 8), np.float32), 44_100).again("happier")
