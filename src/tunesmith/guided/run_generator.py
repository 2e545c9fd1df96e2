"""The run of a generator for a request: on its own, or guided by the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.generator import CancelCheck, Generator, ProgressCallback
from tunesmith.request import NEURAL_FIELDS, GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio

NOT_COMPOSED = frozenset({"model", "sample_rate", "mono", *NEURAL_FIELDS})
"""Fields that say nothing about the composition."""


def run_generator(
    generator: Generator, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck
) -> Audio:
    """Generate the audio of a request that has a seed, guided by the composer if it asks for that.

    Raises InvalidRequest for a model that takes no audio, and what the generator raises.
    """
    if request.guide is None:
        return generator.generate(request, progress, cancelled)
    # The analysis takes long to import, and most requests do not need it.
    from tunesmith.guided.guided_run import GuidedRun

    return GuidedRun(generator, request, progress, cancelled).run()


def composition_request(request: GenerationRequest) -> GenerationRequest:
    """Return the composer's request for the guide of a request: its score, stems and notes are those of the guide."""
    fields = {name: getattr(request, name) for name in request.model_fields_set - NOT_COMPOSED}
    return GenerationRequest.checked(**fields)
