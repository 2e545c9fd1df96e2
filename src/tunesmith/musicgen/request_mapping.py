"""Mapping of a generation request to a sequence request, with the settings and warnings of the result."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.audio_prompts import chroma_of_windows, read_continued, read_melody
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.runner import Samples
from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.musicgen.sequence import ChromaOfWindow, SequenceRequest
from tunesmith.neural.t5_tokenizer import Tokenizer
from tunesmith.plain_text import path_text
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest, seed_or_drawn
from tunesmith.text_prompt import prompt_text, reject_composer_only_fields, reject_stable_audio_only_fields

DEFAULT_SECONDS = 10.0
"""The default length; for a continuation, the default length of the new part."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request as the engine takes it: ``num_samples`` of the sequence are kept, ``settings`` describe it."""

    sequence: SequenceRequest
    num_samples: int
    settings: dict[str, Any]
    warnings: tuple[str, ...]


def prepare_request(request: GenerationRequest, engine: Engine) -> PreparedRequest:
    """Map a request to a sequence.

    Raises InvalidRequest for options this model cannot honour, and AudioFileError for a recording that cannot be read.
    """
    check_fields(request)
    if request.melody and engine.architecture.chroma is None:
        problem = f"{request.model} does not support melodies; use a melody model such as musicgen-melody"
        raise InvalidRequest("melody", problem)
    warnings: list[str] = []
    prompt_ids = _tokens("prompt", prompt_text(request), engine.tokenizer, warnings)
    negative = (request.negative_prompt or "").strip()
    # An empty text would still encode to an end token, and the unconditional row must be zeros then.
    negative_ids = _tokens("negative_prompt", negative, engine.tokenizer, warnings) if negative else ()
    recording = read_continued(request.audio, engine.architecture) if request.audio else None
    seconds = _seconds(request, recording, engine)
    given = None if recording is None else engine.codec.encode(recording)
    # Round away float error first: 10 s times 50 Hz must not become 501 frames.
    frames = math.ceil(round(seconds * engine.architecture.frame_rate, 6))
    # A seed is drawn here, not in the engine, so that the result can state it and be repeated.
    sequence = SequenceRequest(
        prompt_ids, frames, seed_or_drawn(request.seed),
        sampler_settings(request), negative_ids, given, _melody(request, frames, engine),
    )  # fmt: skip
    num_samples = round(seconds * engine.architecture.codec.sample_rate)
    settings = _settings(request, seconds, sequence)
    settings["codes"] = (frames - sequence.given_frames) * engine.architecture.decoder.num_codebooks
    return PreparedRequest(sequence, num_samples, settings, tuple(warnings))


def check_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that no MusicGen model has."""
    reject_composer_only_fields(request)
    reject_stable_audio_only_fields(request)


def _tokens(field: str, text: str, tokenizer: Tokenizer, warnings: list[str]) -> tuple[int, ...]:
    tokens = tokenizer.encode(text)
    if tokens.num_cut:
        read = len(tokens.ids) + tokens.num_cut
        warnings.append(f"{field}: the last {tokens.num_cut} of {read} tokens were cut; the model reads no more")
    return tokens.ids


def _seconds(request: GenerationRequest, recording: Samples | None, engine: Engine) -> float:
    given_seconds = 0.0 if recording is None else recording.shape[1] / engine.architecture.codec.sample_rate
    if request.duration is None:
        return min(given_seconds + DEFAULT_SECONDS, MAX_DURATION_SECONDS)
    if given_seconds >= request.duration:
        problem = f"must be longer than the {given_seconds:g} s of audio that it begins with, got {request.duration:g}"
        raise InvalidRequest("duration", problem)
    return request.duration


def _melody(request: GenerationRequest, frames: int, engine: Engine) -> ChromaOfWindow | None:
    if request.melody is None:
        return None
    architecture = engine.architecture
    melody = read_melody(request.melody, architecture)
    # audiocraft cuts the melody to windows only where the piece is longer than one.
    return chroma_of_windows(melody, architecture, one_window=frames <= architecture.window_frames)


def _settings(request: GenerationRequest, seconds: float, sequence: SequenceRequest) -> dict[str, Any]:
    described = {
        "text": prompt_text(request),
        "negative_prompt": request.negative_prompt,
        "duration": seconds,
        **asdict(sequence.settings),
        "continued": path_text(request.audio) if request.audio else None,
        "melody": path_text(request.melody) if request.melody else None,
        "loudness_lufs": request.loudness_lufs,
    }
    return {name: value for name, value in described.items() if value is not None}


SAMPLER_FIELDS = ("temperature", "top_k", "top_p", "guidance_scale")


def sampler_settings(request: GenerationRequest) -> SamplerSettings:
    """Return the sampler settings, with the model's defaults for fields that are None."""
    settings = {field: getattr(request, field) for field in SAMPLER_FIELDS}
    return SamplerSettings(**{field: value for field, value in settings.items() if value is not None})
