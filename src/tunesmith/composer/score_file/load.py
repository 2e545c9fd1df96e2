"""YAML text → Score, with line, part and beat in every error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.score import (
    AMBIENCES,
    PRODUCTION,
    ROLES,
    Ambience,
    ChordSpan,
    MixSettings,
    Note,
    Part,
    Score,
    Section,
    TempoMap,
)
from tunesmith.composer.score_file.document import SHOWN, ScorePosition, parse_document
from tunesmith.composer.score_file.dump import FORMAT_VERSION
from tunesmith.composer.score_file.notation import Timed, read_chord, read_note
from tunesmith.composer.theory import Key, Meter
from tunesmith.request import MAX_DURATION_SECONDS, MAX_SEED

REQUIRED = ("key", "meter", "tempo", "sections", "parts")
OPTIONAL = ("tunesmith", "title", "prompt", "genre", "seed", "duration", "loop", "form", "mix", "ambience", "chords")
FORMS = ("track", "loop", "sting", "bumper", "bed")
MIX_RANGES: Mapping[str, tuple[float, float]] = {
    "loudness_lufs": (-40, -8),
    "room": (0, 1),
    "hall": (0, 1),
    "side_chain": (0, 1),
    "brightness_db": (-12, 6),
    "width": (0, 1.5),
}
# Notes of a part, or chords: with aliases, a small file could otherwise fill the memory.
MAX_ENTRIES = 200_000
# How long the last notes ring where the document gives no duration.
ENDING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The bars of a document: their number, and the length of each in beats."""

    bars: int
    beats_per_bar: float

    def check(self, bar: str, place: ScorePosition) -> int:
        """Return the number of a bar; raise InvalidScore if the piece has no such bar."""
        if not bar.isdecimal() or len(bar) > SHOWN or not 1 <= int(bar) <= self.bars:
            raise place.mistake(f"bar must be 1 to {self.bars} (the sum of the sections' bars), got {bar[:SHOWN]!r}")
        return int(bar)


def load_score(text: str) -> Score:
    """Return the score of a document; raise InvalidScore, with line, part and beat."""
    fields = parse_document(text).fields(REQUIRED + OPTIONAL, REQUIRED)
    # A later format must be refused, not half understood.
    if "tunesmith" in fields:
        fields["tunesmith"].whole(FORMAT_VERSION, FORMAT_VERSION)
    meter = fields["meter"].read(Meter.parse)
    sections = tuple(_sections(fields["sections"]))
    grid = Grid(sum(section.bars for section in sections), meter.beats_per_bar)
    tempo_map = _tempo_map(fields["tempo"], grid)
    loop = fields["loop"].flag() if "loop" in fields else False
    return Score(
        title=_text(fields, "title", "Untitled"),
        prompt=_text(fields, "prompt", ""),
        genre=_text(fields, "genre", ""),
        seed=fields["seed"].whole(0, MAX_SEED) if "seed" in fields else 0,
        key=fields["key"].read(Key.parse),
        meter=meter,
        tempo_map=tempo_map,
        duration=_duration(fields, tempo_map.seconds_at(grid.bars * grid.beats_per_bar), loop=loop),
        loop=loop,
        form=fields["form"].one_of(FORMS) if "form" in fields else ("loop" if loop else "track"),
        sections=sections,
        chords=tuple(_chords(fields["chords"], grid)) if "chords" in fields else (),
        parts=tuple(_parts(fields["parts"], grid)),
        ambience=tuple(_ambience(fields["ambience"])) if "ambience" in fields else (),
        mix=_mix(fields["mix"]) if "mix" in fields else MixSettings(),
    )


def _text(fields: Mapping[str, ScorePosition], name: str, default: str) -> str:
    return fields[name].text() if name in fields else default


def _duration(fields: Mapping[str, ScorePosition], written: float, *, loop: bool) -> float:
    if "duration" in fields:
        duration = fields["duration"].number(0.1, MAX_DURATION_SECONDS)
        # A loop that is longer or shorter than its bars would not connect.
        if loop and abs(duration - written) > 0.01:
            raise fields["duration"].mistake(f"a loop lasts exactly its bars, {written:.3f} s, got {duration:g} s")
        return duration
    # A piece that ends needs room for its last notes to ring; a loop has none.
    duration = written if loop else written + ENDING_SECONDS
    if duration > MAX_DURATION_SECONDS:
        raise fields["sections"].mistake(f"the piece lasts {duration:.0f} s; the limit is {MAX_DURATION_SECONDS:g} s")
    return duration


