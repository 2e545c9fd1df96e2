"""The arrangement around requested instruments: they carry the piece, the other players make room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre, GenrePart
from tunesmith.composer.instruments import instrument
from tunesmith.composer.writing.band.ensemble import SECTIONS, Ensemble, has_word, kin, leads_readily

REQUESTED_DB, LEAD_DB, BASS_DB = 3.0, 5.0, 7.0
# Single winds, strings and mallets, which do nothing but lead.
SOLO_DB = 8.0
# Beside other named instruments: drums are prominent anyway.
REQUESTED_DRUMS_DB = 3.0
BEHIND_DB: Mapping[str, float] = {
    "melody": -4, "counter": -5, "arpeggio": -4, "chords": -3, "pad": -3, "bass": -2, "drone": -3,
    "drums": -3, "percussion": -5, "effects": -4,
}  # fmt: skip
"""The gain of players that the prompt does not name, by role, in dB."""
# The share of it for those who make the genre: a samba keeps its drums beside a guitar.
CORE_SHARE = 0.5
GENTLE_DRUMS_DB = -5.0
"""The further gain of drums as the mood goes from lively to calm, in dB: cymbals mask every other sound."""
# How well instruments lead that can also accompany (see ensemble.LEADING).
CHORDAL = 2
# Named instruments that play from the very start; the others enter soon.
OPENING = 2
SOON = 0.3
FILLING = ("chords", "pad", "bass", "drums", "arpeggio", "drone", "counter", "percussion", "melody", "effects")
HARMONY = frozenset({"chords", "arpeggio", "pad", "drone"})
RHYTHM = frozenset({"bass", "drums", "percussion"})
# Semitones by which the calmest music lowers its lead, and those that the instrument keeps below it.
CALM_LOWERS, ROOM_BELOW_LEAD = 5.0, 9
# Voices of an instrument that cannot accompany itself.
MOSTLY_SINGLE = 2
DANCED = frozenset({"dance", "electronic", "hip_hop"})
"""Families of genres whose drums stay as loud as they are, whoever is named: the beat is what they are made of."""
# Families of genres in which named players of a tune play it together.
UNISON = frozenset({"folk"})
PASSIVE = frozenset({"block", "pulse", "rolled", "hits", ""})
BEST_REGISTERS: Mapping[str, int] = {
    "cello": 57, "viola": 65, "contrabass": 45, "trombone": 56, "bassoon": 53, "french_horn": 60, "tuba": 43,
    "baritone_sax": 52, "tenor_sax": 60, "alto_sax": 65, "clarinet": 68, "trumpet": 69, "muted_trumpet": 69,
    "brass_section": 67, "english_horn": 64, "ukulele": 69, "banjo": 66, "acoustic_guitar": 66, "nylon_guitar": 66,
    "jazz_guitar": 66, "clean_guitar": 66, "overdriven_guitar": 66, "distorted_guitar": 64, "electric_piano": 68,
    "organ": 67, "sitar": 61, "koto": 60, "erhu": 67, "shamisen": 62, "lute": 65, "harp": 70, "vibraphone": 70,
    "marimba": 67, "shakuhachi": 70, "kalimba": 70,
}  # fmt: skip
"""The pitch around which a named instrument leads best: its most characteristic register."""
STRING_QUARTET = (("melody", "violin", 76), ("counter", "viola", 64), ("arpeggio", "violin", 67), ("bass", "cello", 48))


@dataclass(frozen=True, slots=True)
class PartAssignment:
    """A part of the genre with the instrument that plays it; ``requested`` where the user named that instrument.

    ``gain_db`` is added to the part's own; ``entry`` is the latest energy at which it may enter, None for the part's
    own.
    """

    part: GenrePart
    instrument: str
    requested: bool = False
    gain_db: float = 0.0
    entry: float | None = None


def new_part(role: str, name: str, **fields: Any) -> GenrePart:
    """Return a part that the genre lacks, for the instrument called ``name``; ``fields`` are others of GenrePart."""
    return GenrePart.model_validate({"role": role, "instruments": (name,), **fields})


def led(members: Sequence[PartAssignment], company: Ensemble, genre: Genre) -> list[PartAssignment]:
    """Give the melody to a named instrument that can carry it; no other player leads then."""
    accompanying = _accompanying(company, genre)
    members = _led_by_others(members, accompanying)
    able = tuple(name for name in company.leads if name not in accompanying)
    # A voice, a guitar or a synth leads only in genres that have a melody at all.
    if not able or (leads_readily(able[0]) == 1 and not _has_melody(genre)):
        return list(members)
    first = [name for name in able if leads_readily(name) == leads_readily(able[0])]
    # A violin may lead for named strings, but strings do not lead for a named cello.
    lead = next(
        (
            s
            for s in members
            if s.part.role == "melody"
            and any(name == s.instrument or (name in SECTIONS and kin(name, s.instrument)) for name in first)
        ),
        None,
    )
    others = [member for member in members if member.part.role != "melody"]
    if lead is None:
        others = [s for s in others if not (s.instrument == able[0] and s.part.role == "counter")]
        lead = PartAssignment(_melody_part(genre, able[0]), able[0])
    # As fiddle and whistle do: a counter-line alone has too few notes for a player that the prompt names.
    unison = [replace(s, part=lead.part) for s in others if genre.family in UNISON and s.requested and _has_a_tune(s)]
    others = [s for s in others if s.instrument not in {one.instrument for one in unison}]
    doubles = [s for s in members if s.part.role == "melody" and s.requested and s.instrument != lead.instrument]
    played = {member.instrument for member in others}
    doubles = [s for s in doubles if s.instrument not in played or leads_readily(s.instrument) > CHORDAL]
    return [replace(lead, requested=True), *doubles, *unison, *others]


def arranged(members: Sequence[PartAssignment], company: Ensemble) -> list[PartAssignment]:
    """Bring the named players to the front, and move the others back or leave them out."""
    members = list(members)
    if not any(member.requested for member in members) and not company.size:
        return members
    if company.size == len(STRING_QUARTET) and "strings" in company.named:
        # A string quartet has fixed parts, whatever the genre.
        return [
            PartAssignment(new_part(role, name, register=register), name) for role, name, register in STRING_QUARTET
        ]
    if company.alone:
        members = _alone(members)
    elif company.size:
        members = _counted(members, company.size)
    else:
        members = [
            member for i, member in enumerate(members) if _stays(member, members, company) and not _repeats(members, i)
        ]
    return _balanced(members, company)


def _accompanying(company: Ensemble, genre: Genre) -> frozenset[str]:
    """Return the named instruments that keep their place in the harmony beside another lead.

    Those are keyboards and guitars in genres of the beat: the organ of reggae and the electric piano of soul are asked
    for their chords.
    """
    if company.alone or company.size or not company.needs_drums:
        return frozenset()
    harmony = {name for part in genre.parts if part.role in HARMONY for name in part.instruments}
    lines = {name for part in genre.parts if part.role == "melody" for name in part.instruments}
    named = {name for name in company.named if name in harmony - lines and leads_readily(name) <= CHORDAL}
    return frozenset(name for name in named if any(not _is_alike(name, other) for other in lines))


def _led_by_others(members: Sequence[PartAssignment], accompanying: frozenset[str]) -> list[PartAssignment]:
    """Let nobody lead who sounds like a named accompanist: a piano beside an electric piano."""
    result = []
    for member in members:
        alike = any(_is_alike(name, member.instrument) for name in accompanying)
        if member.part.role == "melody" and alike and not member.requested:
            others = (o for o in member.part.instruments if not any(_is_alike(name, o) for name in accompanying))
            member = replace(member, instrument=next(others, member.instrument))
        result.append(member)
    return result


def _is_alike(name: str, other: str) -> bool:
    return instrument(name).family == instrument(other).family


def requested_style(brief: Brief, part: GenrePart, name: str, style: str, rhythm: str) -> tuple[str, str]:
    """Return (style, rhythm) of a named chordal instrument: as the prompt says, and never merely held chords."""
    tool = instrument(name)
    if tool.family not in ("guitar", "plucked") or part.role != "chords":
        return style, rhythm
    if has_word(brief, ("strum", "rasgue", "geschrammel")):
        return "strum", ""
    if has_word(brief, ("finger", "pick", "arpegg", "arpeg", "gezupft", "travis", "dedilhad")):
        return "travis" if name != "banjo" else "arpeggio", ""
    if style not in PASSIVE or rhythm:
        return style, rhythm
    active = [known for known in part.style if known not in PASSIVE]
    return (active[0] if active else "arpeggio" if brief.mood.arousal < 0 else "strum"), ""


def lead_register(member: PartAssignment, usual: int, arousal: float) -> int:
    """Return the register of a lead: a named one's best, lower in calm genres; the usual one for other players."""
    if member.part.role != "melody":
        return usual
    if member.requested:
        return BEST_REGISTERS.get(member.instrument, usual)
    tool = instrument(member.instrument)
    # High leads stand out; calm music wants them to blend.
    lower = usual - round(CALM_LOWERS * max(0.0, -arousal))
    return max(lower, min(usual, tool.low + ROOM_BELOW_LEAD))


