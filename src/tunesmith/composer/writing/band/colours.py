"""Colours: players that nobody named and no genre lists, who blend a band: a bed under calm pieces, a doubled lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.writing.band.admission import may_join
from tunesmith.composer.writing.band.ensemble import Ensemble
from tunesmith.composer.writing.band.parts import HARMONY, PartAssignment, new_part

DOUBLES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "piano": (("celesta", 12), ("strings", 0), ("glockenspiel", 12)), "felt_piano": (("celesta", 12), ("viola", 0)),
    "bright_piano": (("glockenspiel", 12), ("synth_pluck", 0)), "acoustic_guitar": (("felt_piano", 0), ("flute", 0)),
    "nylon_guitar": (("flute", 0), ("vibraphone", 0)), "clean_guitar": (("felt_piano", 0), ("glockenspiel", 12)),
    "violin": (("flute", 0), ("viola", -12)), "strings": (("french_horn", -12), ("flute", 0)),
    "cello": (("viola", 0), ("french_horn", 0)), "flute": (("clarinet", -12), ("harp", 0)),
    "clarinet": (("flute", 12), ("viola", 0)), "oboe": (("flute", 0), ("clarinet", -12)),
    "fiddle": (("flute", 0), ("acoustic_guitar", 0)), "tin_whistle": (("fiddle", -12), ("harp", -12)),
    "vibraphone": (("electric_piano", 0), ("flute", 0)), "marimba": (("pizzicato_strings", 0), ("flute", 0)),
    "trumpet": (("tenor_sax", -12), ("trombone", -12)), "alto_sax": (("trumpet", 0), ("muted_trumpet", 0)),
    "saw_lead": (("voice_oohs", -12), ("square_lead", -12)), "supersaw": (("synth_pluck", 0), ("fm_bell", 12)),
    "synth_pluck": (("fm_bell", 12), ("glass_pad", 0)), "steel_drum": (("marimba", 0),),
    "glockenspiel": (("piano", -12), ("vibraphone", -12)), "celesta": (("harp", 0), ("vibraphone", 0)),
}  # fmt: skip
"""Lead instrument -> who may double it softly, and how many semitones away."""
DOUBLE_SHARE = 0.4
DOUBLE_DB = -7.0
# The lowest gain that a part may have.
SOFTEST_DB = -24.0
# Section energy from which a double joins, above that of the lead.
DOUBLE_ENTRY = 0.55
FAMILIES = frozenset({"pop", "orchestral", "classical", "folk", "electronic", "dance", "world", "latin", "soul"})
"""Genre families in which leads are doubled."""
BEDS: Mapping[str, int] = {"slow_strings": 3, "strings": 1}
ELECTRONIC_BEDS: Mapping[str, int] = {"warm_pad": 2, "string_pad": 2}
ELECTRONIC = frozenset({"electronic", "dance", "hip_hop", "ambient", "pop"})
BED_SHARE = 0.5
BED_DB = -9.0
BED_ENTRY = 0.35
BED_REGISTER = 60


def with_colours(
    members: Sequence[PartAssignment], company: Ensemble, brief: Brief, genre: Genre
) -> list[PartAssignment]:
    """Add a bed under a calm piece of few named players, or a soft double of a lead that nobody named."""
    if company.alone or company.size or brief.form in ("bed", "sting", "bumper"):
        return list(members)
    extra = [one for one in (_bed(members, company, brief, genre), _double(members, brief, genre)) if one]
    return [*members, *extra]


def _bed(members: Sequence[PartAssignment], company: Ensemble, brief: Brief, genre: Genre) -> PartAssignment | None:
    sustained = any(member.part.role in ("pad", "drone") for member in members)
    harmony = any(member.part.role in HARMONY for member in members)
    if not company.named or not company.is_calm or sustained or not harmony:
        return None
    beds = ELECTRONIC_BEDS if genre.family in ELECTRONIC else BEDS
    options = {name: weight for name, weight in beds.items() if may_join(brief, name, "pad")}
    if not options or not chance_of(brief.rng("band", "bed"), BED_SHARE):
        return None
    name = brief.choice("band", "bed instrument", options=list(options), weights=list(options.values()))
    return PartAssignment(new_part("pad", name, register=BED_REGISTER, gain_db=BED_DB, entry=BED_ENTRY), name)


def _double(members: Sequence[PartAssignment], brief: Brief, genre: Genre) -> PartAssignment | None:
    lead = next((member for member in members if member.part.role == "melody"), None)
    if lead is None or lead.requested or genre.family not in FAMILIES:
        return None
    register = lead.part.register_ or 72
    played = {member.instrument for member in members}
    fitting = [
        (name, shift)
        for name, shift in DOUBLES.get(lead.instrument, ())
        if name not in played
        and may_join(brief, name, "melody")
        and instrument(name).low + 5 <= register + shift <= instrument(name).high - 5
    ]
    if not fitting or not chance_of(brief.rng("band", "double"), DOUBLE_SHARE):
        return None
    name, shift = brief.choice("band", "double instrument", options=fitting)
    entry = max(DOUBLE_ENTRY, lead.part.entry)
    # A second player of the melody plays the notes of the first.
    gain_db = max(SOFTEST_DB, lead.part.gain_db + DOUBLE_DB)
    return PartAssignment(new_part("melody", name, register=register + shift, gain_db=gain_db, entry=entry), name)