def _sections(place: ScorePosition) -> Iterator[Section]:
    bar = 0
    for item in place.items():
        fields = item.fields(("name", "bars", "energy"), ("name", "bars"))
        bars = fields["bars"].whole(1, 10_000)
        energy = fields["energy"].number(0, 1) if "energy" in fields else 0.6
        yield Section(fields["name"].text(), bar, bars, energy)
        bar += bars
    if bar == 0:
        raise place.mistake("sections must hold at least one section")


def _tempo_map(place: ScorePosition, grid: Grid) -> TempoMap:
    if place.is_single:
        return TempoMap(((0.0, place.number(10, 999)),))
    changes = []
    for where, bpm in place.pairs():
        match = re.match(r"^(\d+)(?: beat (\d{1,3}(?:\.\d+)?))?$", where)
        if match is None:
            raise bpm.mistake(f"tempo: {where[:SHOWN]!r} must be a bar such as '5' or '5 beat 3'")
        beat = float(match[2] or 1)
        if not 1 <= beat < grid.beats_per_bar + 1:
            raise bpm.mistake(f"tempo: beat must be 1 to less than {grid.beats_per_bar + 1:g}, got {beat:g}")
        changes.append(((grid.check(match[1], bpm) - 1) * grid.beats_per_bar + beat - 1, bpm.number(10, 999)))
    try:
        return TempoMap(tuple(changes))
    except ValueError as error:
        raise place.mistake(f"tempo: {error}") from None


def _chords(place: ScorePosition, grid: Grid) -> list[ChordSpan]:
    spans = _timed(place, grid, lambda text, bar: read_chord(text, bar, grid.beats_per_bar))
    return sorted(spans, key=lambda span: span.start)


def _parts(place: ScorePosition, grid: Grid) -> Iterator[Part]:
    seen: set[str] = set()
    for item in place.items():
        known = ("name", "role", "instrument", "gain_db", "pan", "entry", "notes")
        named = item.fields(known, ("name", "role", "instrument", "notes"))
        name = named["name"].text()
        # Stems and errors go by name, so two parts cannot share one.
        if name in seen:
            raise named["name"].mistake(f"there are two parts called {name!r}; names must differ")
        seen.add(name)
        fields = {field: value.of_part(name) for field, value in named.items()}
        played = fields["instrument"].one_of(instruments())
        yield Part(
            name=name,
            role=fields["role"].one_of(ROLES),
            instrument=played,
            notes=tuple(_notes(fields["notes"], grid, drums=instrument(played).is_kit)),
            gain_db=_number(fields, "gain_db", -60, 24),
            pan=_number(fields, "pan", -1, 1),
            entry=_number(fields, "entry", 0, 1),
        )


def _notes(place: ScorePosition, grid: Grid, *, drums: bool) -> list[Note]:
    notes = _timed(place, grid, lambda text, bar: read_note(text, bar, grid.beats_per_bar, drums=drums))
    # Sorted by start alone, which keeps the written order of notes that start together.
    return sorted(notes, key=lambda note: note.start)


def _timed(place: ScorePosition, grid: Grid, read: Callable[[str, int], Timed]) -> Iterator[Timed]:
    """Yield every entry of every bar as read by ``read``."""
    count = 0
    for bar_text, line in place.pairs():
        bar = grid.check(bar_text, line)
        for text in line.text().split(","):
            count += 1
            if count > MAX_ENTRIES:
                raise line.mistake(f"{place.name} must be at most {MAX_ENTRIES}")
            # A trailing comma is no mistake.
            if not text.strip():
                continue
            try:
                yield read(text, bar)
            except ValueError as error:
                raise line.mistake(str(error), beat=_where(bar, text)) from None


def _where(bar: int, text: str) -> str:
    return f"{(text.split() or ['?'])[0][:SHOWN]} of bar {bar}"


def _number(fields: Mapping[str, ScorePosition], name: str, low: float, high: float) -> float:
    return fields[name].number(low, high) if name in fields else 0.0


def _ambience(place: ScorePosition) -> Iterator[Ambience]:
    for item in place.items():
        fields = item.fields(("name", "gain_db"), ("name",))
        yield Ambience(fields["name"].one_of(AMBIENCES), _number(fields, "gain_db", -60, 24))


def _mix(place: ScorePosition) -> MixSettings:
    fields = place.fields((*MIX_RANGES, "production"))
    numbers = {name: fields[name].number(*limits) for name, limits in MIX_RANGES.items() if name in fields}
    production = (
        tuple(item.one_of(PRODUCTION) for item in fields["production"].items()) if "production" in fields else ()
    )
    return MixSettings(**numbers, production=production)
