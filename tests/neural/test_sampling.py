"""Sampling: the fast way draws what the slow, obvious way draws, and the draw depends on its key alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.errors import InvalidRequest, ModelFileError
from tunesmith.neural.sampling import DrawSettings, Logits, sample, uniforms

SETTINGS = [
    DrawSettings(),
    DrawSettings(temperature=0.7, top_k=3),
    DrawSettings(top_k=1),
    DrawSettings(top_k=0, temperature=2.0),
    DrawSettings(top_k=5000),
    DrawSettings(top_p=0.9),
    DrawSettings(top_p=0.05, temperature=1.5),
    DrawSettings(top_p=1.0),
    DrawSettings(temperature=0.0),
    DrawSettings(temperature=1e-5),
]


def scores(seed: int, codebooks: int = 4, size: int = 300) -> Logits:
    return (3 * np.random.default_rng(seed).normal(size=(codebooks, size))).astype(np.float32)


def slow_sample(logits: Logits, draws: list[float], settings: DrawSettings) -> list[int]:
    """One code after another, as it is written in books."""
    codes = []
    for row, draw in zip(logits.tolist(), draws, strict=True):
        if settings.temperature == 0:
            codes.append(row.index(max(row)))
            continue
        weights = [math.exp((score - max(row)) / settings.temperature) for score in row]
        falling = sorted(range(len(row)), key=lambda code: (-weights[code], code))
        kept = set(falling if settings.top_k == 0 else falling[: settings.top_k])
        if settings.top_p > 0:
            held, kept = 0.0, set()
            for code in falling:
                if held <= settings.top_p * sum(weights):
                    kept.add(code)
                held += weights[code]
        target = draw * sum(weights[code] for code in kept)
        for code in sorted(kept):
            target -= weights[code]
            if target < 0:
                break
        codes.append(code)
    return codes


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_draws_what_its_slow_twin_draws(settings: DrawSettings) -> None:
    draws = uniforms(11, 20, 4)
    for frame in range(20):
        logits = scores(frame)
        assert sample(logits, draws[frame], settings).tolist() == slow_sample(logits, draws[frame].tolist(), settings)


def test_codes_come_as_often_as_their_probability_says() -> None:
    logits = np.log(np.array([[0.5, 0.2, 0.2, 0.1]], np.float32))
    drawn = [int(sample(logits, draw, DrawSettings(top_k=2))[0]) for draw in uniforms(3, 4000, 1)]
    expected = np.array([5, 2, 2, 0]) / 9  # the two that tie for the second place are both kept
    assert np.bincount(drawn, minlength=4) / 4000 == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("draw", [0.0, 1 - 2**-53])
def test_the_ends_of_the_draw_give_the_first_and_the_last_code_kept(draw: float) -> None:
    logits = np.array([[-1e30, 1.0, 2.0, 1.0, -1e30]] * 3, np.float32)
    codes = sample(logits, np.full(3, draw), DrawSettings(top_k=0))
    assert codes.tolist() == ([1, 1, 1] if draw == 0 else [3, 3, 3])


def test_draws_of_a_longer_piece_begin_like_those_of_a_shorter_one() -> None:
    assert (uniforms(2**53 - 1, 500, 4)[:30] == uniforms(2**53 - 1, 30, 4)).all()
    assert not np.isclose(uniforms(1, 30, 4), uniforms(2, 30, 4)).any()
    assert len(np.unique(uniforms(1, 30, 4))) == 120


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_a_damaged_model(bad: float) -> None:
    logits = scores(1)
    logits[2, 7] = bad
    with pytest.raises(ModelFileError, match="decoder"):
        sample(logits, np.zeros(4), DrawSettings())


@pytest.mark.parametrize(("field", "value"), [
    ("temperature", -0.1), ("temperature", math.nan), ("top_p", 1.1), ("top_k", -1),
])  # fmt: skip
def test_settings_out_of_their_range_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(InvalidRequest, match=field):
        DrawSettings(**{field: value})  # type: ignore[arg-type]
