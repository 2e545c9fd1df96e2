"""GenerationRequest: everything a caller may ask for, checked once, read from and written to JSON."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from tunesmith.errors import InvalidRequest
from tunesmith.field_limits import (
    MAX_CHARACTERS,
    MAX_ITEMS,
    MAX_NUMBER_CHARACTERS,
    Genre,
    InstrumentName,
    Key,
    Meter,
    ModelName,
    NegativePrompt,
    check_paragraphs,
)
from tunesmith.path_text import path_of, path_text
from tunesmith.plain_text import visible_text
from tunesmith.suggestions import did_you_mean_field

MAX_PROMPT_CHARACTERS = MAX_CHARACTERS["prompt"]
MAX_RAW_PROMPT_CHARACTERS = 2 * MAX_PROMPT_CHARACTERS
"""How long a prompt may be before it is normalised, which takes the square of the length of a run of accents."""

MAX_DURATION_SECONDS = 1_800.0
MIN_DURATION_SECONDS = 1.0
MIN_TEMPO_BPM, MAX_TEMPO_BPM = 20.0, 300.0
MAX_SEED = 2**53 - 1  # the largest integer that JSON readers in every language keep exact

ONLY_MUSICGEN = ("negative_prompt", "guidance_scale", "temperature", "top_k", "top_p", "audio", "melody")
"""Fields of a request that the composer cannot grant."""

Form = Literal["track", "loop", "sting", "bumper", "bed"]


def whole_number(text: Any) -> Any:
    """Turn ``"44100"`` into 44100; anything else is passed on for the type to judge."""
    if not isinstance(text, str) or len(text) > MAX_NUMBER_CHARACTERS or not text.strip().isdecimal():
        return text
    return int(text)


SampleRate = Annotated[
    Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000], BeforeValidator(whole_number)
]

LIMITS: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "string_unicode": "must be text in UTF-8",
    "string_too_long": "must be at most {max_length} characters",
    "string_too_short": "must be at least {min_length} characters",
    "too_long": "must be at most {max_length} items",
    "literal_error": "must be {expected}",
    "extra_forbidden": "is not a field of a request",
    "missing": "is missing",
}
"""How a broken limit is said, by the type of Pydantic's complaint."""

_CLOCK = re.compile(r"^(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)$")


def seconds(text: Any) -> Any:
    """Turn ``"1:02.5"``, ``"62.5"`` or ``"62.5s"`` into seconds; anything else is passed on for the type to judge."""
    if not isinstance(text, str):
        return text
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"must be a number of at most {MAX_NUMBER_CHARACTERS} characters, got {len(text)}")
    text = visible_text(text)
    clock = _CLOCK.match(text.strip())
    if clock:
        hours, minutes, rest = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    return text.strip().removesuffix("s")


