"""Roman numerals: progressions such as ``ii9 | V13 | Imaj9 | vi7`` as chords of a key."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from tunesmith.composer.theory import CHORD_QUALITIES, MODES, Chord, Key

_NUMERAL = re.compile(r"^([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)$")
_DEGREES: Mapping[str, int] = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5, "VII": 6}
_ACCIDENTALS: Mapping[str, int] = {"": 0, "b": -1, "#": 1}
_SIGNS: Mapping[str, str] = {
    "ø": "m7b5", "ø7": "m7b5", "°": "dim", "°7": "dim7", "o": "dim", "o7": "dim7", "+": "aug", "+7": "7#5",
}  # fmt: skip
_MINOR: Mapping[str, str] = {"": "m", "13": "m11", "69": "m6", "maj9": "mmaj7", "maj7": "mmaj7", "7b5": "m7b5"}
# III, VI and VII of natural minor are flat already: bVII is VII.
FLAT_IN_MINOR = frozenset({2, 5, 6})
BASS_OF_DOMINANT = frozenset({"I", "II", "VII"})


@functools.lru_cache(maxsize=4096)
def parse_numeral(text: str, key: Key) -> Chord:
    """Return the chord of a numeral: ``V7/ii``, ``bVIImaj7``, ``viiø``, ``I/III``; raise ValueError for others."""
    numeral, _, below = text.partition("/")
    if not below:
        return _chord(numeral, key)
    if _is_secondary(numeral, below, key):
        target = _chord(below, key)
        minor = CHORD_QUALITIES[target.quality][1] == 3
        # The dominant of a minor chord comes from harmonic minor, which has the leading tone.
        return _chord(numeral, Key(target.root, "harmonic minor" if minor else "major"))
    chord = _chord(numeral, key)
    return Chord(chord.root, chord.quality, _root(below, key))


def parse_progression(text: str, key: Key) -> tuple[tuple[Chord, ...], ...]:
    """Return a progression as bars, separated by ``|``, each a tuple of chords; raise ValueError for others."""
    return tuple(tuple(parse_numeral(word, key) for word in bar.split()) for bar in text.split("|"))


def _match(text: str) -> tuple[str, str, str]:
    match = _NUMERAL.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a Roman numeral such as ii9, bVIImaj7 or V7/ii")
    return match[1], match[2], match[3]


def _root(text: str, key: Key) -> int:
    accidental, numeral, _ = _match(text)
    degree = _DEGREES[numeral.upper()]
    scale = MODES["minor"] if key.is_minor else MODES["major"]
    shift = 0 if key.is_minor and accidental == "b" and degree in FLAT_IN_MINOR else _ACCIDENTALS[accidental]
    if key.mode == "harmonic minor" and numeral == "vii" and not accidental:
        # The leading-tone chord of a secondary dominant: vii°/ii.
        return (key.tonic + 11) % 12
    return (key.tonic + scale[degree] + shift) % 12


def _chord(text: str, key: Key) -> Chord:
    _, numeral, suffix = _match(text)
    return Chord(_root(text, key), _quality(numeral, suffix, text))


def _quality(numeral: str, suffix: str, text: str) -> str:
    if suffix in _SIGNS:
        return _SIGNS[suffix]
    names = (_MINOR.get(suffix, ""), f"m{suffix}", suffix) if numeral.islower() else (suffix,)
    for name in names:
        if name in CHORD_QUALITIES and (name or numeral.isupper()):
            return name
    raise ValueError(f"{text!r}: {suffix!r} is not a chord quality")


def _is_secondary(numeral: str, below: str, key: Key) -> bool:
    """Return whether ``V7/ii`` is a dominant of ii, not a chord over another bass as in ``I/III`` and ``V/VII``."""
    accidental, degree, suffix = _match(numeral)
    if accidental or degree not in ("V", "vii") or (degree == "vii" and suffix not in _SIGNS):
        return False
    if degree == "V" and not suffix and below in BASS_OF_DOMINANT:
        return key.is_minor and below == "VII"
    return below.upper() != "I"
