"""The MusicGen generator: request -> sequence -> codes -> audio."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from tunesmith.audio import Audio, Spool
from tunesmith.audio.resample import resample_blocks
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback, never_cancelled, no_progress
from tunesmith.musicgen.architecture import GUIDED_ROWS
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.model_folder import read_architecture
from tunesmith.musicgen.request_mapping import PreparedRequest, prepare_request
from tunesmith.musicgen.runner import Codec, Codes, Samples
from tunesmith.neural.step_progress import DECODING_ENDS, WRITING_ENDS, StepProgress
from tunesmith.postprocess import postprocess, wanted_rate
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest
from tunesmith.source_recordings import model_metadata

# Half a second of sound at 50 frames a second.
STREAM_FRAMES = 25
DECODE_SECONDS = 2

EngineFactory = Callable[[Path, int], Engine]
"""A function that opens the model of a folder for a number of batch rows."""


class MusicGenGenerator:
    """A generator for the model in ``folder``; it opens the engine at the first request and keeps it.

    ``name``, ``licence`` and ``digest`` go into the metadata of the result. Safe to use from several threads, whose
    requests then share the batch.
    """

    def __init__(
        self, folder: Path, *, name: str, licence: str, digest: str, engine_factory: EngineFactory | None = None
    ) -> None:  # fmt: skip
        self._folder = folder
        # These fields are the same for every result.
        self._about = {"model": name, "licence": licence, "model_digest": digest}
        self._engine_factory = engine_factory
        self._engine: Engine | None = None
        self._opening = threading.Lock()

    @property
    def guide_field(self) -> Literal["melody"] | None:
        """The field of a recording to follow: a melody model follows a melody; see GuidableGenerator."""
        return "melody" if read_architecture(self._folder).chroma else None

    @property
    def longest_guide(self) -> float:
        """The longest melody to follow, in seconds: windows have no end but that of a request."""
        return MAX_DURATION_SECONDS

    def load(self, num_rows: int = GUIDED_ROWS) -> int:
        """Open the engine ahead of the first request; return how many guided requests fit at once.

        See BatchingGenerator.
        """
        return max(1, self._opened(num_rows).num_rows // GUIDED_ROWS)

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Generate the audio of a request; see Generator. Raises QueueFull if too many requests wait."""
        if cancelled():
            raise GenerationCancelled
        progress(Progress("loading the model", 0.0))
        engine = self._opened()
        job = prepare_request(request, engine)
        sequence = engine.submit(job.sequence)
        codes = engine.run(sequence, StepProgress(progress), cancelled)
        progress(Progress("decoding", WRITING_ENDS))
        spool = Spool(engine.architecture.audio_channels)
        # Decode in blocks into a spool: a long track never lies in memory as a whole, and cancellation acts in between.
        for samples in _cut(_decoded(engine.codec, codes, engine.architecture.frame_rate), job.num_samples):
            if cancelled():
                raise GenerationCancelled
            spool.append(samples)
            share = len(spool) / job.num_samples
            progress(Progress("decoding", WRITING_ENDS + share * (DECODING_ENDS - WRITING_ENDS)))
        audio, warnings = postprocess(Audio.from_spool(spool, engine.architecture.codec.sample_rate), request)
        progress(Progress("done", 1.0))
        return audio.with_metadata(**self._metadata(request, job, warnings))

    def stream(
        self, request: GenerationRequest, progress: ProgressCallback = no_progress,
        cancelled: CancelCheck = never_cancelled,
    ) -> Iterator[Audio]:  # fmt: skip
        """Yield the audio block by block during generation; the joined blocks equal the result of ``generate``.

        Closing the iterator early frees the rows in the batch. Raises the same errors as ``generate``, and
        InvalidRequest for an option that needs the whole audio.
        """
        if request.loudness_lufs is not None:
            raise InvalidRequest("loudness_lufs", "is measured over the whole piece, which a stream does not have")
        engine = self._opened()
        job, channels = prepare_request(request, engine), engine.architecture.audio_channels
        rate = wanted_rate(request, engine.architecture.codec.sample_rate)
        metadata = self._metadata(request, job, ())
        sequence = engine.submit(job.sequence)
        # ``closing`` cancels the sequence as soon as the reader stops, not when the iterator is collected.
        with closing(engine.stream(sequence, STREAM_FRAMES, StepProgress(progress), cancelled)) as chunks:
            blocks = _cut(_decoded_chunks(engine.codec, chunks), job.num_samples)
            if request.mono and channels > 1:
                blocks, channels = (block.mean(axis=0, keepdims=True) for block in blocks), 1
            for block in resample_blocks(blocks, channels, engine.architecture.codec.sample_rate, rate):
                if block.shape[1]:
                    yield Audio(block, rate, metadata)
        progress(Progress("done", 1.0))

    def _opened(self, num_rows: int = GUIDED_ROWS) -> Engine:
        # Two first requests at once must not load the model twice.
        with self._opening:
            if self._engine is None:
                self._engine = (self._engine_factory or _open_with_defaults)(self._folder, num_rows)
            return self._engine

    def _metadata(self, request: GenerationRequest, job: PreparedRequest, warnings: tuple[str, ...]) -> dict[str, Any]:
        return model_metadata(
            request, self._about, seed=job.sequence.seed, settings=job.settings, warnings=(*job.warnings, *warnings)
        )


def _open_with_defaults(folder: Path, num_rows: int) -> Engine:
    # ONNX Runtime takes long to import, so it is loaded only now.
    from tunesmith.musicgen.open_engine import EngineOptions, open_engine

    return open_engine(folder, EngineOptions(num_rows))


def _decoded(codec: Codec, codes: Codes, frame_rate: float) -> Iterator[Samples]:
    size = round(DECODE_SECONDS * frame_rate)
    return _decoded_chunks(codec, (codes[:, start : start + size] for start in range(0, codes.shape[1], size)))


def _decoded_chunks(codec: Codec, chunks: Iterator[Codes]) -> Iterator[Samples]:
    stream = codec.stream()
    for codes in chunks:
        yield stream.feed(codes)
    yield stream.finish()


def _cut(blocks: Iterator[Samples], num_samples: int) -> Iterator[Samples]:
    """Yield the first ``num_samples`` samples of the blocks."""
    left = num_samples
    for block in blocks:
        yield block[:, :left]
        left -= min(left, block.shape[1])
