"""GenerationRequest: all fields of a request, validated once, read from and written to JSON."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from tunesmith.balance import level_text
from tunesmith.clock_time import seconds as seconds
from tunesmith.errors import InvalidRequest
from tunesmith.fields import (
    MAX_CHARACTERS,
    MAX_ITEMS,
    MAX_NUMBER_CHARACTERS,
    CheckedPrompt,
    Genre,
    GivenFields,
    InstrumentName,
    Key,
    Meter,
    ModelName,
    Mood,
    NegativePrompt,
    Regions,
    checked,
    format_validation_error,
)
from tunesmith.plain_text import path_of, path_text, visible_text
from tunesmith.regions import parse_regions, regions_text
from tunesmith.score_edits import edit_text
from tunesmith.suggestions import did_you_mean

MAX_DURATION_SECONDS = 1_800.0
MIN_DURATION_SECONDS = 1.0
MAX_STEPS = 500
MAX_PERFORMANCES = 8
# A second of 40 ms frames.
MAX_LEAD_FRAMES = 25
MIN_TEMPO_BPM, MAX_TEMPO_BPM = 20.0, 300.0
MIN_LOUDNESS_LUFS, MAX_LOUDNESS_LUFS = -40.0, -8.0
DRAWN_SEEDS = 2**31
"""The exclusive upper bound of drawn seeds."""


def seed_or_drawn(seed: int | None) -> int:
    """Return the seed, or a random one below DRAWN_SEEDS where there is none."""
    return secrets.randbelow(DRAWN_SEEDS) if seed is None else seed


# The largest integer that JSON readers in every language keep exact.
MAX_SEED = 2**53 - 1

NEURAL_FIELDS = (
    "negative_prompt", "guidance_scale", "temperature", "top_k", "top_p", "audio", "melody", "steps", "ending",
    "strength", "schedule", "repaint", "guide", "keep_stems", "perform", "performances", "accompany", "snap_tempo",
    "lead_frames",
)  # fmt: skip
"""Fields of neural models, which the composer does not support."""

NOT_COMPOSED = frozenset({"model", "sample_rate", "mono", *NEURAL_FIELDS})
"""Fields that say nothing about a composition that another model plays."""

UPLOADED = ("audio", "melody", "score")
"""Fields that callers of a server upload as files."""

PATHS = ("soundfont", *UPLOADED)
"""Fields that are local files. They have no aliases, so that no caller can bypass the checks on them."""

OF_PERFORMANCES = ("performances", "accompany", "snap_tempo", "lead_frames")
"""Fields that mean something only where a model performs the notes."""
OF_SCORES = (
    "duration", "bars", "tempo_bpm", "key", "meter", "without", "form", "loop", "production", "ambience", "balance",
    "intro", "hits", "lock", "ending", "snap_tempo", "score_edits",
)  # fmt: skip
"""Fields that a score decides, where there is one."""

Form = Literal["track", "loop", "sting", "bumper", "bed"]

STRENGTHS: Mapping[str, float] = {"redress": 0.6, "reimagine": 0.82, "inspired": 0.92}
"""Strengths of audio-to-audio by name: notes and rhythm stay, only beat and form stay, little stays."""

Ending = Literal["natural", "cut", "big", "soft", "fade"]
"""How a piece ends: for diffusion models by itself, or cut; for the composer big, softly or faded out."""
COMPOSED_ENDINGS = ("big", "soft", "fade")
"""The endings that the composer writes; the others are for diffusion models."""
Intro = Literal["none", "short", "long"]
NoiseSchedule = Literal["monotonic", "reference", "diffusers"]

TEXT_LISTS = (
    "instruments", "without", "production", "ambience", "balance", "keep_stems", "lock",
    "score_edits",
)  # fmt: skip
"""Fields that are lists of texts; people write them as one text with commas."""

LOCKS = ("melody", "chords", "band", "groove", "tempo", "key", "form", "genre", "meter")
"""Decisions that a variation can keep from another seed."""
EDITS_LEFT_OUT = "the edits of the score belong to this seed and are left out; lock chords and form to keep them"
SHARED_LOCKS = ("genre", "meter")
"""Those that every lock keeps."""


ADDING = "+"
"""What begins the name of an instrument that joins those of the prompt."""


def without_plus(name: str) -> str:
    """Return the name of an instrument, whether it joins the others or takes their place."""
    return name.lstrip(f"{ADDING} ")


def lock_name(text: str) -> str:
    """Return the name of a lock, whatever its case; raise ValueError with the nearest name for others."""
    name = visible_text(text).strip().lower()
    if name not in LOCKS:
        raise ValueError(f"must be of {', '.join(LOCKS)}, got {text[:40]!r}{did_you_mean(name, LOCKS)}")
    return name


def lock_of(text: str) -> str:
    """Return a lock, ``melody=7``: a decision, and the seed that it is kept from. Raise ValueError for others."""
    name, _, seed = text.partition("=")
    name, seed = lock_name(name), seed.strip()
    if not seed.isdecimal() or len(seed) > MAX_NUMBER_CHARACTERS or int(seed) > MAX_SEED:
        raise ValueError(
            f"must have the seed from which it is kept, 0 to {MAX_SEED}, such as {name}=7, got {text[:40]!r}"
        )
    return f"{name}={int(seed)}"


def locks_as_texts(locks: Any) -> Any:
    """Return locks given as an object, decision to seed, as texts; anything else for the type to validate."""
    return tuple(f"{name}={seed}" for name, seed in locks.items()) if isinstance(locks, Mapping) else locks


Lock = Annotated[str, Field(max_length=MAX_CHARACTERS["lock"]), AfterValidator(lock_of)]


ScoreEditText = Annotated[str, Field(max_length=MAX_CHARACTERS["score_edits"]), AfterValidator(edit_text)]


def whole_number(text: Any) -> Any:
    """Convert ``"44100"`` to 44100; return anything else unchanged, for the type to validate."""
    # int() takes quadratic time for many digits.
    if not isinstance(text, str) or len(text) > MAX_NUMBER_CHARACTERS or not text.strip().isdecimal():
        return text
    return int(text)


SampleRate = Annotated[
    Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000], BeforeValidator(whole_number)
]

RANDOM_SEED = -1
"""The seed that requests a drawn one, as omitting it does."""


def not_a_truth_value(value: Any) -> Any:
    """Return a value that is not true or false, which Python treats as 1 and 0; raise for these."""
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


def strength_of(value: Any) -> Any:
    """Return the strength that a name stands for; anything else for the type to validate."""
    if not isinstance(value, str):
        return value
    name = visible_text(value).strip().lower().replace("-", "")
    if name and name[0].isalpha() and name not in ("nan", "inf", "infinity"):
        if name not in STRENGTHS:
            raise ValueError(f"must be a number from 0 to 1, or one of {', '.join(STRENGTHS)}, got {value[:40]!r}")
        return STRENGTHS[name]
    return value


def seed_or_none(seed: int) -> int | None:
    """Return None for the seed that requests a drawn one, else the seed."""
    return None if seed == RANDOM_SEED else seed


IS_NUMBER = BeforeValidator(not_a_truth_value)
"""The validator of numbers; it follows the limits, so that the JSON Schema of the field includes them."""


class Hit(GivenFields):
    """A moment at ``time`` seconds on which a bar's first beat must fall; a climax also gets the fullest section."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time: Annotated[float, Field(ge=0, le=MAX_DURATION_SECONDS), BeforeValidator(seconds), IS_NUMBER]
    climax: bool = False

    @classmethod
    def parse(cls, text: str) -> Hit:
        """Parse ``TIME`` or ``TIME=climax``, time as ``12``, ``12.5`` or ``0:12``; raise InvalidRequest."""
        time, _, kind = text.partition("=")
        if kind not in ("", "climax"):
            raise InvalidRequest("hit", f"{text!r} must be TIME or TIME=climax")
        try:
            return cls(time=time, climax=kind == "climax")  # type: ignore[arg-type]  # text is read by the validator
        except ValidationError as error:
            raise InvalidRequest("hit", format_validation_error(error)) from None