class Hit(BaseModel):
    """A moment at ``time`` seconds on which a bar's first beat must fall; a climax also gets the fullest section."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time: Annotated[float, BeforeValidator(seconds), Field(ge=0, le=MAX_DURATION_SECONDS)]
    climax: bool = False

    @classmethod
    def parse(cls, text: str) -> Hit:
        """Read ``TIME`` or ``TIME=climax``, time as ``12``, ``12.5`` or ``0:12``."""
        time, _, kind = text.partition("=")
        if kind not in ("", "climax"):
            raise InvalidRequest("hit", f"{text!r} must be TIME or TIME=climax")
        try:
            return cls(time=time, climax=kind == "climax")  # type: ignore[arg-type]  # text is read by the validator
        except ValidationError as error:
            raise InvalidRequest("hit", one_line(error)) from None


FilePath = Annotated[
    Path,
    BeforeValidator(lambda path: path_of(path) if isinstance(path, str) else path),
    PlainSerializer(path_text, return_type=str, when_used="json"),
]
"""A path that goes through JSON whatever the bytes of its name."""


class GenerationRequest(BaseModel):
    """Everything a caller may ask for. What is None is the generator's choice.

    Raises InvalidRequest from :meth:`checked`; Pydantic's own ValidationError from the constructor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt: Annotated[str, Field(json_schema_extra={"maxLength": MAX_PROMPT_CHARACTERS})]
    model: ModelName = "composer"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    duration: (
        Annotated[float, BeforeValidator(seconds), Field(ge=MIN_DURATION_SECONDS, le=MAX_DURATION_SECONDS)] | None
    ) = None
    bars: Annotated[int, Field(ge=1, le=2_000)] | None = None
    tempo_bpm: Annotated[float, Field(ge=MIN_TEMPO_BPM, le=MAX_TEMPO_BPM)] | None = None
    key: Key | None = None
    meter: Meter | None = None
    genre: Genre | None = None
    instruments: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["instruments"])] = ()
    without: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["without"])] = ()
    form: Form | None = None
    loop: bool = False
    intensity: Annotated[float, Field(ge=0, le=1)] | None = None
    hits: Annotated[tuple[Hit, ...], Field(max_length=MAX_ITEMS["hits"])] = ()
    loudness_lufs: Annotated[float, Field(ge=-40, le=-8)] | None = None
    sample_rate: SampleRate = 44100
    mono: bool = False
    soundfont: FilePath | None = None
    negative_prompt: NegativePrompt | None = None
    guidance_scale: Annotated[float, Field(ge=1, le=20)] | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_k: Annotated[int, Field(ge=0, le=2048)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    audio: FilePath | None = None
    melody: FilePath | None = None

    @field_validator("prompt", mode="before")
    @classmethod
    def _check_raw_prompt(cls, prompt: Any) -> Any:
        if isinstance(prompt, str) and len(prompt) > MAX_RAW_PROMPT_CHARACTERS:
            raise ValueError(f"must be at most {MAX_PROMPT_CHARACTERS} characters, got {len(prompt)}")
        return prompt

    @field_validator("prompt")
    @classmethod
    def _check_prompt(cls, prompt: str) -> str:
        text = unicodedata.normalize("NFC", prompt).strip()
        if len(text) > MAX_PROMPT_CHARACTERS:
            raise ValueError(f"must be at most {MAX_PROMPT_CHARACTERS} characters, got {len(text)}")
        check_paragraphs(text)
        if not any(unicodedata.category(c)[0] in "LN" for c in visible_text(text)):
            raise ValueError(
                "must say something: it is empty" if not text else f"must contain words, got {text[:20]!r}"
            )
        return text

    @field_validator("model", "key", "meter", "genre", "negative_prompt")
    @classmethod
    def _drop_invisible(cls, text: str | None) -> str | None:
        return None if text is None else visible_text(text)

    @field_validator("instruments", "without")
    @classmethod
    def _drop_invisible_in_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(visible_text, names))

    @model_validator(mode="after")
    def _check_wishes_agree(self) -> Self:
        if self.loop and self.form not in (None, "loop"):
            raise ValueError(f"loop: cannot go with form {self.form!r}; a loop is a form of its own")
        both = sorted({name.lower() for name in self.instruments} & {name.lower() for name in self.without})
        if both:
            raise ValueError(f"without: {both[0]!r} is also in instruments")
        if self.duration is not None and self.hits and max(hit.time for hit in self.hits) >= self.duration:
            late = max(hit.time for hit in self.hits)
            raise ValueError(f"hits: must lie before the end at {self.duration:g} s, got {late:g} s")
        return self

    @classmethod
    def checked(cls, **fields: Any) -> Self:
        """Make a request, or raise InvalidRequest with one line that names field, limit and value."""
        try:
            return cls(**fields)
        except ValidationError as error:
            field, _, problem = one_line(error).partition(": ")
            hint = did_you_mean_field(field, cls.model_fields) if field in fields else ""
            raise InvalidRequest(field[:80], problem + (hint if field not in cls.model_fields else "")) from None


def one_line(error: ValidationError) -> str:
    """Put Pydantic's first complaint into one line: ``field: problem, got value``."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{field}: {problem}" if field else problem
    limit = LIMITS.get(first["type"])
    bounds = {
        name: f"{bound:.15g}" if isinstance(bound, float) else bound for name, bound in first.get("ctx", {}).items()
    }
    said = limit.format(**bounds) if limit else problem[0].lower() + problem[1:]
    if first["type"] == "missing":  # Pydantic's input is then all that was given
        return f"{field}: {said}"
    return f"{field}: {said}, got {_shown(first)}"


def _shown(error: Mapping[str, Any]) -> str:
    """Return what was got instead: the number of characters or items where there are too many, else the value, cut."""
    value = error.get("input")
    if error["type"] in ("string_too_long", "too_long") and isinstance(value, Sized):
        return str(len(value))
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return (repr(value) if not isinstance(value, str) else repr(value[:80]))[:80]
