"""The run of a generator for a request: on its own, guided by the composer, or performing what it composes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.generator import CancelCheck, Generator, ProgressCallback
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio


def run_generator(
    generator: Generator, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck
) -> Audio:
    """Generate the audio of a request that has a seed, from a composition if it asks for that.

    Raises InvalidRequest for a model that takes no audio or no notes, and what the generator raises.
    """
    if not request.follows_composer:
        return generator.generate(request, progress, cancelled)
    # The analysis takes long to import, and most requests do not need it.
    if request.perform:
        from tunesmith.performed.performed_run import PerformedRun

        return PerformedRun(generator, request, progress, cancelled).run()
    from tunesmith.guided.guided_run import GuidedRun

    return GuidedRun(generator, request, progress, cancelled).run()
