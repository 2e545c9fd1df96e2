"""Live generators as an installed package would bring them: they really synthesise what they are told to play."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, ProgressCallback
from tunesmith.live_stream import LiveSettings
from tunesmith.request import GenerationRequest

SAMPLE_RATE = 48_000
FRAME = SAMPLE_RATE // 25
FRAMES_A_BLOCK = 2
MAX_POLYPHONY = 16
NAMES = ("Sines", "Counting", "Faulty")
FILES_ONLY = "mute = live_generators:Mute\n"


def install(folder: Path, names: Sequence[str] = NAMES) -> str:
    """Write the metadata of a package with these generators; return the PYTHONPATH that makes it installed."""
    metadata = folder / "live-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: live\nVersion: 1.0\n")
    points = "".join(f"{name.lower()} = live_generators:{name}\n" for name in names)
    text = f"[tunesmith.generators]\n{points}{FILES_ONLY}\n[tunesmith.live_generators]\n{points}"
    (metadata / "entry_points.txt").write_text(text)
    paths = [str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(path for path in paths if path)


def frequency(note: int) -> float:
    """Return the frequency of a MIDI note in Hz."""
    return float(440 * 2 ** ((note - 69) / 12))


class SineStream:
    """Plays a sine for each held note, phases running on; a chord's volume is the blend, noise stands for drums."""

    sample_rate = SAMPLE_RATE
    channels = 2

    def __init__(self, settings: LiveSettings, seed: int) -> None:
        _check(settings)
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._position = 0
        self._is_closed = threading.Event()

    def change(self, settings: LiveSettings) -> None:
        """Play by other settings from the next frame on."""
        _check(settings)
        self._settings = settings

    def next_block(self) -> Samples:
        """Return two frames."""
        frames = [self.next_frame() for _ in range(FRAMES_A_BLOCK)]
        return np.concatenate(frames, axis=1, dtype=np.float32)

    def next_frame(self) -> Samples:
        """Return the next 40 ms."""
        if self._is_closed.is_set():
            raise GenerationCancelled
        settings = self._settings
        times = (self._position + np.arange(FRAME)) / SAMPLE_RATE
        self._position += FRAME
        sound = np.zeros(FRAME)
        for note in sorted(settings.notes):
            sound += 0.1 * np.sin(2 * np.pi * frequency(note) * times)
        if settings.drums:
            sound += 0.05 * self._rng.standard_normal(FRAME)
        return np.stack([sound, settings.blend * sound], dtype=np.float32, casting="unsafe")

    def close(self) -> None:
        """End the stream."""
        self._is_closed.set()


def _check(settings: LiveSettings) -> None:
    if len(settings.notes) > MAX_POLYPHONY:
        raise InvalidRequest("notes", f"must be at most {MAX_POLYPHONY} at once, got {len(settings.notes)}")


class Mute:
    """Makes silent files, and cannot play live."""

    def load(self, num_rows: int) -> int:
        """Take a request for every row."""
        return num_rows

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:  # noqa: ARG002
        """Make a second of silence."""
        return Audio(np.zeros((2, SAMPLE_RATE), np.float32), SAMPLE_RATE)


class Sines(Mute):
    """Plays the held notes as sines."""

    def open_live(self, settings: LiveSettings, seed: int) -> SineStream:
        """Start a stream."""
        return SineStream(settings, seed)


class CountingStream(SineStream):
    """Counts samples: each is its own position over 2**20, so that a gap or a repetition shows."""

    def next_frame(self) -> Samples:
        """Return the next 40 ms."""
        if self._is_closed.is_set():
            raise GenerationCancelled
        positions = self._position + np.arange(FRAME)
        self._position += FRAME
        return np.stack([positions, -positions], dtype=np.float32, casting="unsafe") / np.float32(2**20)


class Counting(Sines):
    """Plays positions."""

    def open_live(self, settings: LiveSettings, seed: int) -> SineStream:
        """Start a stream."""
        return CountingStream(settings, seed)


class FaultyStream(SineStream):
    """Does what its prompt says: fails at a change, at a block, or never comes to an end of one."""

    def change(self, settings: LiveSettings) -> None:
        """Fail if told to."""
        super().change(settings)
        if settings.prompt == "fail at a change":
            raise OSError("no change today")

    def next_block(self) -> Samples:
        """Fail or hang if told to."""
        if self._settings.prompt == "fail":
            raise OSError("no sound today")
        if self._settings.prompt == "crash":
            os._exit(3)
        while self._settings.prompt == "hang" and not self._is_closed.is_set():
            time.sleep(0.01)
        return super().next_block()


class Faulty(Sines):
    """Plays streams that fail; takes two at once."""

    def load(self, num_rows: int) -> int:
        """Take two requests."""
        return min(2, num_rows)

    def open_live(self, settings: LiveSettings, seed: int) -> SineStream:
        """Start a stream."""
        return FaultyStream(settings, seed)
