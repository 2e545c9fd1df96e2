"""Mapping of a generation request to a stream of frames, with the settings and warnings of the result."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.codec_stream import LOOK_AHEAD_FRAMES
from tunesmith.magenta_rt.frame_sources import Masked
from tunesmith.neural.sampling import DrawSettings
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest, seed_or_drawn
from tunesmith.text_prompt import (
    ALSO_NEURAL,
    prompt_text,
    reject_composer_only_fields,
    reject_stable_audio_only_fields,
)

DEFAULT_SECONDS = 30.0
BEATS_A_BAR = 4
DRAWS = DrawSettings(temperature=1.1, top_k=50)
"""The defaults of the model's own apps."""
UNSUPPORTED = ("negative_prompt", "audio", "melody")
ONLY_WORDS = ("tempo_bpm", "key", "meter")
OVERLAP_SECONDS, OVERLAP_SHARE = 2.0, 0.01
"""What a loop has beyond its length: the crossfade, and how far its measured tempo may be from the wanted one."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """A request as the engine takes it.

    ``num_frames`` frames of codes give ``num_samples`` samples, of which a loop keeps ``loop_seconds``. ``masked`` are
    the parts that the rows of guidance lack, each of which is moved away from by ``guidance`` times the difference.
    """

    text: str
    seed: int
    draws: DrawSettings
    masked: tuple[Masked, ...]
    guidance: float
    num_frames: int
    num_samples: int
    loop_seconds: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def prepare_request(request: GenerationRequest, architecture: MagentaArchitecture) -> StreamPlan:
    """Map a request. Raises InvalidRequest for options that the model cannot honour, and for one that is too long."""
    check_fields(request)
    seconds = _wanted_seconds(request)
    if seconds > MAX_DURATION_SECONDS:
        raise InvalidRequest("duration", f"must be at most {MAX_DURATION_SECONDS:g} s, got {seconds:.5g} s")
    spare = OVERLAP_SECONDS + OVERLAP_SHARE * seconds if request.loop else 0.0
    num_samples = round((seconds + spare) * architecture.codec.sample_rate)
    guidance = (request.guidance_scale or 1.0) - 1.0
    plan = StreamPlan(
        prompt_text(request), seed_or_drawn(request.seed),
        draw_settings(request), ("style",) if guidance else (), guidance, frames_of(num_samples, architecture),
        num_samples, seconds if request.loop else None,
    )  # fmt: skip
    plan.settings.update(_settings(request, plan, seconds), codes=plan.num_frames * architecture.num_codebooks)
    plan.warnings.extend(
        f"{name}: {request.model} reads it as words only, and may play another"
        for name in ONLY_WORDS
        if getattr(request, name) is not None
    )
    return plan


def check_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that the model does not have."""
    reject_composer_only_fields(request, supported=ALSO_NEURAL)
    reject_stable_audio_only_fields(request)
    for name in UNSUPPORTED:
        value = getattr(request, name)
        if value is not None:
            raise InvalidRequest(name, f"{request.model} does not support it, got {str(value)!r}")


def frames_of(num_samples: int, architecture: MagentaArchitecture) -> int:
    """Return the frames of codes for so many samples."""
    return math.ceil(num_samples / architecture.codec.frame_size) + LOOK_AHEAD_FRAMES


def draw_settings(request: GenerationRequest) -> DrawSettings:
    """Return how codes are drawn, with the model's defaults for fields that are None."""
    given = {name: getattr(request, name) for name in ("temperature", "top_k", "top_p")}
    return replace(DRAWS, **{name: value for name, value in given.items() if value is not None})


def _wanted_seconds(request: GenerationRequest) -> float:
    """Return the length in seconds: of bars, or of whole bars for a loop with a tempo."""
    if request.bars is not None and request.duration is not None:
        raise InvalidRequest("bars", "cannot go with duration; give only one of them")
    if request.bars is not None:
        if request.tempo_bpm is None:
            raise InvalidRequest("bars", f"need a tempo for {request.model}: tempo_bpm, on the command line --bpm")
        return request.bars * bar_seconds(request, request.tempo_bpm)
    seconds = DEFAULT_SECONDS if request.duration is None else request.duration
    if not request.loop or request.tempo_bpm is None:
        return seconds
    bar = bar_seconds(request, request.tempo_bpm)
    return max(1, round(seconds / bar)) * bar


def bar_seconds(request: GenerationRequest, tempo_bpm: float) -> float:
    """Return the length of a bar of the request at a tempo in bpm."""
    beats = int(request.meter.split("/")[0]) if request.meter and request.meter[0].isdecimal() else BEATS_A_BAR
    return beats * 60 / tempo_bpm


def _settings(request: GenerationRequest, plan: StreamPlan, seconds: float) -> dict[str, Any]:
    described = {
        "text": plan.text,
        "duration": seconds,
        "temperature": plan.draws.temperature,
        "top_k": plan.draws.top_k if not plan.draws.top_p else None,
        "top_p": plan.draws.top_p or None,
        "guidance_scale": request.guidance_scale,
        "loop": True if request.loop else None,
        "bars": request.bars,
        "loudness_lufs": request.loudness_lufs,
    }
    return {name: value for name, value in described.items() if value is not None}
