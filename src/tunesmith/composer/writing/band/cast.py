"""The cast: which instrument takes a seat of the band, by seed and mood, from the genre's own and their neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import GenrePart
from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import choice_for

NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "piano": ("felt_piano",), "felt_piano": ("piano",), "bright_piano": ("piano",),
    "electric_piano": ("fm_electric_piano", "felt_piano"), "acoustic_guitar": ("nylon_guitar", "clean_guitar"),
    "nylon_guitar": ("acoustic_guitar",), "clean_guitar": ("jazz_guitar", "acoustic_guitar"),
    "muted_guitar": ("clean_guitar", "nylon_guitar"), "overdriven_guitar": ("clean_guitar",),
    "jazz_guitar": ("clean_guitar", "nylon_guitar"), "ukulele": ("nylon_guitar",),
    "fiddle": ("acoustic_guitar", "nylon_guitar", "flute"), "harmonica": ("acoustic_guitar", "clean_guitar"),
    "mandolin": ("nylon_guitar", "acoustic_guitar", "harp"), "banjo": ("acoustic_guitar", "nylon_guitar"),
    "accordion": ("flute", "strings"), "bagpipe": ("cello",), "tin_whistle": ("flute",),
    "violin": ("viola", "strings", "clarinet", "flute"), "oboe": ("clarinet", "flute", "english_horn"),
    "cello": ("viola", "french_horn"), "trumpet": ("muted_trumpet",),
    "alto_sax": ("tenor_sax",), "tenor_sax": ("alto_sax",),
    "glockenspiel": ("vibraphone", "celesta", "kalimba"), "xylophone": ("marimba", "vibraphone"),
    "celesta": ("vibraphone", "music_box", "kalimba"), "music_box": ("celesta", "kalimba"),
    "strings": ("slow_strings",), "slow_strings": ("strings",), "saw_lead": ("sine_lead", "synth_pluck", "fm_lead"),
    "square_lead": ("sine_lead", "fm_lead"), "synth_arp": ("synth_pluck",), "synth_pluck": ("synth_arp", "fm_bell"),
    "warm_pad": ("string_pad", "glass_pad"), "string_pad": ("warm_pad",), "sweep_pad": ("warm_pad",),
    "dark_pad": ("warm_pad", "choir_pad"), "glass_pad": ("warm_pad", "string_pad"), "finger_bass": ("fretless_bass",),
    "pick_bass": ("finger_bass",), "double_bass": ("finger_bass",), "saw_bass": ("fm_bass", "pluck_bass"),
    "standard_kit": ("room_kit",), "room_kit": ("standard_kit",), "brush_kit": ("jazz_kit",),
}  # fmt: skip
"""Instruments that can take each other's seat; those of a soloist blend better than the soloist does."""
SOFT = frozenset({"felt_piano", "slow_strings", "muted_trumpet", "fretless_bass", "french_horn", "viola"})
"""Neighbours that only calm music takes."""
# Arousal up to which music is calm enough for them.
SOFT_UP_TO = 0.25
OPEN_FAMILIES = frozenset({"pop", "folk", "orchestral", "ambient", "electronic", "hip_hop", "piano", "soul", "rock"})
"""Genre families whose sound allows neighbours; others, such as Latin or classical music, keep to their own."""
# How much less likely a neighbour is than what the genre names.
NEIGHBOUR_SHARE = 0.3
SOLOISTS: Mapping[str, float] = {
    "fiddle": 0.4, "harmonica": 0.3, "mandolin": 0.35, "banjo": 0.4, "accordion": 0.5, "bagpipe": 0.3,
    "tin_whistle": 0.5, "glockenspiel": 0.5, "xylophone": 0.4, "violin": 0.6, "oboe": 0.6, "trumpet": 0.7,
    "saw_lead": 0.7, "recorder": 0.7,
}  # fmt: skip
"""How likely instruments that stand out are to lead where nobody named them: background music blends."""
SOLOIST_NEIGHBOUR_SHARE = 0.7
# How likely an instrument that leads already is to have a second tune.
TAKEN_SHARE = 0.15
BRIGHTNESS: Mapping[str, float] = {
    "felt_piano": -1.0, "electric_piano": -0.5, "piano": -0.1, "bright_piano": 0.8, "house_piano": 0.9,
    "honky_tonk_piano": 0.6, "harpsichord": 0.6, "nylon_guitar": -0.7, "acoustic_guitar": 0.0, "clean_guitar": 0.1,
    "jazz_guitar": -0.5, "muted_guitar": 0.4, "overdriven_guitar": 0.7, "distorted_guitar": 1.0, "ukulele": 0.5,
    "mandolin": 0.6, "banjo": 0.9, "harp": -0.4, "cello": -0.8, "viola": -0.7, "violin": 0.1, "fiddle": 0.6,
    "strings": 0.0, "slow_strings": -0.7, "tremolo_strings": 0.5, "pizzicato_strings": 0.5, "clarinet": -0.5,
    "flute": -0.2, "oboe": -0.2, "english_horn": -0.7, "recorder": 0.2, "tin_whistle": 0.6, "piccolo": 0.9,
    "french_horn": -0.5, "trumpet": 0.8, "muted_trumpet": -0.2, "trombone": 0.2, "brass_section": 0.9,
    "alto_sax": 0.3, "tenor_sax": 0.0, "harmonica": 0.3, "accordion": 0.4, "vibraphone": -0.5, "marimba": 0.2,
    "celesta": -0.3, "music_box": -0.3, "kalimba": -0.2, "glockenspiel": 0.6, "xylophone": 0.9, "voice_oohs": -0.5,
    "choir": 0.1, "sine_lead": -0.7, "fm_lead": 0.4, "saw_lead": 0.8, "square_lead": 0.6, "supersaw": 1.0,
    "synth_pluck": 0.3, "synth_arp": 0.5, "synth_stab": 0.7, "synth_brass": 0.8, "fm_bell": -0.2, "warm_pad": -0.6,
    "dark_pad": -0.4, "glass_pad": -0.1, "sweep_pad": 0.4, "string_pad": -0.1, "choir_pad": -0.2,
    "sub_bass": -0.4, "finger_bass": -0.2, "fretless_bass": -0.5, "double_bass": -0.3, "pick_bass": 0.6,
    "slap_bass": 0.8, "saw_bass": 0.7, "acid_bass": 0.9, "fm_bass": 0.4, "pluck_bass": 0.2, "brush_kit": -0.9,
    "jazz_kit": -0.4, "room_kit": 0.0, "standard_kit": 0.2, "power_kit": 0.9, "electronic_kit": 0.4,
    "tr909_kit": 0.6, "tr808_kit": 0.1, "lofi_kit": -0.5,
}  # fmt: skip
"""How bright and forceful instruments sound, −1 soft to 1 bright."""
# How strongly the mood weighs: at full arousal, the brightest is e^2.4 times as likely as the softest.
MOOD_WEIGHT = 1.2
LEADS = frozenset({"melody", "counter"})
# How much likelier optional players are in lively pieces than in calm ones.
LIVELY_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in the band: its ``part``, a ``key`` for its draws, and what the brief says about the piece.

    ``genre_named`` says that the prompt names the genre itself, so that its own sound matters most; ``taken`` are the
    instruments that lead already, ``asked`` those of the part that the prompt names.
    """

    part: GenrePart
    key: str
    seed: int
    mood: Mood
    genre_named: bool = False
    taken: frozenset[str] = frozenset()
    asked: tuple[str, ...] = ()

    @property
    def leads(self) -> bool:
        """Whether the player has a tune."""
        return self.part.role in LEADS

    def fit(self, name: str) -> float:
        """Return how well an instrument fits the mood and the other leads, as a weight."""
        tone = 0.65 * self.mood.arousal + 0.35 * self.mood.valence
        again = TAKEN_SHARE if self.leads and name in self.taken else 1.0
        return again * math.exp(MOOD_WEIGHT * tone * BRIGHTNESS.get(name, 0.0))


def cast_seat(seat: Seat, allowed: Sequence[str], known: Sequence[str]) -> str:
    """Return the instrument of a seat: one of ``allowed``, the genre's own, or a neighbour among ``known``.

    Seats with the same list of instruments of one family take the same one: it is one player's instrument.
    """
    one_player = _is_one_player(allowed)
    if one_player:
        allowed = [name for name in allowed if name in seat.asked] or allowed
    weights: dict[str, float] = {}
    for name in allowed:
        weights[name] = weights.get(name, 0.0) + _soloist_share(seat, name) * seat.fit(name)
    key = "+".join(sorted(set(allowed))) if one_player else seat.key
    name = choice_for(seat.seed, "seat", key, options=list(weights), weights=list(weights.values()))
    near = [other for other in NEIGHBOURS.get(name, ()) if other in known and _plays(seat, name, other)]
    # What the brief names, it names on purpose.
    if not near or one_player or name in seat.asked:
        return name
    blends = seat.leads and name in SOLOISTS and not seat.genre_named
    share = SOLOIST_NEIGHBOUR_SHARE if blends else NEIGHBOUR_SHARE
    options = [seat.fit(name) * (1 - share), *(share * seat.fit(other) / len(near) for other in near)]
    return choice_for(seat.seed, "neighbour", seat.key, options=(name, *near), weights=options)


def _soloist_share(seat: Seat, name: str) -> float:
    share = SOLOISTS.get(name, 1.0) if seat.leads else 1.0
    return share**0.5 if seat.genre_named else share


def presence(part: GenrePart, mood: Mood) -> float:
    """Return the probability that the band has this player: fuller bands where the mood is lively."""
    if part.chance >= 1:
        return 1.0
    return min(0.95, max(0.05, part.chance + LIVELY_SHARE * mood.arousal))


def _is_one_player(allowed: Sequence[str]) -> bool:
    return len(set(allowed)) > 1 and {instrument(name).family for name in allowed} == {"keys"}


def _plays(seat: Seat, name: str, other: str) -> bool:
    """Return whether ``other`` can play the part of ``name``: its register, and the same kind of sound."""
    part, tool = seat.part, instrument(other)
    calm, same = seat.mood.arousal <= SOFT_UP_TO, tool.family == instrument(name).family
    # A lead may change its family in calm music; in the accompaniment, a bass stays a bass and a pluck a pluck.
    if (other in SOFT and not calm) or (not same and not (seat.leads and calm)):
        return False
    # A slow attack would swallow the notes of an arpeggio.
    if (part.role in ("chords", "pad", "arpeggio") and tool.polyphony < 3) or (
        part.role == "arpeggio" and tool.family == "pads"
    ):
        return False
    return part.register_ is None or tool.low + 3 <= part.register_ <= tool.high - 3
