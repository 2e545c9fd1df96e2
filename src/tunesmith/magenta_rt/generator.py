"""The Magenta RealTime generator: request -> stream of frames -> audio."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio import Audio, Spool
from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.finished_stream import FinishedStream
from tunesmith.generator import (
    CancelCheck,
    MusicStream,
    NoteSheet,
    Progress,
    ProgressCallback,
    never_cancelled,
    no_progress,
)  # fmt: skip
from tunesmith.live_stream import LiveSettings, LiveStream
from tunesmith.magenta_rt.conditioning import FrameControls
from tunesmith.magenta_rt.frame_sources import steady
from tunesmith.magenta_rt.licence_file import MADE_WITH
from tunesmith.magenta_rt.loops import fade_into_loop
from tunesmith.magenta_rt.performances import perform_sheet
from tunesmith.magenta_rt.plan_blocks import blocks_of
from tunesmith.magenta_rt.request_mapping import StreamPlan, bar_seconds, prepare_request
from tunesmith.magenta_rt.streamed_music import StreamedMusic
from tunesmith.neural.step_progress import StepProgress
from tunesmith.postprocess import postprocess, wanted_rate
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest
from tunesmith.source_recordings import model_metadata

if TYPE_CHECKING:
    from tunesmith.magenta_rt.open_model import MagentaModel

ModelFactory = Callable[[Path, int], "MagentaModel"]
"""A function that opens the model of a folder for a number of batch rows."""


class MagentaGenerator:
    """A generator for the model in ``folder``; it opens the model at the first request and keeps it.

    ``name``, ``licence`` and ``digest`` go into the metadata of the result. Safe to use from several threads, whose
    streams then share the batch.
    """

    def __init__(
        self, folder: Path, *, name: str, licence: str, digest: str, model_factory: ModelFactory | None = None
    ) -> None:  # fmt: skip
        self._folder = folder
        # These fields are the same for every result.
        self._about = {"model": name, "made_with": MADE_WITH, "licence": licence, "model_digest": digest}
        self._model_factory = model_factory or _open_with_defaults
        self._model: MagentaModel | None = None
        self._opening = threading.Lock()

    @property
    def longest_performance(self) -> float:
        """The longest piece that the model can perform, in seconds; see PerformingGenerator."""
        return MAX_DURATION_SECONDS

    def load(self, num_rows: int = 1) -> int:
        """Open the model ahead of the first request; return how many requests fit at once. See BatchingGenerator."""
        return max(1, min(num_rows, self._opened(num_rows).engine.num_rows))

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Generate the audio of a request; see Generator. Raises QueueFull if too many requests wait."""
        if cancelled():
            raise GenerationCancelled
        progress(Progress("loading the model", 0.0))
        model = self._opened()
        plan = self._plan(request, model)
        spool = Spool(model.architecture.codec.audio_channels)
        for block in self._blocks(plan, model, progress, cancelled):
            spool.append(block)
        audio = Audio.from_spool(spool, model.architecture.codec.sample_rate)
        if plan.loop_seconds is not None:
            audio = _loop(audio, plan, plan.loop_seconds, request)
        finished, warnings = postprocess(audio, request)
        progress(Progress("done", 1.0))
        return finished.with_metadata(**self._metadata(request, plan, warnings))

    def stream(
        self, request: GenerationRequest, progress: ProgressCallback = no_progress,
        cancelled: CancelCheck = never_cancelled,
    ) -> Iterator[Audio]:  # fmt: skip
        """Yield the audio block by block during generation; the joined blocks equal the result of ``generate``.

        A loop comes at its end. Closing the iterator early frees the rows in the batch. Raises the same errors as
        ``generate``, and InvalidRequest for an option that needs the whole audio.
        """
        if request.loudness_lufs is not None:
            raise InvalidRequest("loudness_lufs", "is measured over the whole piece, which a stream does not have")
        if request.loop:
            yield self.generate(request, progress, cancelled)
            return
        music = self.start_stream(request, progress, cancelled)
        try:
            for block in music.blocks():
                yield Audio(block, music.sample_rate, music.metadata)
        finally:
            music.close()

    def start_stream(
        self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck
    ) -> MusicStream:
        """Start to make the music of a request; see StreamingGenerator.

        A loop and a piece of given loudness are made as a whole first.
        """
        if request.loop or request.loudness_lufs is not None:
            return FinishedStream(self.generate(request, progress, cancelled))
        model = self._opened()
        plan = self._plan(request, model)
        shape = model.architecture.codec
        rate = wanted_rate(request, shape.sample_rate)
        return StreamedMusic(
            self._blocks(plan, model, progress, cancelled), (shape.sample_rate, shape.audio_channels),
            (rate, 1 if request.mono else shape.audio_channels), plan.num_samples, self._metadata(request, plan, ()),
        )  # fmt: skip

    def open_live(self, settings: LiveSettings, seed: int) -> LiveStream:
        """Start a live stream; see LiveGenerator."""
        from tunesmith.magenta_rt.live import MagentaLiveStream

        return MagentaLiveStream(self._opened(), settings, seed)

    def perform(
        self, request: GenerationRequest, sheet: NoteSheet, seeds: Sequence[int], progress: ProgressCallback,
        cancelled: CancelCheck,
    ) -> Sequence[Audio]:  # fmt: skip
        """Return a performance of the notes for each seed, in their order; see PerformingGenerator."""
        model = self._opened(len(seeds))
        rate = model.architecture.codec.sample_rate
        return [
            Audio.from_spool(played.spool, rate, self._metadata(request, played.plan, ()))
            for played in perform_sheet(model, request, sheet, seeds, progress, cancelled)
        ]

    def _plan(self, request: GenerationRequest, model: MagentaModel) -> StreamPlan:
        plan = prepare_request(request, model.architecture)
        tokens = model.style.tokens(plan.text)
        if tokens.num_cut:
            read = len(tokens.ids) + tokens.num_cut
            plan.warnings.append(
                f"prompt: the last {tokens.num_cut} of {read} tokens were left out; the model reads no more"
            )
        return plan

    def _blocks(
        self, plan: StreamPlan, model: MagentaModel, progress: ProgressCallback, cancelled: CancelCheck
    ) -> Generator[Samples]:
        controls = FrameControls(style=model.encode_prompt(plan.text, plan.seed))
        report = StepProgress(progress)
        yield from blocks_of(plan, model, model.sources(steady(controls), plan.masked), report, cancelled)

    def _opened(self, num_rows: int = 1) -> MagentaModel:
        # Two first requests at once must not load the model twice.
        with self._opening:
            if self._model is None:
                self._model = self._model_factory(self._folder, num_rows)
            return self._model

    def _metadata(self, request: GenerationRequest, plan: StreamPlan, warnings: tuple[str, ...]) -> Mapping[str, Any]:
        return model_metadata(
            request, self._about, seed=plan.seed, settings=plan.settings, warnings=(*plan.warnings, *warnings)
        )


def _open_with_defaults(folder: Path, num_rows: int) -> MagentaModel:
    # ONNX Runtime takes long to import, so it is loaded only now.
    from tunesmith.magenta_rt.open_model import open_model

    return open_model(folder, num_rows)


def _loop(audio: Audio, plan: StreamPlan, seconds: float, request: GenerationRequest) -> Audio:
    """Return the loop of a sound; its seam and tempo go into the settings of the plan, what is heard into warnings."""
    loop = fade_into_loop(audio, seconds, request.tempo_bpm, lambda tempo: bar_seconds(request, tempo))
    plan.settings["loop_seam"] = {"score": round(loop.seam.score, 3)}
    if loop.tempo_bpm is not None:
        plan.settings["loop_tempo_bpm"] = loop.tempo_bpm
    elif request.tempo_bpm is not None:
        plan.warnings.append(f"loop: {request.tempo_bpm:g} bpm were not found in the music; the joint is off the bar")
    if loop.seam.is_audible:
        plan.warnings.append("loop: its seam may be heard")
    return loop.audio
