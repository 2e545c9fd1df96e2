"""The ensemble that a prompt implies: whether the named players play alone, and how many play."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instrument
from tunesmith.plain_text import plain_text

_ALONE = re.compile(
    r"\b(solo(?! over)|alone|unaccompanied|only|nothing but|allein|unbegleitet|nur|seule?|sozinh[oa]|s[oó]lo|solista)\b"
    r"|ソロ|独奏|だけ|獨奏|独自"
)
_SIZES: Mapping[int, re.Pattern[str]] = {
    2: re.compile(r"\b(duet|duo|dúo|dueto|duett)\b|二重奏|デュオ|デュエット"),
    3: re.compile(r"\b(trio|trío)\b|三重奏|トリオ"),
    4: re.compile(r"\b(quartet|quartett|cuarteto|quatuor|quarteto|\w+quartett)\b|四重奏|カルテット"),
    5: re.compile(r"\b(quintet|quintett|quinteto|quintette)\b|五重奏|クインテット"),
}
LEADING: Mapping[str, int] = {
    "winds": 5,
    "reeds": 5,
    "brass": 5,
    "strings": 4,
    "mallets": 3,
    "chip": 3,
    "plucked": 2,
    "keys": 2,
    "voices": 1,
    "guitar": 1,
    "synth": 1,
}
"""Families that can carry a melody -> how well they do where several are named."""
UNLED = frozenset({"synth_stab", "synth_arp", "trance_pluck", "tremolo_strings", "orchestra_hit", "muted_guitar"})
SECTIONS = frozenset({"strings", "slow_strings", "brass_section"})
DRUMLESS = frozenset({"folk", "pop", "orchestral", "cinematic", "acoustic", "world", "classical", "ambient"})
"""Genre families whose calm pieces can do without drums."""
# Arousal, −1 to 1.
CALM_BELOW, LIVELY_FROM = 0.0, 0.45


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The ensemble that a prompt asks for.

    ``named`` are the requested instruments; ``alone`` says that only they play; ``size`` is the number of players, 0
    for any.
    """

    named: tuple[str, ...]
    alone: bool
    size: int
    arousal: float
    genre_family: str = ""

    @property
    def is_calm(self) -> bool:
        """Whether players that the prompt does not name should be left out."""
        return self.arousal < CALM_BELOW

    @property
    def needs_drums(self) -> bool:
        """Whether the genre depends on its drums, however calm the mood."""
        return self.genre_family not in DRUMLESS

    @property
    def is_lively(self) -> bool:
        """Whether a full band fits beside the requested instruments."""
        return self.arousal >= LIVELY_FROM

    @property
    def leads(self) -> tuple[str, ...]:
        """The named instruments that can carry a melody, the best first."""
        able = [name for name in self.named if leads_readily(name)]
        return tuple(sorted(able, key=lambda name: -leads_readily(name)))


def company_of(brief: Brief, genre: Genre, cast: Iterable[str] = ()) -> Ensemble:
    """Return the ensemble of a brief: its instruments, those of the ``cast`` that its prompt names, and its size."""
    text = plain_text(brief.prompt).casefold()
    spoken = (name for name in cast if is_spoken_of(brief, name))
    named = tuple(dict.fromkeys((*brief.instruments, *spoken)))
    size = next((count for count, words in _SIZES.items() if words.search(text)), 0)
    # A counted ensemble is never alone.
    alone = bool(named) and not size and _ALONE.search(text) is not None
    return Ensemble(named, alone and not _is_a_solo_with_band(text), size, brief.mood.arousal, genre.family)


def is_spoken_of(brief: Brief, name: str) -> bool:
    """Return whether the prompt names the instrument, even in a genre's name: the piano of a jazz piano trio."""
    # Pads, effects and kits have generic names that a prompt may use in another sense.
    if instrument(name).family in ("pads", "effects", "drums"):
        return name in brief.instruments
    if any(name in other and name != other for other in brief.instruments):
        # The piano of an electric piano.
        return False
    return name in brief.instruments or has_word(brief, (rf"{name.replace('_', ' ')}\b",))


def is_named(brief: Brief, genre: Genre) -> bool:
    """Return whether the prompt names the genre by one of its aliases."""
    text = plain_text(brief.prompt).casefold()
    # Chinese and Japanese write no spaces, so there a word has no boundary.
    return any(
        re.search(rf"\b{re.escape(alias.casefold())}\b" if alias.isascii() else re.escape(alias.casefold()), text)
        for aliases in genre.aliases.values()
        for alias in aliases
    )


def leads_readily(name: str) -> int:
    """Return how well an instrument carries a melody; 0 is not at all."""
    return 0 if name in UNLED else LEADING.get(instrument(name).family, 0)


def kin(name: str, other: str) -> bool:
    """Return whether one is a section and the other plays in it, such as strings and a violin."""
    return name == other or (
        instrument(name).family == instrument(other).family and not SECTIONS.isdisjoint((name, other))
    )


def has_word(brief: Brief, words: Iterable[str]) -> bool:
    """Return whether the prompt has a word that begins with one of ``words`` (regular expressions)."""
    text = plain_text(brief.prompt).casefold()
    return any(re.search(rf"\b{word}", text) for word in words)


def _is_a_solo_with_band(text: str) -> bool:
    """Return whether the solo is one over a band, such as a guitar solo, not an instrument alone."""
    return all(re.search(words, text) for words in (r"\bsolos?\b", r"\b(band|rock|metal|drums|beat)\b"))
