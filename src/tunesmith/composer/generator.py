"""The composer behind the Generator protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.audio import Audio
from tunesmith.composer.composition import CompositionStream, compose
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, Exported, Progress, ProgressCallback
from tunesmith.request import GenerationRequest


class ComposerGenerator:
    """A generator that writes a score from a request and renders it."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Compose and render the music; see Generator."""
        _begin(progress, cancelled)
        return compose(request).mix(progress, cancelled)

    def start_stream(
        self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck
    ) -> CompositionStream:
        """Compose the music and start to render it; see StreamingGenerator."""
        _begin(progress, cancelled)
        return compose(request).stream(progress, cancelled)

    def figure(self, request: GenerationRequest) -> list[list[int]]:
        """Return the melody as a small contour; see FigureGenerator."""
        from tunesmith.composer.score_json import melody_figure

        # Written once more, which takes a fraction of the rendering.
        return melody_figure(compose(request).score)

    def export(
        self,
        request: GenerationRequest,
        path: Path,
        progress: ProgressCallback,
        cancelled: CancelCheck,
        layers: Sequence[float] = (),
    ) -> Exported:
        """Write a MIDI file, the score, the stems or the layers; see ExportingGenerator."""
        from tunesmith.composer.export import export

        _begin(progress, cancelled)
        composition = compose(request)
        export(composition, path, progress, cancelled, layers)
        channels = 1 if composition.playing.mono else 2
        return Exported(composition.score.duration, composition.playing.sample_rate, channels, composition.metadata)


def _begin(progress: ProgressCallback, cancelled: CancelCheck) -> None:
    if cancelled():
        raise GenerationCancelled
    progress(Progress("composing", 0.0))
