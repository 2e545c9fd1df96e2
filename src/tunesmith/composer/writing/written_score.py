"""A written score: the parts before the performance, with all that it takes to play or to rewrite them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.balance import LevelChange
from tunesmith.composer.score import Note
from tunesmith.composer.writing.plan import UNPITCHED, Plan, Player

FOLLOWS = ("chords", "melody", "form", "fixed")
"""What a part follows when the score changes; one that is fixed follows nothing."""
# The swing of even eighths, and the most.
STRAIGHT, LATEST = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How much of the genre's ``groove`` (swing, laid-back players) and ``humanize`` (chance in time and loudness).

    1 is as the genre's players play, 0 is none, 2 is the most.
    """

    groove: float = 1.0
    humanize: float = 1.0


AS_WRITTEN = Interpretation(0.0, 0.0)
"""How a part without an interpretation is played: the notes exactly as written."""


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """The notes of a ``player`` on the grid, with what they ``follow``, one of FOLLOWS, and the name a person gave.

    ``interpretation`` None plays the notes exactly as written. ``transpose`` is in semitones, ``octave`` in octaves.
    ``levels`` are the stretches of the piece that are struck harder or softer.
    """

    player: Player
    notes: tuple[Note, ...]
    follow: str
    name: str = ""
    interpretation: Interpretation | None = Interpretation()
    transpose: int = 0
    octave: int = 0
    levels: tuple[LevelChange, ...] = ()
    mute: bool = False
    solo: bool = False

    @property
    def title(self) -> str:
        """The name that a person gave, or the composer's own."""
        return self.name or self.player.name


@dataclass(frozen=True, slots=True)
class WrittenScore:
    """A plan with its written parts; ``duration`` is in seconds, ``transpose`` in semitones, for the whole piece."""

    plan: Plan
    duration: float
    parts: tuple[WrittenPart, ...]
    transpose: int = 0


def following(role: str) -> str:
    """Return what a part of a role follows: the counter-melody the melody, drums and effects the form alone."""
    if role in UNPITCHED:
        return "form"
    return "melody" if role == "counter" else "chords"


def interpreted(plan: Plan, how: Interpretation) -> Plan:
    """Return the plan with the genre's feel as strong as asked."""
    if how == Interpretation():
        return plan
    feel = plan.genre.feel
    changed = feel.model_copy(
        update={
            "swing": min(LATEST, STRAIGHT + how.groove * (feel.swing - STRAIGHT)),
            "laid_back_ms": how.groove * feel.laid_back_ms,
            "timing_ms": how.humanize * feel.timing_ms,
            "dynamics": min(1.0, how.humanize * feel.dynamics),
        }
    )
    return replace(plan, genre=plan.genre.model_copy(update={"feel": changed}))
