"""Mapping of a generation request to what the engine does, with the settings and warnings of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tunesmith.errors import InvalidRequest
from tunesmith.neural.t5_tokenizer import Tokenizer
from tunesmith.plain_text import path_text
from tunesmith.regions import parse_regions
from tunesmith.request import COMPOSED_ENDINGS, MAX_DURATION_SECONDS, GenerationRequest, seed_or_drawn
from tunesmith.stable_audio.architecture import Objective, StableAudioArchitecture
from tunesmith.stable_audio.inpainting import SampleRegion
from tunesmith.stable_audio.latent_writer import WalkSettings
from tunesmith.stable_audio.lengths import HEADROOM_SECONDS, samples_of
from tunesmith.stable_audio.source_audio import SourceAudio, read_source
from tunesmith.text_prompt import ALSO_NEURAL, prompt_text, reject_composer_only_fields

DEFAULT_SECONDS = 30.0
"""The default length; for a continuation, the default length of the new part."""
BEATS_A_BAR = 4
TOKEN_FIELDS = ("temperature", "top_k", "top_p", "melody")
"""Fields of models that sample tokens, such as MusicGen."""
DEFAULTS: Mapping[Objective, tuple[int, float]] = {
    "rf_denoiser": (8, 1.0), "rectified_flow": (50, 7.0), "v": (100, 7.0),
}  # fmt: skip
"""Steps and guidance scale by what the model was trained to predict."""

Task = Literal["text", "audio_to_audio", "continuation", "repaint", "loop"]


@dataclass(frozen=True, slots=True)
class DiffusionRequest:
    """A request as the engine takes it.

    ``regions`` are those of the source to make anew. ``settings`` and ``warnings`` describe the result; the engine
    adds to them what only the generation shows.
    """

    task: Task
    prompt_ids: tuple[int, ...]
    negative_ids: tuple[int, ...] | None
    walk: WalkSettings
    num_samples: int
    headroom: float
    source: SourceAudio | None = None
    regions: tuple[SampleRegion, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def prepare_request(
    request: GenerationRequest, architecture: StableAudioArchitecture, tokenizer: Tokenizer
) -> DiffusionRequest:
    """Map a request.

    Raises InvalidRequest for options this model cannot honour, and AudioFileError for a recording that cannot be read.
    """
    check_fields(request)
    task, warnings = _task(request, architecture), list[str]()
    walk = _walk(request, architecture, warnings)
    prompt_ids = _tokens("prompt", prompt_text(request), tokenizer, warnings)
    negative = (request.negative_prompt or "").strip()
    negative_ids = (
        _tokens("negative_prompt", negative, tokenizer, warnings) if negative and walk.guidance_scale != 1 else None
    )
    source = None
    if request.audio is not None:
        longest = architecture.max_seconds if task == "audio_to_audio" else MAX_DURATION_SECONDS
        source = read_source(request.audio, architecture, longest)
    seconds = _seconds(request, task, source, architecture)
    num_samples = samples_of(seconds, architecture.sample_rate)
    headroom = 0.0 if request.ending == "natural" else HEADROOM_SECONDS
    regions = _regions(request, task, source, num_samples, architecture.sample_rate)
    settings = _settings(request, task, seconds, walk)
    return DiffusionRequest(
        task, prompt_ids, negative_ids, walk, num_samples, headroom, source, regions, settings, warnings
    )


def check_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that no model of Stable Audio has."""
    reject_composer_only_fields(request, supported=ALSO_NEURAL)
    if request.ending in COMPOSED_ENDINGS:
        raise InvalidRequest("ending", f"must be natural or cut for {request.model}, got {request.ending!r}")
    for name in TOKEN_FIELDS:
        value = getattr(request, name)
        if value is not None:
            raise InvalidRequest(
                name, f"only MusicGen and Magenta RealTime models support it, not {request.model}, got {str(value)!r}"
            )


def _task(request: GenerationRequest, architecture: StableAudioArchitecture) -> Task:
    """Return what a request asks for; raise InvalidRequest for fields that exclude each other."""
    if request.strength is not None and request.repaint is not None:
        raise InvalidRequest("strength", "cannot go with repaint, which makes its regions anew; give only one")
    for name in ("strength", "repaint"):
        if getattr(request, name) is not None and request.audio is None:
            raise InvalidRequest(name, "needs the recording that it changes, in the field audio")
    if request.schedule == "diffusers":
        _check_diffusers(request, architecture)
    elif request.schedule is not None and request.strength is None:
        raise InvalidRequest("schedule", f"is for audio with a strength, got {request.schedule!r} without one")
    if request.loop and request.audio is not None:
        raise InvalidRequest("loop", "cannot go with audio: a loop is made from the prompt")
    if request.loop and request.ending == "natural":
        raise InvalidRequest("ending", "cannot be natural for a loop, which has no end")
    if request.strength is not None:
        return "audio_to_audio"
    tasks: dict[Task, bool] = {
        "repaint": request.repaint is not None, "continuation": request.audio is not None, "loop": request.loop,
    }  # fmt: skip
    task: Task = next((name for name, wanted in tasks.items() if wanted), "text")
    if task != "text" and not architecture.diffusion.local_width:
        name = "audio" if task == "continuation" else task
        raise InvalidRequest(name, f"{request.model} cannot fill in parts of a sound; Stable Audio 3 models can")
    return task


def _check_diffusers(request: GenerationRequest, architecture: StableAudioArchitecture) -> None:
    if architecture.objective != "v":
        raise InvalidRequest("schedule", f"diffusers is for Stable Audio Open 1.0, not for {request.model}")
    if request.strength is not None:
        problem = "diffusers cannot go with strength: it adds audio to noise at full level, where it hardly counts"
        raise InvalidRequest("schedule", problem)


