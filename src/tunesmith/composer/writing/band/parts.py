"""The arrangement around requested instruments: they carry the piece, the other players make room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre, GenrePart
from tunesmith.composer.instruments import instrument
from tunesmith.composer.writing.band.ensemble import Ensemble, has_word, kin, leads_readily

ASKED_DB, LEAD_DB, BASS_DB = 3.0, 4.0, 5.0
# Beside other named instruments: drums are prominent anyway.
ASKED_DRUMS_DB = 1.5
BEHIND_DB: Mapping[str, float] = {
    "melody": -4, "counter": -5, "arpeggio": -4, "chords": -3, "pad": -3, "bass": -2, "drone": -3,
    "drums": -3, "percussion": -5, "effects": -4,
}  # fmt: skip
"""The gain of players that the prompt does not name, by role, in dB."""
GENTLE_DRUMS_DB = -5.0
"""The further gain of drums as the mood goes from lively to calm, in dB: cymbals mask every other sound."""
# How well instruments lead that can also accompany (see ensemble.LEADING).
CHORDAL = 2
# Named instruments that play from the very start; the others enter soon.
OPENING = 2
SOON = 0.3
SHORT_SECONDS = 25.0
FILLING = ("chords", "pad", "bass", "drums", "arpeggio", "drone", "counter", "percussion", "melody", "effects")
HARMONY = frozenset({"chords", "arpeggio", "pad", "drone"})
RHYTHM = frozenset({"bass", "drums", "percussion"})
PASSIVE = frozenset({"block", "pulse", "rolled", "hits", ""})
BEST_REGISTERS: Mapping[str, int] = {
    "cello": 57, "viola": 65, "contrabass": 45, "trombone": 56, "bassoon": 53, "french_horn": 60, "tuba": 43,
    "baritone_sax": 52, "tenor_sax": 60, "alto_sax": 65, "clarinet": 68, "trumpet": 69, "muted_trumpet": 69,
    "brass_section": 67, "english_horn": 64, "ukulele": 69, "banjo": 66, "acoustic_guitar": 66, "nylon_guitar": 66,
    "jazz_guitar": 66, "clean_guitar": 66, "overdriven_guitar": 66, "distorted_guitar": 64, "electric_piano": 68,
    "organ": 67, "sitar": 61, "koto": 69, "shamisen": 64, "lute": 65, "harp": 70, "vibraphone": 70, "marimba": 67,
    "shakuhachi": 70, "kalimba": 70,
}  # fmt: skip
"""The pitch around which a named instrument leads best: its most characteristic register."""
STRING_QUARTET = (("melody", "violin", 76), ("counter", "viola", 64), ("arpeggio", "violin", 67), ("bass", "cello", 48))


@dataclass(frozen=True, slots=True)
class PartAssignment:
    """A part of the genre with the instrument that plays it; ``asked`` where the user named that instrument.

    ``gain_db`` is added to the part's own; ``entry`` is the latest energy at which it may enter, None for the part's
    own.
    """

    part: GenrePart
    instrument: str
    asked: bool = False
    gain_db: float = 0.0
    entry: float | None = None


def led(seats: Sequence[PartAssignment], company: Ensemble, genre: Genre) -> list[PartAssignment]:
    """Give the melody to a named instrument that can carry it; no other player leads then."""
    able = company.leads
    # A voice, a guitar or a synth leads only in genres that have a melody at all.
    if not able or (leads_readily(able[0]) == 1 and not _has_melody(genre)):
        return list(seats)
    first = [name for name in able if leads_readily(name) == leads_readily(able[0])]
    lead = next((s for s in seats if s.part.role == "melody" and any(kin(name, s.instrument) for name in first)), None)
    others = [seat for seat in seats if seat.part.role != "melody"]
    if lead is None:
        others = [s for s in others if not (s.instrument == able[0] and s.part.role == "counter")]
        lead = PartAssignment(_melody_part(genre, able[0]), able[0])
    doubles = [s for s in seats if s.part.role == "melody" and s.asked and s.instrument != lead.instrument]
    played = {seat.instrument for seat in others}
    doubles = [s for s in doubles if s.instrument not in played or leads_readily(s.instrument) > CHORDAL]
    return [replace(lead, asked=True), *doubles, *others]


def arranged(seats: Sequence[PartAssignment], company: Ensemble) -> list[PartAssignment]:
    """Bring the named players to the front, and move the others back or leave them out."""
    seats = list(seats)
    if not any(seat.asked for seat in seats) and not company.size:
        return seats
    if company.size == len(STRING_QUARTET) and "strings" in company.named:
        # A string quartet has fixed parts, whatever the genre.
        return [PartAssignment(_part(role, name, register), name) for role, name, register in STRING_QUARTET]
    if company.alone:
        seats = _alone(seats)
    elif company.size:
        seats = _counted(seats, company.size)
    else:
        seats = [seat for i, seat in enumerate(seats) if _stays(seat, seats, company) and not _repeats(seats, i)]
    return _balanced(seats, company)


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


def lead_register(seat: PartAssignment, usual: int) -> int:
    """Return the register of a named lead, the usual one for every other player."""
    return BEST_REGISTERS.get(seat.instrument, usual) if seat.asked and seat.part.role == "melody" else usual


def _stays(seat: PartAssignment, seats: Sequence[PartAssignment], company: Ensemble) -> bool:
    """Return whether a player plays beside the named ones."""
    role = seat.part.role
    if seat.asked or role in ("bass", "drone") or not company.named:
        return True
    # Where only drums or effects are named, the rest of the band still has to make the music.
    tuneful = any(s.asked and s.part.role not in RHYTHM and s.part.role != "effects" for s in seats)
    if not tuneful or company.is_lively:
        return True
    if role == "percussion" and company.genre_family == "world":
        return not company.is_calm
    if role in ("counter", "arpeggio", "melody", "percussion"):
        return role == "melody" and not any(s.asked and s.part.role == "melody" for s in seats)
    if role in HARMONY:
        asked_harmony = any(s.asked and s.part.role in ("chords", "arpeggio", "pad") for s in seats)
        first = next(s for s in seats if s.part.role in HARMONY)
        return (not asked_harmony and seat is first) or (not company.is_calm and seat is first)
    return role == "drums" if company.needs_drums else not company.is_calm


def _repeats(seats: Sequence[PartAssignment], index: int) -> bool:
    """Return whether a named instrument already plays this role."""
    seat = seats[index]
    return seat.asked and any(s.instrument == seat.instrument and s.part.role == seat.part.role for s in seats[:index])


def _alone(seats: Sequence[PartAssignment]) -> list[PartAssignment]:
    """Keep the named players; a lone monophonic instrument gets a soft pad under it."""
    named = [seat for seat in seats if seat.asked]
    if not named or any(s.part.role in HARMONY | {"bass", "drums", "percussion"} for s in named):
        return named or list(seats)
    tool = instrument(named[0].instrument)
    # A polyphonic soloist accompanies itself, like a pianist's left hand.
    if tool.polyphony > 2:
        return [*named, PartAssignment(_part("chords", tool.name, 55, "arpeggio"), tool.name, asked=True)]
    bed = next((s for role in ("pad", "chords", "drone") for s in seats if s.part.role == role), None)
    return [*named, replace(bed, gain_db=-5.0)] if bed else named


def _counted(seats: Sequence[PartAssignment], size: int) -> list[PartAssignment]:
    """Keep as many instruments as the prompt counts, the named ones first; one of them leads."""
    # Pads and effects are no members of a counted ensemble.
    seats = [seat for seat in seats if seat.asked or seat.part.role not in ("pad", "effects")] or seats
    ranked = sorted(seats, key=lambda seat: (not seat.asked, FILLING.index(seat.part.role)))
    kept = list(dict.fromkeys(seat.instrument for seat in ranked))[:size]
    stay = [seat for seat in seats if seat.instrument in kept]
    tune = next((seat for seat in seats if seat.part.role == "melody"), None)
    if tune is None or any(seat.part.role == "melody" for seat in stay):
        return stay
    able = sorted((name for name in kept if leads_readily(name)), key=lambda name: -leads_readily(name))
    return [replace(tune, instrument=able[0]), *stay] if able else stay


def _balanced(seats: Sequence[PartAssignment], company: Ensemble) -> list[PartAssignment]:
    opening = list(dict.fromkeys(seat.instrument for seat in seats if seat.asked))[:OPENING]
    tuneful = any(seat.asked and seat.part.role not in RHYTHM for seat in seats)
    result = []
    for seat in seats:
        if seat.asked:
            gain = _requested_db(seat.part.role, tuneful)
            result.append(replace(seat, gain_db=gain, entry=0.0 if seat.instrument in opening else SOON))
        else:
            behind = 0.0 if _is_of_a_named_section(seat, company) else _behind_db(seat.part.role, tuneful, company)
            result.append(replace(seat, gain_db=seat.gain_db + behind))
    return result


def _requested_db(role: str, tuneful: bool) -> float:
    if role in ("drums", "percussion"):
        return ASKED_DRUMS_DB if tuneful else ASKED_DB
    return {"melody": LEAD_DB, "arpeggio": LEAD_DB, "bass": BASS_DB}.get(role, ASKED_DB)


def _is_of_a_named_section(seat: PartAssignment, company: Ensemble) -> bool:
    """Return whether the instrument belongs to a named section, or is the section of a named player."""
    return any(name != seat.instrument and kin(name, seat.instrument) for name in company.named)


def _behind_db(role: str, tuneful: bool, company: Ensemble) -> float:
    """Return the gain of a player that the prompt does not name; ``tuneful`` where a named one has melody or chords."""
    gentle = min(1.0, max(0.0, (0.7 - company.arousal) / 0.7)) if tuneful and role in ("drums", "percussion") else 0.0
    return BEHIND_DB[role] + GENTLE_DRUMS_DB * gentle


def _has_melody(genre: Genre) -> bool:
    return any(part.role == "melody" for part in genre.parts)


def _melody_part(genre: Genre, name: str) -> GenrePart:
    part = next((part for part in genre.parts if part.role == "melody"), None)
    return part or _part("melody", name, 72)


def _part(role: str, name: str, register: int, style: str = "") -> GenrePart:
    styles = (style,) if style else ()
    return GenrePart.model_validate({"role": role, "instruments": (name,), "register": register, "style": styles})
