"""The composer as a generator like any other."""

from __future__ import annotations

from tunesmith.audio import Audio
from tunesmith.composer.composition import compose
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, Progress, ProgressCallback
from tunesmith.request import GenerationRequest


class ComposerGenerator:
    """Makes music from a request by writing a score and playing it."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Make the music; see Generator."""
        if cancelled():
            raise GenerationCancelled
        progress(Progress("composing", 0.0))
        return compose(request).mix(progress, cancelled)
