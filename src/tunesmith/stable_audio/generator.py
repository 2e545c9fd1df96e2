"""The Stable Audio generator: request -> latents -> audio."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith.audio import Audio, Spool
from tunesmith.audio.edit import loop_metadata
from tunesmith.audio.resample import resample, resample_blocks
from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback, never_cancelled, no_progress
from tunesmith.neural.step_progress import DECODING_ENDS, WRITING_ENDS, StepProgress
from tunesmith.postprocess import postprocess, wanted_rate
from tunesmith.request import GenerationRequest
from tunesmith.source_recordings import model_metadata
from tunesmith.stable_audio.engine import DiffusionEngine, EngineCalls
from tunesmith.stable_audio.network_protocol import DiffusionNetworks
from tunesmith.stable_audio.request_mapping import DiffusionRequest, prepare_request

WRAP_SECONDS = 0.05
ROWS_A_REQUEST = 2
"""Rows of a request: guidance has two branches."""

NetworksFactory = Callable[[Path], DiffusionNetworks]
"""A function that opens the networks of a model folder."""


class StableAudioGenerator:
    """A generator for the model in ``folder``; it opens the networks at the first request and keeps them.

    ``name``, ``licence`` and ``digest`` go into the metadata of the result; ``most_callers`` returns how many requests
    the memory allows at once. Safe to use from several threads, whose requests then take turns, together where they are
    of equal length.
    """

    def __init__(
        self, folder: Path, *, name: str, licence: str, digest: str, open_networks: NetworksFactory,
        most_callers: Callable[[], int] = lambda: 1,
    ) -> None:  # fmt: skip
        self._folder = folder
        # These fields are the same for every result.
        self._about = {"model": name, "licence": licence, "model_digest": digest}
        self._open_networks = open_networks
        self._most_callers = most_callers
        self._engine: DiffusionEngine | None = None
        self._opening = threading.Lock()

    @property
    def guide_field(self) -> Literal["audio"]:
        """The field of a recording to follow; see GuidableGenerator."""
        return "audio"

    @property
    def longest_guide(self) -> float:
        """The longest recording to make anew, in seconds: one run of the model."""
        return self._opened().architecture.max_seconds

    def load(self, num_rows: int = ROWS_A_REQUEST) -> int:
        """Open the networks ahead of the first request; return how many may wait here for a batch.

        See BatchingGenerator.
        """
        self._opened()
        return max(1, min(num_rows // ROWS_A_REQUEST, self._most_callers()))

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Generate the audio of a request; see Generator."""
        if cancelled():
            raise GenerationCancelled
        progress(Progress("opening the model", 0.0))
        engine = self._opened()
        job = prepare_request(request, engine.architecture, engine.tokenizer)
        spool = Spool(engine.architecture.audio_channels)
        # Decoded in blocks into a spool: a long track never lies in memory as a whole.
        for samples in _with_progress(engine, job, progress, cancelled):
            spool.append(samples)
        audio = Audio.from_spool(spool, engine.architecture.sample_rate)
        if job.task == "loop":
            # Before postprocess, which would resample the ends as if silence lay beyond them.
            audio = _resampled_loop(audio, wanted_rate(request, audio.sample_rate))
        audio, warnings = postprocess(audio, request)
        progress(Progress("done", 1.0))
        audio = audio.with_metadata(**self._metadata(request, job, warnings))
        return audio.with_metadata(**loop_metadata(audio, [(0, audio.num_samples)])) if job.task == "loop" else audio

    def stream(
        self, request: GenerationRequest, progress: ProgressCallback = no_progress,
        cancelled: CancelCheck = never_cancelled,
    ) -> Iterator[Audio]:  # fmt: skip
        """Yield the audio window by window; the joined blocks equal the result of ``generate``.

        A loop comes at its end, when its seam is judged. Raises the same errors as ``generate``, and InvalidRequest for
        an option that needs the whole audio.
        """
        if request.loudness_lufs is not None:
            raise InvalidRequest("loudness_lufs", "is measured over the whole piece, which a stream does not have")
        engine = self._opened()
        job = prepare_request(request, engine.architecture, engine.tokenizer)
        rate, channels = wanted_rate(request, engine.architecture.sample_rate), engine.architecture.audio_channels
        if job.task == "loop":
            # With the seed that is drawn already, or the two would differ.
            yield self.generate(request.with_seed(job.walk.seed), progress, cancelled)
            return
        blocks = _with_progress(engine, job, progress, cancelled)
        if request.mono and channels > 1:
            blocks, channels = (block.mean(axis=0, keepdims=True) for block in blocks), 1
        metadata = self._metadata(request, job, ())
        for block in resample_blocks(blocks, channels, engine.architecture.sample_rate, rate):
            # The resampler holds back its first samples, and its block is empty meanwhile.
            if block.shape[1]:
                yield Audio(block, rate, metadata)
        progress(Progress("done", 1.0))

    def _opened(self) -> DiffusionEngine:
        # Two first requests at once must not load the model twice.
        with self._opening:
            if self._engine is None:
                self._engine = DiffusionEngine(self._open_networks(self._folder))
            return self._engine

    def _metadata(self, request: GenerationRequest, job: DiffusionRequest, warnings: tuple[str, ...]) -> dict[str, Any]:
        return model_metadata(
            request, self._about, seed=job.walk.seed, settings=job.settings, warnings=(*job.warnings, *warnings)
        )


def _with_progress(
    engine: DiffusionEngine, job: DiffusionRequest, progress: ProgressCallback, cancelled: CancelCheck
) -> Iterator[Samples]:
    """Yield the samples of a job, and report its steps and, once they are done, the decoding."""
    total, done, made = max(1, engine.num_steps(job)), 0, 0
    report = StepProgress(progress)
    report(done, total)

    def after_step() -> None:
        nonlocal done
        done += 1
        # A loop that is tried again takes more steps than planned.
        report(min(done, total), total)

    for samples in engine.generate(job, EngineCalls(after_step, cancelled)):
        yield samples
        made += samples.shape[1]
        if done >= total:
            share = made / job.num_samples
            progress(Progress("decoding", WRITING_ENDS + share * (DECODING_ENDS - WRITING_ENDS)))


def _resampled_loop(audio: Audio, rate: int) -> Audio:
    """Return a loop at another sample rate, resampled with its own end before it and its start behind it."""
    if rate == audio.sample_rate:
        return audio
    # A stretch that is whole samples at both rates, so that the loop is cut out exactly.
    common = math.gcd(rate, audio.sample_rate)
    units = math.ceil(WRAP_SECONDS * common)
    before, before_out = units * audio.sample_rate // common, units * rate // common
    wrapped = np.take(audio.samples, np.arange(-before, audio.num_samples + before), axis=1, mode="wrap")
    resampled = resample(audio.with_samples(wrapped), rate).samples
    length = round(audio.num_samples * rate / audio.sample_rate)
    return audio.with_samples(resampled[:, before_out : before_out + length], rate)
