"""Laws of a mix that sounds while it is made: the exact mix, and a stream that nearly equals it."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from bandstand import full_band, session

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix import mix_score
from tunesmith.composer.mix.streaming import MixStream, mix_stream
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.score import Ambience, MixSettings, Score
from tunesmith.composer.sound.voice import Voice
from tunesmith.errors import GenerationCancelled

SECONDS = 6.0
BLOCK = 32_768


@dataclass(frozen=True)
class Heard:
    blocks: list[Samples]
    result: Samples
    exact: Samples


@pytest.fixture(scope="module", autouse=True)
def forecast_of_short_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mix_stream, "SHORT_SECONDS", 1.0)
        yield


def piece() -> Score:
    return replace(full_band(SECONDS), loop=False)


def heard(score: Score, **options: object) -> Heard:
    stream = MixStream(score, session(block=BLOCK, **options))
    try:
        blocks = list(stream.blocks())
        result = stream.result().read()
    finally:
        stream.close()
    with mix_score(score, session(block=BLOCK, **options)) as spool:
        return Heard(blocks, result, spool.read())


@pytest.fixture(scope="module")
def plain() -> Heard:
    return heard(piece())


def difference_db(one: Heard) -> float:
    sound = np.concatenate(one.blocks, axis=1).astype(np.float64)
    return float(10 * np.log10(np.sum((sound - one.exact) ** 2) / np.sum(one.exact.astype(np.float64) ** 2) + 1e-20))


def test_the_exact_mix_is_the_same_with_and_without_a_listener(plain: Heard) -> None:
    assert np.array_equal(plain.result, plain.exact)


def test_the_blocks_have_exactly_the_length_of_the_piece(plain: Heard) -> None:
    assert sum(block.shape[1] for block in plain.blocks) == plain.exact.shape[1] == round(SECONDS * 44_100)
    assert plain.blocks[0].shape[1] < 44_100


def test_the_stream_sounds_like_the_mix(plain: Heard) -> None:
    assert difference_db(plain) < -18


def test_other_rates_channels_ambience_and_production_stream_too() -> None:
    score = replace(piece(), ambience=(Ambience("rain"),), mix=MixSettings(production=("tape", "wow")))
    other = heard(score, sample_rate=22_050, channels=1)
    assert np.concatenate(other.blocks, axis=1).shape == other.exact.shape
    assert np.array_equal(other.result, other.exact)
    assert difference_db(other) < -9


def test_a_loop_comes_exactly_once_it_is_made() -> None:
    one = heard(replace(full_band(4.0), loop=True))
    assert np.array_equal(np.concatenate(one.blocks, axis=1), one.exact)


def test_a_listener_that_stops_leaves_no_thread() -> None:
    stream = MixStream(piece(), session(block=BLOCK))
    next(stream.blocks())
    stream.close()
    assert "mix" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(GenerationCancelled):
        list(stream.blocks())


def test_an_error_of_the_work_reaches_the_listener() -> None:
    def broken(_: str) -> Voice:
        raise KeyError("no such voice")

    stream = MixStream(piece(), replace(session(), voices=broken))
    with pytest.raises(KeyError):
        list(stream.blocks())
    stream.close()


def test_memory_does_not_grow_with_what_is_rendered_ahead() -> None:
    minute = np.zeros((2, 44_100 * 60), np.float32)
    mix = OpenPremaster(keeps_appended=False)
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(4):
            for start in range(0, minute.shape[1], 1 << 18):
                mix.append(minute[:, start : start + (1 << 18)])
            assert mix.appended(100, 200).shape == (2, 100)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
        mix.close()
    # The first minute is in memory, the others on the disk; of each frame three numbers stay.
    assert peaks[-1] < peaks[1] + 4_000_000
