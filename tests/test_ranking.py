"""Picking: what a request asks for is known from its fields or its words, and the best of several comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sounds import clicks

from tunesmith.audio import Audio
from tunesmith.audio.analysis.quality import Finding, Quality
from tunesmith.ranking import Ranking, rank, targets_of
from tunesmith.request import GenerationRequest


def asked(prompt: str = "calm piano", **fields: Any) -> GenerationRequest:
    return GenerationRequest.checked(prompt=prompt, **fields)


@pytest.mark.parametrize(("request_", "tempo"), [
    (asked(), None), (asked("lofi, 90 bpm"), (90, 90)), (asked("lofi, 80-90 bpm"), (80, 90)),
    (asked("lofi, 90 bpm", tempo_bpm=120), (120, 120)),
])  # fmt: skip
def test_the_tempo_is_the_fields_or_the_prompts(request_: GenerationRequest, tempo: tuple[float, float] | None) -> None:
    assert targets_of(request_).tempo_bpm == tempo


@pytest.mark.parametrize(("request_", "key", "tonic"), [
    (asked("calm piano in D minor"), "D minor", 2), (asked(key="F# dorian"), "F# dorian", 6),
    (asked("calm piano in D minor", key="G"), "G major", 7), (asked(key="Klavier in c-moll"), "C minor", 0),
])  # fmt: skip
def test_the_key_is_the_fields_or_the_prompts(request_: GenerationRequest, key: str, tonic: int) -> None:
    wanted = targets_of(request_).key
    assert wanted is not None
    assert (wanted.name, wanted.notes[0]) == (key, tonic)


def test_without_a_word_on_it_nothing_is_asked() -> None:
    wanted = targets_of(asked())
    assert (wanted.key, wanted.loudness_lufs, wanted.loop) == (None, None, False)
    assert targets_of(asked(loudness_lufs=-16, form="loop")).loop
    assert targets_of(asked(loudness_lufs=-16)).loudness_lufs == -16


def test_a_sound_that_says_it_is_a_loop_is_measured_as_one() -> None:
    silence = Audio(np.zeros((1, 1000), np.float32), 8000)
    loop = silence.with_metadata(settings={"loop": True})
    assert "seam" not in {finding.measure for finding in rank(silence, asked()).findings}
    assert "seam" in {finding.measure for finding in rank(loop, asked()).findings}


def test_a_sound_is_measured_against_its_request() -> None:
    right, wrong = rank(clicks(100), asked(tempo_bpm=100)), rank(clicks(100), asked(tempo_bpm=115))
    assert right.score > wrong.score


def test_the_best_comes_first_and_equals_keep_their_order() -> None:
    def quality(score: float) -> Quality:
        whole = (Finding("silence", 1, ""), Finding("clipping", 1, ""))
        return Quality((*whole, Finding("loudness", score, "")))

    ranking = Ranking((quality(0.5), quality(0.9), quality(0.5), quality(0.1), quality(0.9)))
    assert ranking.ranks == (3, 1, 4, 5, 2)
    assert ranking.best == 1