def _stays(member: PartAssignment, members: Sequence[PartAssignment], company: Ensemble) -> bool:
    """Return whether a player plays beside the named ones."""
    role = member.part.role
    if member.requested or member.part.core or role in ("bass", "drone") or not company.named:
        return True
    # Where only drums or effects are named, the rest of the band still has to make the music.
    tuneful = any(s.requested and s.part.role not in RHYTHM and s.part.role != "effects" for s in members)
    if not tuneful or company.is_lively:
        return True
    if role == "percussion" and company.genre_family == "world":
        return not company.is_calm
    if role in ("counter", "arpeggio", "melody", "percussion"):
        return role == "melody" and not any(s.requested and s.part.role == "melody" for s in members)
    if role in HARMONY:
        requested_harmony = any(s.requested and s.part.role in ("chords", "arpeggio", "pad") for s in members)
        first = next(s for s in members if s.part.role in HARMONY)
        return (not requested_harmony and member is first) or (not company.is_calm and member is first)
    return role == "drums" if company.needs_drums else not company.is_calm


def _repeats(members: Sequence[PartAssignment], index: int) -> bool:
    """Return whether a named instrument already plays this role."""
    member = members[index]
    return member.requested and any(
        s.instrument == member.instrument and s.part.role == member.part.role for s in members[:index]
    )