FilePath = Annotated[
    Path,
    BeforeValidator(lambda path: path_of(path) if isinstance(path, str) else path),
    PlainSerializer(path_text, return_type=str, when_used="json"),
]
"""A path that survives a round trip through JSON, whatever the bytes of its name."""


class GenerationRequest(GivenFields):
    """Everything a caller may ask for. What is None is the generator's choice.

    Raises InvalidRequest from :meth:`checked`; Pydantic's own ValidationError from the constructor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    EXACT_NAMES = PATHS

    prompt: CheckedPrompt
    model: ModelName = "composer"
    seed: Annotated[int, Field(ge=RANDOM_SEED, le=MAX_SEED), AfterValidator(seed_or_none), IS_NUMBER] | None = None
    duration: (
        Annotated[float, Field(ge=MIN_DURATION_SECONDS, le=MAX_DURATION_SECONDS), BeforeValidator(seconds), IS_NUMBER]
        | None
    ) = None
    bars: Annotated[int, Field(ge=1, le=2_000), IS_NUMBER] | None = None
    tempo_bpm: Annotated[float, Field(ge=MIN_TEMPO_BPM, le=MAX_TEMPO_BPM), IS_NUMBER] | None = None
    key: Key | None = None
    meter: Meter | None = None
    genre: Genre | None = None
    instruments: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["instruments"])] = ()
    without: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["without"])] = ()
    mood: Mood | None = None
    form: Form | None = None
    loop: bool = False
    production: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["production"])] = ()
    ambience: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["ambience"])] = ()
    balance: Annotated[tuple[Annotated[InstrumentName, AfterValidator(level_text)], ...],
                       Field(max_length=MAX_ITEMS["balance"])] = ()  # fmt: skip
    intro: Intro | None = None
    intensity: Annotated[float, Field(ge=0, le=1), IS_NUMBER] | None = None
    hits: Annotated[tuple[Hit, ...], Field(max_length=MAX_ITEMS["hits"])] = ()
    lock: Annotated[tuple[Lock, ...], Field(max_length=MAX_ITEMS["lock"]), BeforeValidator(locks_as_texts)] = ()
    score_edits: Annotated[tuple[ScoreEditText, ...], Field(max_length=MAX_ITEMS["score_edits"])] = ()
    loudness_lufs: Annotated[float, Field(ge=MIN_LOUDNESS_LUFS, le=MAX_LOUDNESS_LUFS), IS_NUMBER] | None = None
    sample_rate: SampleRate = 44100
    mono: bool = False
    soundfont: FilePath | None = None
    negative_prompt: NegativePrompt | None = None
    guidance_scale: Annotated[float, Field(ge=1, le=20), IS_NUMBER] | None = None
    temperature: Annotated[float, Field(ge=0, le=10), IS_NUMBER] | None = None
    top_k: Annotated[int, Field(ge=0, le=2048), IS_NUMBER] | None = None
    top_p: Annotated[float, Field(ge=0, le=1), IS_NUMBER] | None = None
    audio: FilePath | None = None
    melody: FilePath | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS), IS_NUMBER] | None = None
    ending: Ending | None = None
    strength: Annotated[float, Field(ge=0, le=1), BeforeValidator(strength_of), IS_NUMBER] | None = None
    schedule: NoiseSchedule | None = None
    repaint: Annotated[Regions, AfterValidator(lambda text: regions_text(parse_regions(text)))] | None = None
    guide: Literal["composer"] | None = None
    keep_stems: Annotated[tuple[InstrumentName, ...], Field(max_length=MAX_ITEMS["keep_stems"])] = ()
    perform: bool = False
    performances: Annotated[int, Field(ge=1, le=MAX_PERFORMANCES), IS_NUMBER] | None = None
    accompany: bool = False
    snap_tempo: bool = False
    lead_frames: Annotated[int, Field(ge=-MAX_LEAD_FRAMES, le=MAX_LEAD_FRAMES), IS_NUMBER] | None = None
    score: FilePath | None = None

    @field_validator("model", "key", "meter", "genre", "mood", "negative_prompt")
    @classmethod
    def _drop_invisible(cls, text: str | None) -> str | None:
        return None if text is None else visible_text(text)

    @field_validator("instruments", "without", "production", "ambience", "keep_stems")
    @classmethod
    def _drop_invisible_in_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(visible_text, names))

    @model_validator(mode="after")
    def _check_fields_agree(self) -> Self:
        if self.loop and self.form not in (None, "loop"):
            raise ValueError(f"loop: cannot be combined with form {self.form!r}; a loop is its own form")
        # Names are matched regardless of case.
        both = sorted(
            {without_plus(name).lower() for name in self.instruments} & {name.lower() for name in self.without}
        )
        if both:
            raise ValueError(f"without: {both[0]!r} is also in instruments")
        twice = next((name for name in self.locks if sum(lock.startswith(f"{name}=") for lock in self.lock) > 1), None)
        if twice:
            raise ValueError(f"lock: has {twice} more than once")
        self._check_composed()
        if self.duration is not None and self.hits and max(hit.time for hit in self.hits) >= self.duration:
            late = max(hit.time for hit in self.hits)
            raise ValueError(f"hits: must lie before the end at {self.duration:g} s, got {late:g} s")
        return self

    def _check_composed(self) -> None:
        if self.guide and self.perform:
            raise ValueError("perform: cannot go with guide; a model follows either the sound or the notes")
        if self.keep_stems and not self.follows_composer:
            stem = self.keep_stems[0]
            raise ValueError(f"keep_stems: needs guide or perform, whose stems it keeps, got {stem!r} without them")
        decided = next((name for name in OF_SCORES if getattr(self, name) not in (None, False, ())), None)
        if self.score is not None and decided:
            raise ValueError(f"{decided}: cannot go with score, which decides it, got {getattr(self, decided)!s}")
        alone = next((name for name in OF_PERFORMANCES if getattr(self, name) not in (None, False)), None)
        if alone and not self.perform:
            raise ValueError(f"{alone}: needs perform, got {getattr(self, alone)!s} without it")

    @property
    def follows_composer(self) -> bool:
        """Whether the composer writes the piece for another model, which makes its sound."""
        return self.guide is not None or self.perform

    def of_composer(self) -> Self:
        """Return the composer's request for the piece of a request that another model plays."""
        fields = {name: getattr(self, name) for name in self.model_fields_set - NOT_COMPOSED}
        # Big, soft and faded endings are written; the others are the sound's.
        if self.ending in COMPOSED_ENDINGS:
            fields["ending"] = self.ending
        return self.checked(**fields)

    @property
    def locks(self) -> Mapping[str, int]:
        """The locked decisions with the seeds from which they draw."""
        return {name: int(seed) for name, _, seed in (lock.partition("=") for lock in self.lock)}

    def seed_of(self, decision: str) -> int:
        """Return the seed from which a decision draws, one of LOCKS or any other; a request without a seed has 0.

        Genre and meter follow the first lock, where none of their own says otherwise: a hook keeps its style.
        """
        first = next((seed for name, seed in self.locks.items() if name not in SHARED_LOCKS), None)
        otherwise = first if decision in SHARED_LOCKS and first is not None else self.seed or 0
        return self.locks.get(decision, otherwise)

    def keeping(self, decisions: Iterable[str]) -> Self:
        """Return the request with decisions locked to what they are now, so that another seed keeps them.

        Raises InvalidRequest for a name that is not of LOCKS.
        """
        try:
            names = dict.fromkeys(lock_name(name) for name in decisions)
        except ValueError as error:
            raise InvalidRequest("lock", str(error)) from None
        # A hook in another key is another hook.
        implied = ("key",) if not names.keys().isdisjoint(("melody", "chords")) else ()
        kept = dict.fromkeys((*names, *implied, *SHARED_LOCKS)) if names else {}
        return self.model_copy(update={"lock": tuple(f"{name}={self.seed_of(name)}" for name in kept)})

    def of_seed(self, seed: int) -> Self:
        """Return the request for another seed; edits of the score stay only where chords and form are locked."""
        # They are of this seed's piece: bar 5 of another one is another bar.
        is_same = seed == self.seed or {"chords", "form"} <= self.locks.keys()
        return self.model_copy(update={"seed": seed, "score_edits": self.score_edits if is_same else ()})

    @classmethod
    def checked(cls, **fields: Any) -> Self:
        """Return a validated request; raise InvalidRequest with one line that names field, limit and value.

        None means omitted. Fields may have other common names, such as ``bpm`` and ``length``.
        """
        return checked(cls, fields)

    def changed(self, **fields: Any) -> Self:
        """Return the request with other values of some fields, validated; None leaves a field open.

        Raises InvalidRequest as :meth:`checked` does.
        """
        return self.checked(**{**{name: getattr(self, name) for name in self.model_fields_set}, **fields})

    def with_seed(self, drawn: int) -> Self:
        """Return the request unchanged if it has a seed, else with the drawn one."""
        return self if self.seed is not None else self.model_copy(update={"seed": drawn})

    def with_drawn_seed(self) -> Self:
        """Return the request unchanged if it has a seed, else with a random one."""
        return self.with_seed(seed_or_drawn(self.seed))
