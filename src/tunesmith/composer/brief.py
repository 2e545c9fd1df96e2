"""The brief: what the composer understood from a request, every question answered, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.composer.theory import Key, Meter
from tunesmith.request import Form, Hit


@dataclass(frozen=True, slots=True)
class Reason:
    """Why ``field`` of the brief is what it is: ``source`` is flag, prompt, meaning, genre or chance."""

    field: str
    value: str
    source: str
    because: str


@dataclass(frozen=True, slots=True)
class Mood:
    """``valence`` −1 (sad, dark) to 1 (happy, bright); ``arousal`` −1 (calm) to 1 (driving)."""

    valence: float = 0.0
    arousal: float = 0.0


@dataclass(frozen=True, slots=True)
class Brief:
    """A complete, checked commission.

    ``tempo_bpm`` counts felt beats (dotted quarters in 6/8). Where ``tempo_is_given`` is false the writer may move it
    within ``tempo_range`` to meet the duration. ``duration`` is exact seconds, or None when ``bars`` decides (then at
    the tempo). ``instruments`` are canonical names the prompt or flags asked for; ``without`` holds instrument names,
    instrument families and roles to leave out. ``production`` and ``ambience`` are names from their tables.
    ``intensity`` None means the form's own curve.
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
    production: frozenset[str] = frozenset()
    ambience: tuple[str, ...] = ()
    ending: str = ""  # "big", "soft", "fade" or "" for the genre's own
    intensity: float | None = None
    hits: tuple[Hit, ...] = ()
    loudness_lufs: float | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def loop(self) -> bool:
        """Whether the end must meet the start."""
        return self.form == "loop"

    @property
    def quarters_per_minute(self) -> float:
        """The tempo in quarter notes a minute."""
        return self.tempo_bpm * self.meter.felt_beat

    def explanation(self) -> dict[str, Any]:
        """Return what was understood and why, as plain JSON values."""
        return {
            "prompt": self.prompt,
            "reasons": [asdict(reason) for reason in self.reasons],
            "warnings": list(self.warnings),
        }