def _alone(members: Sequence[PartAssignment]) -> list[PartAssignment]:
    """Keep the named players; a lone monophonic instrument gets a soft pad under it."""
    named = [member for member in members if member.requested]
    if not named or any(s.part.role in HARMONY for s in named):
        return named or list(members)
    tool = instrument(named[0].instrument)
    if tool.polyphony <= MOSTLY_SINGLE and any(s.part.role in RHYTHM for s in named):
        return named
    # A polyphonic soloist accompanies itself, like a pianist's left hand.
    if tool.polyphony > MOSTLY_SINGLE:
        return [
            *named,
            PartAssignment(new_part("chords", tool.name, register=55, style=("arpeggio",)), tool.name, requested=True),
        ]
    bed = next((s for role in ("pad", "chords", "drone") for s in members if s.part.role == role), None)
    return [*named, replace(bed, gain_db=-5.0)] if bed else named


def _counted(members: Sequence[PartAssignment], size: int) -> list[PartAssignment]:
    """Keep as many instruments as the prompt counts, the named ones first; one of them leads."""
    # Pads and effects are no members of a counted ensemble.
    members = [
        member for member in members if member.requested or member.part.role not in ("pad", "effects")
    ] or members
    ranked = sorted(members, key=lambda member: (not member.requested, FILLING.index(member.part.role)))
    kept = list(dict.fromkeys(member.instrument for member in ranked))[:size]
    stay = [member for member in members if member.instrument in kept]
    tune = next((member for member in members if member.part.role == "melody"), None)
    if tune is None or any(member.part.role == "melody" for member in stay):
        return stay
    able = sorted((name for name in kept if leads_readily(name)), key=lambda name: -leads_readily(name))
    return [replace(tune, instrument=able[0]), *stay] if able else stay


def _balanced(members: Sequence[PartAssignment], company: Ensemble) -> list[PartAssignment]:
    opening = list(dict.fromkeys(member.instrument for member in members if member.requested))[:OPENING]
    tuneful = any(member.requested and member.part.role not in RHYTHM for member in members)
    leads = any(member.requested and member.part.role == "melody" for member in members)
    result = []
    for member in members:
        if member.requested:
            gain = _requested_db(member, tuneful, leads)
            result.append(replace(member, gain_db=gain, entry=0.0 if member.instrument in opening else SOON))
        else:
            behind = 0.0 if _is_of_a_named_section(member, company) else _behind_db(member.part, tuneful, company)
            result.append(replace(member, gain_db=member.gain_db + behind))
    return result


def _requested_db(member: PartAssignment, tuneful: bool, leads: bool) -> float:
    """Return the gain of a named player; ``leads`` says that a named one has the melody."""
    role = member.part.role
    if role in ("drums", "percussion"):
        return REQUESTED_DRUMS_DB if tuneful else REQUESTED_DB
    lead = SOLO_DB if leads_readily(member.instrument) > CHORDAL and member.instrument not in SECTIONS else LEAD_DB
    return {"melody": lead, "arpeggio": LEAD_DB, "bass": BASS_DB}.get(role, REQUESTED_DB if leads else LEAD_DB)


def _has_a_tune(member: PartAssignment) -> bool:
    return member.part.role == "counter" and leads_readily(member.instrument) > CHORDAL


def _is_of_a_named_section(member: PartAssignment, company: Ensemble) -> bool:
    """Return whether the instrument belongs to a named section, or is the section of a named player."""
    return any(name != member.instrument and kin(name, member.instrument) for name in company.named)


def _behind_db(part: GenrePart, tuneful: bool, company: Ensemble) -> float:
    """Return the gain of a player that the prompt does not name; ``tuneful`` where a named one has melody or chords."""
    role = part.role
    if role == "drums" and company.genre_family in DANCED:
        return 0.0
    if part.core:
        return CORE_SHARE * BEHIND_DB[role]
    gentle = min(1.0, max(0.0, (0.7 - company.arousal) / 0.7)) if tuneful and role in ("drums", "percussion") else 0.0
    return BEHIND_DB[role] + GENTLE_DRUMS_DB * gentle


def _has_melody(genre: Genre) -> bool:
    return any(part.role == "melody" for part in genre.parts)


def _melody_part(genre: Genre, name: str) -> GenrePart:
    part = next((part for part in genre.parts if part.role == "melody"), None)
    return part or new_part("melody", name, register=72)
