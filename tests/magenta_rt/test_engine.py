"""The engine: streams join and leave the batch at any frame, and none of them hears of it."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from magenta_models import reference, tiny_architecture, tiny_weights
from numpy.typing import NDArray

from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled, InvalidRequest, QueueFull
from tunesmith.magenta_rt import engine as engine_module
from tunesmith.magenta_rt.architecture import RESERVED_IDS
from tunesmith.magenta_rt.codec_stream import SpectroStreamDecoder
from tunesmith.magenta_rt.conditioning import SourceTables
from tunesmith.magenta_rt.engine import FrameEngine
from tunesmith.magenta_rt.networks import LanguageModel
from tunesmith.magenta_rt.sequence import Conditioning, FrameRequest
from tunesmith.magenta_rt.sound_stream import FILE_CHUNKS, ChunkPlan, SoundStream
from tunesmith.neural.sampling import DrawSettings
from tunesmith.neural.sessions import SessionOptions

Array = NDArray[np.float32]

ARCHITECTURE = tiny_architecture()
ONE_THREAD = SessionOptions(num_threads=1, spinning=False)
SOURCES: Array = reference("encoder")["source"][0]
GREEDY = DrawSettings(temperature=0)
AS_ASKED = ChunkPlan(first=3, rest=2, ahead=0)


@pytest.fixture(scope="module")
def engine(quantized_model: Path) -> FrameEngine:
    return open_engine(quantized_model, 4)


def open_engine(folder: Path, num_rows: int) -> FrameEngine:
    model = LanguageModel(folder, ARCHITECTURE, num_rows=num_rows, options=ONE_THREAD)
    return FrameEngine(model, SpectroStreamDecoder(folder, ARCHITECTURE, ONE_THREAD))


def changing(rows: int = 1, shift: int = 0) -> Conditioning:
    """Return a conditioning that changes every frame, other rows with less of it."""
    return lambda frame: SOURCES[(frame + shift + np.arange(rows)) % len(SOURCES)]


def request(seed: int, frames: int | None = 30, shift: int = 0, **options: object) -> FrameRequest:
    chosen = FrameRequest(changing(shift=shift), seed, frames, DrawSettings(temperature=1.1, top_k=5))
    return replace(chosen, **options)  # type: ignore[arg-type]


def blocks(stream: SoundStream) -> Iterator[Samples]:
    while (block := stream.read()) is not None:
        yield block


def sound(stream: SoundStream) -> Samples:
    return np.concatenate(list(blocks(stream)), axis=1)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def test_the_whole_model_makes_the_sound_of_the_reference(tiny_model: Path) -> None:
    asked = FrameRequest(lambda frame: SOURCES[frame : frame + 1], 0, len(SOURCES), GREEDY)
    found = sound(open_engine(tiny_model, 1).open(asked))
    expected = reference("stream")["audio"][1:].reshape(-1, 2).T
    assert np.abs(np.clip(found, -1, 1) * 32_767.5 - expected).max() <= 1.01


def test_guidance_of_three_rows_draws_the_codes_of_the_reference(tiny_model: Path) -> None:
    found = reference("stream_guided")

    numbers = np.repeat(found["conditioning"][:, None].astype(np.int64), 3, axis=1)
    numbers[:, 1, :12] = -1
    numbers[:, 2, 12:140] = -1
    tables = SourceTables.from_weights(tiny_weights())
    asked = FrameRequest(lambda frame: tables.source(numbers[frame]), 0, len(numbers), GREEDY, (3.0, 1.0))
    found_sound = sound(open_engine(tiny_model, 3).open(asked))
    expected = (found["codes"][:, 0, 0] - RESERVED_IDS) % ARCHITECTURE.codebook_size
    decoder = SpectroStreamDecoder(tiny_model, ARCHITECTURE, ONE_THREAD)
    assert found_sound == pytest.approx(decoder.decode(expected.T), abs=1e-5)


def test_a_stream_has_the_same_bytes_alone_and_among_others_that_come_and_go(engine: FrameEngine) -> None:
    alone = sound(engine.open(request(7, frames=28)))
    short = [engine.open(request(seed, frames=3 + seed, shift=seed)) for seed in range(2)]
    stream = engine.open(request(7, frames=28))
    guided = engine.open(request(3, frames=None, shift=1, conditioning=changing(2), guidance=(2.0,)))
    parts = []
    for number, block in enumerate(blocks(stream)):
        parts.append(block)
        if number == 2:
            guided.close()
        if number == 1:
            short += [engine.open(request(seed, frames=9, shift=seed)) for seed in range(2)]
    for one in short:
        sound(one)
    assert alone.shape == (2, 27 * ARCHITECTURE.codec.frame_size)
    assert np.concatenate(parts, axis=1).tobytes() == alone.tobytes()


def test_a_longer_stream_begins_like_a_shorter_one(engine: FrameEngine) -> None:
    short, long = (sound(engine.open(request(11, frames=frames))) for frames in (14, 19))
    assert long[:, : short.shape[1]] == pytest.approx(short, abs=1e-6)
    assert not np.allclose(sound(engine.open(request(12, frames=14))), short, atol=1e-3)


def test_no_more_is_made_than_the_reader_wants(engine: FrameEngine) -> None:
    plan = ChunkPlan(first=3, rest=2, ahead=4)
    stream, idle = engine.open(request(1, frames=None), plan), engine.open(request(2, frames=None), AS_ASKED)
    stream.read()
    wait_until(lambda: stream.sequence.frames_done == 7)
    assert idle.sequence.frames_done == 0
    assert sound(engine.open(request(3))).shape[1] == 29 * ARCHITECTURE.codec.frame_size
    assert (stream.sequence.frames_done, idle.sequence.frames_done) == (7, 0)
    stream.close()
    idle.close()


def test_a_change_is_heard_from_the_next_block_on(engine: FrameEngine) -> None:
    heard: list[int] = []
    current = 0

    def conditioning(_: int) -> Array:
        heard.append(current)
        return SOURCES[current : current + 1]

    stream = engine.open(request(1, frames=None, conditioning=conditioning), AS_ASKED)
    for _ in range(3):
        stream.read()
    assert heard == [0] * 7
    current = 5
    stream.read()
    assert heard == [0] * 7 + [5] * 2
    stream.close()


def test_a_cancelled_stream_frees_its_rows_within_a_frame(engine: FrameEngine) -> None:
    streams = [engine.open(request(seed, frames=None)) for seed in range(4)]
    waiting = engine.open(request(9, frames=4))
    streams[0].close()
    assert sound(waiting).shape[1] == 3 * ARCHITECTURE.codec.frame_size
    with pytest.raises(GenerationCancelled):
        streams[0].read()
    with pytest.raises(GenerationCancelled):
        streams[1].read(cancelled=lambda: True)
    for stream in streams:
        stream.close()
    wait_until(lambda: all(stream.sequence.ended for stream in streams))


def test_a_reader_that_waits_is_released_when_its_stream_is_closed(engine: FrameEngine) -> None:
    halted = threading.Event()

    def conditioning(_: int) -> Array:
        halted.wait(60)
        return SOURCES[:1]

    stream = engine.open(request(1, frames=None, conditioning=conditioning))
    threading.Timer(0.05, stream.close).start()
    with pytest.raises(GenerationCancelled):
        stream.read()
    halted.set()


def test_an_error_of_one_stream_ends_that_one_alone(engine: FrameEngine) -> None:
    def broken(frame: int) -> Array:
        if frame == 4:
            raise InvalidRequest("notes", "are broken")
        return SOURCES[:1]

    good, bad = engine.open(request(5)), engine.open(request(6, conditioning=broken))
    with pytest.raises(InvalidRequest, match="notes"):
        sound(bad)
    assert sound(good).tobytes() == sound(engine.open(request(5))).tobytes()


def test_a_stream_that_needs_more_rows_than_there_are_is_refused_by_name(engine: FrameEngine) -> None:
    with pytest.raises(InvalidRequest, match="guidance_scale"):
        engine.open(request(1, guidance=(1.0,) * 4))


def test_a_full_queue_is_an_error_of_its_own(engine: FrameEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine._scheduler, "_max_waiting", 0)
    with pytest.raises(QueueFull):
        engine.open(request(1))


def test_the_thread_of_an_engine_without_streams_ends_and_starts_again(
    quantized_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", 0.01)
    engine = open_engine(quantized_model, 1)
    first = sound(engine.open(request(1, frames=4)))
    wait_until(lambda: engine._thread is None)
    assert sound(engine.open(request(1, frames=4))).tobytes() == first.tobytes()


def test_chunks_end_where_the_plan_says() -> None:
    assert [FILE_CHUNKS.frames_until(block) for block in range(3)] == [3, 8, 13]


def test_an_endless_stream_takes_no_more_memory_than_a_short_one(engine: FrameEngine) -> None:
    stream = engine.open(request(1, frames=None))

    def read(blocks: int) -> None:
        for _ in range(blocks):
            stream.read()

    # Far beyond the window, so that the ring is full.
    read(12)
    tracemalloc.start()
    read(5)
    before = tracemalloc.get_traced_memory()[0]
    read(25)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    stream.close()
    assert after - before < 200_000
