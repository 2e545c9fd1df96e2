"""GeneratedStream: music that is heard while it is made, from any generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tunesmith.finished_stream import FinishedStream
from tunesmith.generator import (
    CancelCheck,
    Generator,
    MusicStream,
    ProgressCallback,
    StreamingGenerator,
    never_cancelled,
    no_progress,
)
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.audio.buffer import Samples


class GeneratedStream:
    """A piece in blocks while it is made, and whole once it is; iterate over it once, in a ``with`` block.

    ``sample_rate`` is in Hz; ``num_samples`` is the exact length per channel. Blocks are (channels, samples) float32,
    and equal the exact piece up to small errors of level, below -40 dB on average.
    """

    def __init__(self, source: MusicStream) -> None:
        self._source = source
        self.sample_rate, self.channels, self.num_samples = source.sample_rate, source.channels, source.num_samples

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of the piece."""
        return self._source.metadata

    @property
    def audio(self) -> Audio:
        """The exact piece, the same as ``generate`` returns; waits until it is made."""
        return self._source.audio()

    @property
    def duration(self) -> float:
        """The duration in seconds."""
        return self.num_samples / self.sample_rate

    def close(self) -> None:
        """End the work unless it is done; closing twice is harmless."""
        self._source.close()

    def __iter__(self) -> Iterator[Samples]:
        return self._source.blocks()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_stream(
    request: GenerationRequest,
    create: Callable[[str], Generator],
    progress: ProgressCallback = no_progress,
    cancelled: CancelCheck = never_cancelled,
) -> GeneratedStream:
    """Start to make the music of a request that has a seed. Raises as ``Generator.generate``."""
    from tunesmith.run_generator import run_generator

    generator = create(request.model)
    if isinstance(generator, StreamingGenerator) and not request.follows_composer:
        return GeneratedStream(generator.start_stream(request, progress, cancelled))
    return GeneratedStream(FinishedStream(run_generator(generator, request, progress, cancelled)))
