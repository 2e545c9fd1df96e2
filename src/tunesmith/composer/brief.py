"""The brief: every musical decision about a request, with the reason for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np

from tunesmith.balance import LevelChange
from tunesmith.composer.rng import choice_for, rng_for
from tunesmith.composer.theory import Key, Meter
from tunesmith.request import Form, Hit


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for the value of one ``field`` of the brief; ``source`` is flag, prompt, meaning, genre or chance."""

    field: str
    value: str
    source: str
    because: str


@dataclass(frozen=True, slots=True)
class Mood:
    """A mood: ``valence`` from −1 (sad, dark) to 1 (happy, bright), ``arousal`` from −1 (calm) to 1 (driving)."""

    valence: float = 0.0
    arousal: float = 0.0

    @property
    def in_words(self) -> str:
        """The mood in two words, such as ``bright, calm``."""
        bright = "bright" if self.valence > 0.25 else "dark" if self.valence < -0.25 else "balanced"
        lively = "lively" if self.arousal > 0.25 else "calm" if self.arousal < -0.25 else "moderate"
        return f"{bright}, {lively}"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Brief:
    """A complete, validated description of the music to write.

    ``tempo_bpm`` counts felt beats (dotted quarters in 6/8). Where ``tempo_is_given`` is false, the writer may move it
    within ``tempo_range`` to meet the duration. ``duration`` is in seconds and exact, or None where ``bars`` at this
    tempo decides. ``instruments`` are the canonical names that the prompt or the flags name; ``without`` holds the
    instruments, instrument families and roles to leave out. ``means`` names what the music is made with (means.yaml),
    which limits the genre and the band. ``production`` and ``ambience`` are names from their tables. ``ending`` is
    "big", "soft", "fade", ``intro`` "none", "short", "long"; both are empty for the genre's own. ``balance`` says who
    plays louder or softer, by the names of ``without`` or for all. ``intensity`` None keeps the energy curve of the
    form.

    ``home`` is the key that the piece has by itself, on whose tonic it is written before it is moved to ``key``; None
    where they are the same. ``usual`` is the mood that it has by itself, where the request asks for another: the hook
    and who plays when are decided by it.
    ``removed`` are those of ``without`` that are taken out of the finished score, so that nothing else changes;
    ``added`` are instruments that join the finished band. ``locks`` are the seeds of decisions that do
    not draw from ``seed``.
    """

    prompt: str
    title: str
    genre: str
    seed: int
    tempo_bpm: float
    tempo_is_given: bool
    tempo_range: tuple[float, float]
    key: Key
    meter: Meter
    duration: float | None
    bars: int | None
    form: Form
    mood: Mood
    instruments: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    means: tuple[str, ...] = ()
    production: frozenset[str] = frozenset()
    ambience: tuple[str, ...] = ()
    ending: str = ""
    intro: str = ""
    balance: tuple[tuple[frozenset[str], LevelChange], ...] = ()
    intensity: float | None = None
    hits: tuple[Hit, ...] = ()
    loudness_lufs: float | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()
    home: Key | None = None
    usual: Mood | None = None
    removed: frozenset[str] = frozenset()
    added: tuple[str, ...] = ()
    locks: Mapping[str, int] = field(default_factory=dict)

    def seed_of(self, decision: str) -> int:
        """Return the seed from which a decision draws."""
        return self.locks.get(decision, self.seed)

    def rng(self, decision: str, *purpose: str | int) -> np.random.Generator:
        """Return the generator of one draw of a decision."""
        return rng_for(self.seed_of(decision), *purpose)

    def choice(
        self, decision: str, *purpose: str | int, options: Sequence[T], weights: Sequence[float] | None = None
    ) -> T:
        """Return the option that a decision draws; see choice_for."""
        return choice_for(self.seed_of(decision), *purpose, options=options, weights=weights)

    @property
    def usual_mood(self) -> Mood:
        """The mood that the piece has by itself."""
        return self.mood if self.usual is None else self.usual

    @property
    def loop(self) -> bool:
        """Whether the end connects seamlessly to the start."""
        return self.form == "loop"

    @property
    def quarters_per_minute(self) -> float:
        """The tempo in quarter notes per minute."""
        return self.tempo_bpm * self.meter.felt_beat

    def explanation(self) -> dict[str, Any]:
        """Return the reasons and warnings as plain JSON values."""
        return {
            "prompt": self.prompt,
            "reasons": [asdict(reason) for reason in self.reasons],
            "warnings": list(self.warnings),
        }
