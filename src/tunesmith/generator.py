"""Generator: the protocol of all music generators, and its small types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.audio.buffer import Samples


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a generation: the ``stage`` in words, and the ``fraction`` of the whole, 0 to 1."""

    stage: str
    fraction: float


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


class Generator(Protocol):
    """A generator of music from requests."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Generate the audio of a request.

        Calls ``progress`` with non-decreasing fractions, and ``cancelled`` at least once per second of work. Raises
        GenerationCancelled once ``cancelled()`` is true, InvalidRequest for a request that it cannot fulfil.
        """
        ...


@runtime_checkable
class BatchingGenerator(Protocol):
    """A generator that runs several requests as a batch, each called from a thread of its own."""

    def load(self, num_rows: int) -> int:
        """Prepare for a batch of at most ``num_rows`` rows; return the number of concurrent requests."""
        ...


@runtime_checkable
class GuidableGenerator(Protocol):
    """A generator that can follow a recording, and so be guided by the composer."""

    @property
    def guide_field(self) -> Literal["audio", "melody"] | None:
        """The field of the request that takes the recording; None for a model that follows none."""
        ...

    @property
    def longest_guide(self) -> float:
        """The longest recording that the model can follow, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note to perform: ``start`` and ``end`` in seconds, MIDI ``pitch`` 0–127."""

    start: float
    end: float
    pitch: int


@dataclass(frozen=True, slots=True)
class NoteSheet:
    """The notes of a piece for a model to perform, sorted by start, and its exact ``duration`` in seconds.

    ``plays_drums`` is False for none, None for the model's choice. ``accompanies`` lets the model add notes of its
    own. ``lead_frames`` is how many of its frames earlier than written a model gets every note.
    """

    notes: tuple[TimedNote, ...]
    duration: float
    plays_drums: bool | None = False
    accompanies: bool = False
    lead_frames: int = 0


@runtime_checkable
class PerformingGenerator(Protocol):
    """A generator that plays the notes that it is given, as well as it can."""

    @property
    def longest_performance(self) -> float:
        """The longest piece that the model can perform, in seconds."""
        ...

    def perform(
        self,
        request: GenerationRequest,
        sheet: NoteSheet,
        seeds: Sequence[int],
        progress: ProgressCallback,
        cancelled: CancelCheck,
    ) -> Sequence[Audio]:
        """Return a performance for each seed, in their order, together where the model runs batches.

        Prompt and sampling come from ``request``, the length from the sheet, to the sample; sample rate, channels and
        level are the model's own, and so is the metadata. A seed gives the same bytes alone and beside others.
        Otherwise as ``generate``; raises InvalidRequest too for notes that the model cannot take.
        """
        ...


EXPORTS: Mapping[str, str] = {
    "mid": "audio/midi", "yaml": "application/yaml", "zip": "application/zip", "stems": "application/zip",
    "layers": "application/zip",
}  # fmt: skip
"""Export formats of a piece besides audio, with their media types: MIDI, the score, and three ZIPs of WAV files.

``zip`` has the stems before mastering, ``stems`` their shares of the finished mix, ``layers`` the intensity layers.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """The piece of an exported file: ``duration`` in seconds, sample rate in Hz, channels and metadata."""

    duration: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@runtime_checkable
class ExportingGenerator(Protocol):
    """A generator that can export more of a piece than its audio."""

    def export(
        self,
        request: GenerationRequest,
        path: Path,
        progress: ProgressCallback,
        cancelled: CancelCheck,
        layers: Sequence[float] = (),
    ) -> Exported:
        """Write a file in the format of its suffix, one of EXPORTS; otherwise as ``generate``.

        ``layers`` are the intensities of the suffix ``layers``, 0–1; without them it has the usual three.
        """
        ...


@runtime_checkable
class FigureGenerator(Protocol):
    """A generator that knows the melody of a piece without its audio."""

    def figure(self, request: GenerationRequest) -> list[list[int]]:
        """Return the melody of a request as a small contour: start and length in 200ths of the piece, MIDI pitch."""
        ...


class MusicStream(Protocol):
    """A piece that can be heard while it is made; close it after use, from the thread that reads it.

    ``sample_rate`` is in Hz; ``num_samples`` is the exact length per channel, ``metadata`` that of the whole piece.
    ``is_early`` states that sound comes before the piece is finished.
    """

    sample_rate: int
    channels: int
    num_samples: int
    metadata: Mapping[str, Any]
    is_early: bool

    def blocks(self) -> Iterator[Samples]:
        """Yield the rest of the sound in order, in blocks of (channels, samples): ``num_samples`` in all.

        Raises what ``Generator.generate`` raises.
        """
        ...

    def audio(self) -> Audio:
        """Return the exact piece, once it is made."""
        ...

    def close(self) -> None:
        """End the work, unless it is done."""
        ...


@runtime_checkable
class StreamingGenerator(Protocol):
    """A generator whose music can be heard while it is made."""

    def start_stream(
        self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck
    ) -> MusicStream:
        """Start to make the music of a request; otherwise as ``generate``."""
        ...


def no_progress(progress: Progress) -> None:
    """Ignore progress."""


def never_cancelled() -> bool:
    """Return False, for callers that never cancel."""
    return False
