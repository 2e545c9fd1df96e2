"""A generator that only waits, installed for the server under test as a package would bring it.

The prompt says for how many seconds, and of how many stages: ``1.0`` or ``20 x10``. Each stage is named by the time at
which it began, so that whoever hears of it can tell how late that is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, Progress, ProgressCallback
from tunesmith.live_stream import LiveSettings
from tunesmith.request import GenerationRequest

MODEL = "null"
SAMPLE_RATE = 32_000


class NullLiveStream:
    """Plays a level of one half while a note is held, else silence."""

    sample_rate = 48_000
    channels = 2

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._is_closed = False

    def change(self, settings: LiveSettings) -> None:
        """Play by other settings."""
        self._settings = settings

    def next_block(self) -> Samples:
        """Return 80 ms."""
        if self._is_closed:
            raise GenerationCancelled
        return np.full((2, 3_840), 0.5 * bool(self._settings.notes), np.float32)

    def close(self) -> None:
        """End it."""
        self._is_closed = True


class NullGenerator:
    """Waits, then returns a tenth of a second of silence."""

    def load(self, num_rows: int) -> int:
        """Wait for as many at once as there are rows."""
        return num_rows

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Wait as long as the prompt says."""
        seconds, _, stages = request.prompt.partition(" x")
        count, began = int(stages or 0), time.monotonic()
        for stage in range(count):
            time.sleep(max(0.0, began + float(seconds) * stage / count - time.monotonic()))
            if cancelled():
                raise GenerationCancelled
            progress(Progress(f"{time.time():.6f}", stage / count))
        time.sleep(max(0.0, began + float(seconds) - time.monotonic()))
        return Audio(np.zeros((1, SAMPLE_RATE // 10), np.float32), SAMPLE_RATE, {"seed": request.seed})

    def open_live(self, settings: LiveSettings, seed: int) -> NullLiveStream:  # noqa: ARG002  the interface's
        """Start a live stream."""
        return NullLiveStream(settings)


def install(folder: Path) -> str:
    """Write the metadata of a package with this generator; return the PYTHONPATH that makes it installed."""
    metadata = folder / "null_generator-1.0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: null-generator\nVersion: 1.0\n")
    target = f"{__name__}:{NullGenerator.__name__}"
    (metadata / "entry_points.txt").write_text(
        "".join(f"[tunesmith.{group}]\n{MODEL} = {target}\n" for group in ("generators", "live_generators"))
    )
    paths = [str(folder), str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(path for path in paths if path)
