"""The songbook of a piece: which of the genre's progressions each section has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import Genre, Progression
from tunesmith.composer.rng import chance_of, choice_for, rng_for
from tunesmith.composer.theory import Chord, Key, Meter
from tunesmith.composer.writing.harmony.roman import parse_progression

USES: Mapping[str, str] = {
    "A": "verse", "B": "chorus", "drop": "chorus", "bridge": "bridge", "break": "verse", "build": "bridge",
    "intro": "intro", "outro": "ending", "ending": "ending",
}  # fmt: skip
RECALLS: Mapping[str, str] = {"intro": "A", "outro": "A", "ending": "A", "break": "A", "build": "B", "drop": "B"}
# How much rarer a progression is that its section would cut, and how much commoner one that fills a blues chorus.
CUT, CHORUS = 0.25, 4.0
CHORUS_BARS = 12
PHRASE_BARS = 4
# How much commoner a progression is that repeats with every phrase.
SHORT = 2.0
# Bars from which a section has room for a whole theme: a shorter one is the beginning of a longer one.
WHOLE_BARS = 8
# How much commoner a progression is in another mode for each share of its roots that stay.
KINSHIP = 1e4
# Sections that may have the chords of the verse.
SAME = frozenset({"B", "drop"})
DEGREES = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
"""Semitones above the tonic → degree of the scale."""
ORDER = ("I", "II", "III", "IV", "V", "VI", "VII")
MAJOR_TRIADS = ("I", "ii", "iii", "IV", "V", "vi", "bVII")
MINOR_TRIADS = ("i", "iiø", "III", "iv", "V", "VI", "VII")
"""The chord of each degree."""
_NUMERAL = re.compile(r"[b#]?(?P<degree>VII|VI|IV|V|III|II|I)[^ |]*", re.IGNORECASE)
NAMES = ("A", "B", "bridge", "drop", "C", "D", "break", "build", "intro", "outro", "ending")
"""All sections, in the order in which they choose their progressions."""
LOOPING: Mapping[str, float] = {
    "pop": 0.6, "electronic": 0.6, "dance": 0.6, "hip_hop": 0.7, "rock": 0.45, "folk": 0.45, "orchestral": 0.6,
    "ambient": 0.7, "piano": 0.5, "soul": 0.4, "reggae": 0.6,
}  # fmt: skip
"""How often the second theme has the chords of the first, by genre family."""
LOOPING_SHARE = 0.25
# Sections in which the ear learns the tonic.
HOME_NAMES = frozenset({"A", "intro", "drop"})


@dataclass(frozen=True, slots=True)
class Setting:
    """The musical context of the harmony.

    ``own_mode`` is the mode that the piece would have by itself, where the request or another mood changed it.
    """

    genre: Genre
    key: Key
    meter: Meter
    mood: Mood
    loop: bool
    own_mode: str = ""


def chosen_progressions(setting: Setting, lengths: Mapping[str, int], seed: int) -> dict[str, Progression]:
    """Choose one progression per section name; a name that recalls another section shares its chords.

    ``lengths`` are the bars of the sections. Where the mode is not the piece's own, progressions win whose roots are
    those of the own ones, so that the tune over them stays.
    """
    own: Mapping[str, Progression] = {}
    if setting.own_mode and setting.own_mode != setting.key.mode:
        plain = replace(setting, key=Key(setting.key.tonic, setting.own_mode), own_mode="")
        own = chosen_progressions(plain, lengths, seed)
    chosen: dict[str, Progression] = {}
    suited = _suited(setting)
    # Every name, in one order, so that a section that comes or goes changes no other.
    for name in dict.fromkeys((*NAMES, *sorted(lengths))):
        share = LOOPING.get(setting.genre.family, LOOPING_SHARE)
        # One progression for most of the piece: the ear knows it by the second section.
        if name in SAME and chance_of(rng_for(seed, "same progression", name), share):
            chosen[name] = chosen["A"]
        elif name in RECALLS and all(p.use != USES.get(name, "any") for p in suited):
            chosen[name] = chosen[RECALLS[name]]
        else:
            fresh, weights = _weighed(setting, suited, chosen, name, lengths.get(name, 0))
            if name in own:
                weights = [w * KINSHIP ** _kinship(setting, p, own[name]) for w, p in zip(weights, fresh, strict=True)]
            chords = choice_for(seed, "progression", name, options=[p.chords for p in fresh], weights=weights)
            chosen[name] = next(p for p in fresh if p.chords == chords)
    return chosen


def _weighed(
    setting: Setting, suited: Sequence[Progression], chosen: Mapping[str, Progression], name: str, bars: int
) -> tuple[list[Progression], list[float]]:
    """Return the progressions that a section may have, with their weights."""
    use = USES.get(name, "any")
    options = [p for p in suited if p.use == use] + [p for p in suited if p.use == "any"] or list(suited)
    # Two sections with the same chords would not contrast.
    fresh = [p for p in options if p not in chosen.values()] or options
    weights = [
        p.weight
        * (2.0 if p.use == use else 1.0)
        * (_tonic_weight(p, setting.key) if name in HOME_NAMES else 1.0)
        * _room(p, max(bars, WHOLE_BARS))
        for p in fresh
    ]
    return fresh, weights


def _kinship(setting: Setting, progression: Progression, own: Progression) -> float:
    """Return the share of bars whose first chord has the degree that the own progression has there."""
    roots = [
        [_degree(bar[0], key) for bar in parse_progression(one.chords, key)]
        for one, key in ((progression, setting.key), (own, Key(setting.key.tonic, setting.own_mode)))
    ]
    bars = max(map(len, roots))
    mine, theirs = ([row[index % len(row)] for index in range(bars)] for row in roots)
    return sum(a == b for a, b in zip(mine, theirs, strict=True)) / bars


def _degree(chord: Chord, key: Key) -> int:
    """Return the degree of a root, 0 to 6: the third is the same one in major and minor."""
    return DEGREES[(chord.root - key.tonic) % 12]


def _room(progression: Progression, bars: int) -> float:
    """Return how much a section of so many bars prefers a progression."""
    length = progression.chords.count("|") + 1
    if length == bars == CHORUS_BARS:
        return CHORUS
    if bars % length:
        return CUT
    return SHORT if length <= PHRASE_BARS else 1.0


def _tonic_weight(progression: Progression, key: Key) -> float:
    """Return how clearly a progression establishes the tonic: by opening on it and returning to it."""
    bars = parse_progression(progression.chords, key)
    share = sum((chord.root == key.tonic) / len(bar) for bar in bars for chord in bar) / len(bars)
    return (2.0 if bars[0][0].root == key.tonic else 1.0) * (0.5 + share)


def _suited(setting: Setting) -> Sequence[Progression]:
    every, key, usual = setting.genre.harmony.progressions, setting.key, tuple(setting.genre.modes)
    exact = [p for p in every if key.mode in (p.modes or usual)]
    if exact:
        return exact
    # Without a progression for the mode itself, one for a mode with the same third fits.
    same_third = [p for p in every if any(Key(0, mode).is_minor == key.is_minor for mode in p.modes or usual)]
    return same_third or [_parallel(p, key) for p in every]


def _parallel(progression: Progression, key: Key) -> Progression:
    """Return a progression of another mode on the same degrees: bluegrass that somebody wants in E minor."""
    triads = MINOR_TRIADS if key.is_minor else MAJOR_TRIADS
    chords = _NUMERAL.sub(lambda numeral: triads[ORDER.index(numeral["degree"].upper())], progression.chords)
    return progression.model_copy(update={"chords": chords, "modes": (key.mode,)})
