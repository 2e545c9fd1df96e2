"""The blocks of sound of a plan: its stream in the engine, cut to its length, with progress."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from tunesmith.audio.spool import Samples
from tunesmith.generator import CancelCheck
from tunesmith.magenta_rt.frame_sources import FrameSources
from tunesmith.magenta_rt.request_mapping import StreamPlan
from tunesmith.magenta_rt.sequence import FrameRequest
from tunesmith.magenta_rt.streamed_music import sound_blocks

if TYPE_CHECKING:
    from tunesmith.magenta_rt.open_model import MagentaModel


def blocks_of(
    plan: StreamPlan, model: MagentaModel, sources: FrameSources, report: Callable[[int, int], None],
    cancelled: CancelCheck,
) -> Generator[Samples]:  # fmt: skip
    """Yield the samples of a plan, with progress in frames."""
    guidance = (plan.guidance,) * len(plan.masked)
    frame_size = model.architecture.codec.frame_size
    stream = model.engine.open(FrameRequest(sources, plan.seed, plan.num_frames, plan.draws, guidance))
    report(0, plan.num_frames)

    def on_block(num_samples: int) -> None:
        report(min(plan.num_frames, -(-num_samples // frame_size) + 1), plan.num_frames)

    yield from sound_blocks(stream, plan.num_samples, cancelled, on_block)