def _walk(request: GenerationRequest, architecture: StableAudioArchitecture, warnings: list[str]) -> WalkSettings:
    steps, guidance = DEFAULTS[architecture.objective]
    is_distilled = architecture.objective == "rf_denoiser"
    if request.guidance_scale is not None:
        guidance = request.guidance_scale
        if is_distilled and architecture.is_stable_audio_3 and guidance != 1:
            warnings.append(f"guidance_scale: {request.model} is distilled and has no use for guidance; it is left out")
            guidance = 1.0
    if request.negative_prompt and guidance == 1:
        reason = "is distilled and has no use for it" if is_distilled else "has a use for it only with guidance above 1"
        warnings.append(f"negative_prompt: {request.model} {reason}; it is left out")
    return WalkSettings(
        # A seed is drawn here, not in the engine, so that the result can state it and be repeated.
        seed_or_drawn(request.seed),
        request.steps or steps, guidance, request.strength, request.schedule or "monotonic",
    )  # fmt: skip


def _tokens(name: str, text: str, tokenizer: Tokenizer, warnings: list[str]) -> tuple[int, ...]:
    tokens = tokenizer.encode(text)
    if tokens.num_cut:
        read = len(tokens.ids) + tokens.num_cut
        warnings.append(f"{name}: the last {tokens.num_cut} of {read} tokens were left out; the model reads no more")
    return tokens.ids


def _seconds(
    request: GenerationRequest, task: Task, source: SourceAudio | None, architecture: StableAudioArchitecture
) -> float:
    """Return the length of the result in seconds; raise InvalidRequest if the model cannot have it."""
    given = _wanted_seconds(request, task)
    if source is None:
        seconds = min(DEFAULT_SECONDS, architecture.max_seconds) if given is None else given
    elif task == "continuation":
        seconds = min(source.duration + DEFAULT_SECONDS, MAX_DURATION_SECONDS) if given is None else given
        if seconds <= source.duration:
            problem = f"must be longer than the {source.duration:.5g} s of audio that it begins with, got {seconds:.5g}"
            raise InvalidRequest("duration", problem)
    else:
        seconds = source.duration if given is None else given
        if seconds > source.duration or (task == "repaint" and given is not None and seconds != source.duration):
            relation = "at most" if task == "audio_to_audio" else "left out or"
            raise InvalidRequest(
                "duration", f"must be {relation} the audio's {source.duration:.5g} s, got {seconds:.5g}"
            )
    longest = MAX_DURATION_SECONDS if task in ("continuation", "repaint") else architecture.max_seconds
    if task == "text" and architecture.diffusion.local_width:
        longest = MAX_DURATION_SECONDS
    # The longest piece is a whole number of latents, a sample's fraction from a round number of seconds.
    if seconds > longest + 0.01:
        raise InvalidRequest(
            "duration", f"must be at most {longest:.5g} s for {_what(task, request)}, got {seconds:.5g}"
        )
    return seconds


def _what(task: Task, request: GenerationRequest) -> str:
    return f"a loop of {request.model}" if task == "loop" else request.model


def _wanted_seconds(request: GenerationRequest, task: Task) -> float | None:
    """Return the asked length in seconds: of bars, or of whole bars for a loop with a tempo."""
    beats = int(request.meter.split("/")[0]) if request.meter and request.meter[0].isdecimal() else BEATS_A_BAR
    if request.bars is None:
        if task != "loop" or request.tempo_bpm is None:
            return request.duration
        bar = beats * 60 / request.tempo_bpm
        asked = DEFAULT_SECONDS if request.duration is None else request.duration
        return max(1, round(asked / bar)) * bar
    if request.tempo_bpm is None:
        raise InvalidRequest("bars", f"need a tempo for {request.model}: tempo_bpm, on the command line --bpm")
    if request.duration is not None:
        raise InvalidRequest("bars", "cannot go with duration; give only one of them")
    return request.bars * beats * 60 / request.tempo_bpm


def _regions(
    request: GenerationRequest, task: Task, source: SourceAudio | None, num_samples: int, sample_rate: int
) -> tuple[SampleRegion, ...]:
    if source is None or task == "audio_to_audio":
        return ()
    if task == "continuation":
        return (SampleRegion(source.num_samples, num_samples),)
    regions = parse_regions(request.repaint or "")
    for region in regions:
        if region.end > source.duration + 0.5 / sample_rate:
            raise InvalidRequest("repaint", f"must lie within the audio's {source.duration:.5g} s, got {region}")
    return tuple(
        SampleRegion(samples_of(region.start, sample_rate), min(samples_of(region.end, sample_rate), num_samples))
        for region in regions
    )


def _settings(request: GenerationRequest, task: Task, seconds: float, walk: WalkSettings) -> dict[str, Any]:
    role = {"audio_to_audio": "changed", "continuation": "continued", "repaint": "repainted"}.get(task)
    described = {
        "text": prompt_text(request),
        "negative_prompt": request.negative_prompt if walk.guidance_scale != 1 else None,
        "duration": seconds,
        "steps": walk.steps,
        "guidance_scale": walk.guidance_scale,
        "ending": request.ending or "cut",
        "strength": walk.strength,
        "schedule": request.schedule if walk.strength is None else walk.schedule,
        "repaint": request.repaint,
        "loop": True if task == "loop" else None,
        "bars": request.bars,
        "loudness_lufs": request.loudness_lufs,
    } | ({role: path_text(request.audio)} if role and request.audio else {})
    return {name: value for name, value in described.items() if value is not None}
