"""The generator: the same bytes alone, streamed and in a batch, exact lengths, and what it refuses by name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magenta_checkpoint import write_magenta_tree
from magenta_vectors import has_magenta_vectors

from tunesmith.audio import Audio
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import (
    BatchingGenerator,
    NoteSheet,
    PerformingGenerator,
    Progress,
    StreamingGenerator,
    TimedNote,
    never_cancelled,
    no_progress,
)
from tunesmith.live_stream import MAX_BLOCK_SECONDS, LiveGenerator, LiveSettings
from tunesmith.magenta_rt.checkpoint.checkpoint import open_checkpoint
from tunesmith.magenta_rt.conversion import convert
from tunesmith.magenta_rt.generator import MagentaGenerator
from tunesmith.magenta_rt.live import MagentaLiveStream
from tunesmith.magenta_rt.open_model import MagentaModel, open_model
from tunesmith.neural.sessions import SessionOptions
from tunesmith.request import GenerationRequest

pytestmark = has_magenta_vectors
RATE = 48_000
MODEL = "magenta-rt2-small"


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> MagentaGenerator:
    folder = tmp_path_factory.mktemp("model")
    convert(open_checkpoint(write_magenta_tree(tmp_path_factory.mktemp("tree"))), folder, "int8", lambda _: None)
    options = SessionOptions(num_threads=2, spinning=False)

    def factory(path: Path, rows: int) -> MagentaModel:
        return open_model(path, rows, options)

    made = MagentaGenerator(folder, name=MODEL, licence="cc-by-4.0", digest="d", model_factory=factory)
    made.load(4)
    return made


@pytest.fixture(scope="module")
def a_second(generator: MagentaGenerator) -> Audio:
    return generate(generator, duration=1.23)


def request(**fields: Any) -> GenerationRequest:
    return GenerationRequest.checked(**{"prompt": "lofi hip hop with rain", "model": MODEL, "seed": 5, **fields})


def generate(generator: MagentaGenerator, **fields: Any) -> Audio:
    return generator.generate(request(**fields), no_progress, never_cancelled)


def test_it_is_each_kind_of_generator_that_it_says(generator: MagentaGenerator) -> None:
    for protocol in (BatchingGenerator, StreamingGenerator, PerformingGenerator, LiveGenerator):
        assert isinstance(generator, protocol)


def test_the_length_is_exact_and_the_result_says_what_it_is(a_second: Audio) -> None:
    assert (a_second.sample_rate, a_second.channels, a_second.num_samples) == (RATE, 2, round(1.23 * RATE))
    about = a_second.metadata
    assert (about["model"], about["licence"], about["seed"]) == (MODEL, "cc-by-4.0", 5)
    assert about["settings"]["temperature"] == 1.1
    assert np.abs(a_second.samples).max() <= 1


def test_alone_streamed_and_beside_others_it_has_the_same_bytes(generator: MagentaGenerator, a_second: Audio) -> None:
    streamed = np.concatenate([block.samples for block in generator.stream(request(duration=1.23))], axis=1)
    music = generator.start_stream(request(duration=1.23), no_progress, never_cancelled)
    first = next(iter(music.blocks()))
    with ThreadPoolExecutor(3) as callers:
        others = [callers.submit(generate, generator, seed=seed, duration=1.0, guidance_scale=3.0) for seed in (6, 7)]
        again = callers.submit(generate, generator, duration=1.23)
    assert music.is_early
    assert first.shape[1] < RATE / 4
    assert music.num_samples == a_second.num_samples
    for found in (streamed, music.audio().samples, again.result().samples):
        assert found.tobytes() == a_second.samples.tobytes()
    assert others[0].result().samples.tobytes() != others[1].result().samples.tobytes()


def test_a_guided_stream_is_another_and_says_so(generator: MagentaGenerator, a_second: Audio) -> None:
    guided = generate(generator, guidance_scale=4.0, duration=1.23)
    assert guided.metadata["settings"]["guidance_scale"] == 4.0
    assert guided.samples.tobytes() != a_second.samples.tobytes()
    same = generate(generator, guidance_scale=1.0, duration=1.23)
    assert same.samples.tobytes() == a_second.samples.tobytes()


def test_rate_channels_and_loudness_are_those_of_the_request(generator: MagentaGenerator) -> None:
    mono = request(duration=1.0, sample_rate=22_050, mono=True)
    audio = generator.generate(mono, no_progress, never_cancelled)
    assert (audio.sample_rate, audio.channels, audio.num_samples) == (22_050, 1, 22_050)
    music = generator.start_stream(mono, no_progress, never_cancelled)
    assert sum(block.shape[1] for block in music.blocks()) == music.num_samples == 22_050
    whole = generator.start_stream(request(duration=1.0, loudness_lufs=-20), no_progress, never_cancelled)
    assert not whole.is_early
    with pytest.raises(InvalidRequest, match="loudness_lufs"):
        next(generator.stream(request(duration=1.0, loudness_lufs=-20)))


def test_a_loop_has_whole_bars_and_no_gap(generator: MagentaGenerator) -> None:
    loop = generate(generator, loop=True, tempo_bpm=120, duration=3.8)
    assert loop.duration == pytest.approx(4.0, rel=0.011)
    assert loop.metadata["settings"]["loop_seam"]["score"] >= 0
    said = " ".join(loop.metadata["warnings"])
    assert ("loop_tempo_bpm" in loop.metadata["settings"]) != ("off the bar" in said)
    assert generate(generator, loop=True, duration=1.5).num_samples == 1.5 * RATE


def test_progress_rises_to_the_end_and_a_cancelled_request_ends(generator: MagentaGenerator) -> None:
    seen: list[Progress] = []
    generator.generate(request(duration=1.0), seen.append, never_cancelled)
    fractions = [one.fraction for one in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    calls = iter([False, False, False])
    with pytest.raises(GenerationCancelled):
        generator.generate(request(duration=600), no_progress, lambda: next(calls, True))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"negative_prompt": "drums"}, "negative_prompt"), ({"steps": 8}, "steps"), ({"ending": "natural"}, "ending"),
        ({"form": "sting"}, "form"), ({"hits": ["2"]}, "hits"), ({"bars": 4}, "tempo_bpm"),
        ({"bars": 900, "tempo_bpm": 60}, "duration"), ({"bars": 4, "tempo_bpm": 60, "duration": 9}, "bars"),
        ({"intensity": 0.4}, "intensity"), ({"without": ["drums"]}, "without"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_by_name(generator: MagentaGenerator, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        generate(generator, **fields)


def test_a_tempo_is_only_read_as_words(generator: MagentaGenerator) -> None:
    audio = generate(generator, duration=1.0, tempo_bpm=120)
    assert audio.metadata["settings"]["text"].endswith("120 bpm")
    assert any(warning.startswith("tempo_bpm:") for warning in audio.metadata["warnings"])


SHEET = NoteSheet((TimedNote(0.0, 0.5, 60), TimedNote(0.5, 0.8, 64)), 0.9)


def perform(generator: MagentaGenerator, seeds: Sequence[int], sheet: NoteSheet = SHEET, **fields: Any) -> list[bytes]:
    found = generator.perform(request(**fields), sheet, seeds, no_progress, never_cancelled)
    assert {audio.num_samples for audio in found} == {round(sheet.duration * RATE)}
    return [audio.samples.tobytes() for audio in found]


def test_performances_have_the_same_bytes_alone_and_beside_more_than_there_are_rows(
    generator: MagentaGenerator,
) -> None:
    together = perform(generator, range(5), guidance_scale=2.0)
    assert perform(generator, [4], guidance_scale=2.0) == [together[4]]
    assert len(set(together)) == 5


def test_notes_and_drums_change_what_is_played(generator: MagentaGenerator) -> None:
    other = NoteSheet((TimedNote(0.0, 0.5, 61), *SHEET.notes[1:]), SHEET.duration)
    free = NoteSheet(SHEET.notes, SHEET.duration, plays_drums=None)
    assert len({perform(generator, [1], sheet)[0] for sheet in (SHEET, other, free)}) == 3
    with pytest.raises(InvalidRequest, match="duration"):
        perform(generator, [1], NoteSheet((), 0.0))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def live(generator: MagentaGenerator, changes: dict[int, LiveSettings], blocks: int = 8) -> np.ndarray[Any, Any]:
    stream = generator.open_live(LiveSettings.checked(prompt="calm piano"), 3)
    found = []
    for number in range(blocks):
        if number in changes:
            stream.change(changes[number])
        found.append(stream.next_block())
    stream.close()
    assert max(block.shape[1] for block in found) <= MAX_BLOCK_SECONDS * RATE
    with pytest.raises(GenerationCancelled):
        stream.next_block()
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "techno"}, {"prompt": "calm piano", "second_prompt": "techno", "blend": 0.9}, {"notes": [60, 64]},
        {"drums": False}, {"temperature": 0.2},
    ],
    ids=str,
)  # fmt: skip
def test_a_change_is_heard_from_the_block_after_the_next_on_and_no_sooner(
    generator: MagentaGenerator, fields: dict[str, Any]
) -> None:
    changed = LiveSettings.checked(**{"prompt": "calm piano", **fields})
    before, after = live(generator, {}), live(generator, {4: changed})
    again = live(generator, {4: changed})
    # The codes of block 4 may be written before the change: it is heard from block 5 on.
    start = 5 * 3840
    assert before[:, :start].tobytes() == after[:, :start].tobytes()
    # A small change may draw another code a little later.
    assert before[:, start:].tobytes() != after[:, start:].tobytes()
    assert after.tobytes() == again.tobytes()


def test_a_held_note_begins_once(generator: MagentaGenerator) -> None:
    stream = generator.open_live(LiveSettings.checked(prompt="calm piano", notes=[60]), 3)
    assert isinstance(stream, MagentaLiveStream)
    stream.next_block()
    # The frames of the stream itself are written by now, up to the next block.
    wait_until(lambda: stream._stream.sequence.frames_done == 5)
    state = stream._numbers(5)[12 + 57 : 12 + 64]
    stream.change(LiveSettings.checked(prompt="calm piano", notes=[60, 72]))
    stream._plan.append((7, stream._now))
    found = [tuple(stream._numbers(frame)[[12 + 60, 12 + 72]]) for frame in (6, 7, 8)]
    assert list(state) == [-1, 0, 0, 1, 0, 0, -1]
    assert found == [(1, -1), (1, 2), (1, 1)]
    stream.close()


def test_a_listener_that_vanishes_releases_a_call_that_waits(generator: MagentaGenerator) -> None:
    stream = generator.open_live(LiveSettings.checked(prompt="calm piano"), 3)
    ended = threading.Event()

    def listen() -> None:
        try:
            while True:
                stream.next_block()
        except GenerationCancelled:
            ended.set()

    threading.Thread(target=listen, daemon=True).start()
    stream.next_block()
    stream.close()
    assert ended.wait(60)
