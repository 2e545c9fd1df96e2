"""YAML text → Score, with line, part and beat in every error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from tunesmith.balance import parse_stretch
from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.score import (
    AMBIENCES,
    OCTAVE_GAINS,
    OCTAVES,
    PRODUCTION,
    Ambience,
    ChordSpan,
    MixSettings,
    Part,
    Score,
    TempoMap,
)
from tunesmith.composer.score_file.changed_frame import at_tempo, chords_of, duration_of, tempo_of
from tunesmith.composer.score_file.document import ScorePosition, parse_document
from tunesmith.composer.score_file.dump import FORMAT_VERSION
from tunesmith.composer.score_file.form import Form, bars_of, carried_meters, carried_tempo, read_form
from tunesmith.composer.score_file.frame import Grid, ScoreFrame, read_meters
from tunesmith.composer.score_file.part_entry import RANGES, WHOLE_RANGES, read_parts
from tunesmith.composer.score_file.planned import interpretation_of, plain, planned
from tunesmith.composer.score_file.plans import WritingBrief
from tunesmith.composer.score_file.record import Record, read_record
from tunesmith.composer.score_file.settle import Planning
from tunesmith.composer.theory import Key, Meter
from tunesmith.composer.writing.transposition import moved_chords, moved_key
from tunesmith.composer.writing.written_score import Interpretation, WrittenScore
from tunesmith.request import MAX_SEED
from tunesmith.request import Form as FormName

REQUIRED = ("key", "meter", "tempo", "sections", "parts")
OPTIONAL = (
    "tunesmith", "title", "prompt", "genre", "seed", "duration", "loop", "form", "mix", "ambience", "chords",
    "transpose", "groove", "humanize", "written", "meters",
)  # fmt: skip
FORMS: tuple[str, ...] = get_args(FormName)
MIX_RANGES: Mapping[str, tuple[float, float]] = {
    "loudness_lufs": (-40, -8),
    "room": (0, 1),
    "hall": (0, 1),
    "side_chain": (0, 1),
    "brightness_db": (-12, 6),
    "width": (0, 1.5),
}
GAIN_RANGE = (-12, 12)


@dataclass(frozen=True, slots=True)
class LoadedScore:
    """The score of a document, ``written`` where the composer's writers play it, and warnings for its author."""

    score: Score
    written: WrittenScore | None = None
    warnings: tuple[str, ...] = ()


def load_score(text: str) -> Score:
    """Return the score of a document; raise InvalidScore, with line, part and beat."""
    return load_document(text).score


def load_document(text: str) -> LoadedScore:
    """Return the score of a document, its parts written anew where what they follow has changed.

    Raises InvalidScore, with line, part and beat.
    """
    fields = parse_document(text).fields(REQUIRED + OPTIONAL, REQUIRED)
    # A later format must be refused, not half understood.
    if "tunesmith" in fields:
        fields["tunesmith"].whole(FORMAT_VERSION, FORMAT_VERSION)
    record = read_record(fields["written"]) if "written" in fields else None
    form = read_form(fields["sections"], record.frame.sections if record else ())
    grid = Grid(form.bars, fields["meter"].read(Meter.parse).beats_per_bar)
    tempo_map = tempo_of(fields["tempo"], grid, record)
    frame = _frame(fields, form, grid, tempo_map, record)
    entries = tuple(read_parts(fields["parts"]))
    transpose = fields["transpose"].whole(*WHOLE_RANGES["transpose"]) if "transpose" in fields else 0
    how = _interpretation(fields)
    written, warnings = None, tuple[str, ...]()
    if record is None and not any(entry.follow != "fixed" or interpretation_of(entry, how) for entry in entries):
        parts = plain(entries, grid, form, transpose)
    else:
        document = Planning(_writing_brief(fields, record), frame, form, at_tempo(record, tempo_map, grid))
        parts, written, warnings = planned(document, entries, how, transpose)
    chords = written.plan.chords if written else frame.chords
    meters = read_meters(fields["meters"], grid) if "meters" in fields else ()
    score = replace(
        _score(fields, frame, chords, parts, transpose),
        meter_changes=carried_meters(meters, frame.meter, form, grid.beats_per_bar),
    )
    return LoadedScore(score, written, warnings)


def _frame(
    fields: Mapping[str, ScorePosition],
    form: Form,
    grid: Grid,
    tempo_map: TempoMap,
    record: Record | None,
) -> ScoreFrame:
    """Return what the notes are for."""
    key, meter = fields["key"].read(Key.parse), fields["meter"].read(Meter.parse)
    chords = chords_of(fields.get("chords"), grid, form, key, record)
    played_tempo = carried_tempo(tempo_map, form, grid.beats_per_bar)
    end = bars_of(form.played) * grid.beats_per_bar
    duration = duration_of(fields, played_tempo, end, record, loop=_is_loop(fields))
    seed = fields["seed"].whole(0, MAX_SEED) if "seed" in fields else 0
    return ScoreFrame(key, meter, played_tempo, form.played, chords, duration, seed)


def _score(
    fields: Mapping[str, ScorePosition],
    frame: ScoreFrame,
    chords: Sequence[ChordSpan],
    parts: tuple[Part, ...],
    transpose: int,
) -> Score:
    return Score(
        title=_text(fields, "title", "Untitled"),
        prompt=_text(fields, "prompt", ""),
        genre=_text(fields, "genre", ""),
        seed=frame.seed,
        key=moved_key(frame.key, transpose),
        meter=frame.meter,
        tempo_map=frame.tempo_map,
        duration=frame.duration,
        loop=_is_loop(fields),
        form=_form_name(fields),
        sections=frame.sections,
        chords=moved_chords(chords, transpose),
        parts=parts,
        ambience=tuple(_ambience(fields["ambience"])) if "ambience" in fields else (),
        mix=_mix(fields["mix"]) if "mix" in fields else MixSettings(),
    )


def _writing_brief(fields: Mapping[str, ScorePosition], record: Record | None) -> WritingBrief:
    """Return what the writers need beside the frame; raise InvalidScore where the genre is missing or unknown."""
    if "genre" not in fields or not fields["genre"].text():
        place = fields.get("genre", fields["parts"])
        raise place.mistake("a part that follows, groove and humanize need a 'genre'; see: tunesmith genres")
    genre = load_genre(fields["genre"].one_of(genre_names()))
    said = (_text(fields, "title", "Untitled"), _text(fields, "prompt", ""), genre, _form_name(fields))
    if record is None:
        return WritingBrief(*said)
    return WritingBrief(*said, record.mood, record.ending, record.exact_length, record.hits, record.locks)


def _interpretation(fields: Mapping[str, ScorePosition]) -> Interpretation | None:
    """Return how the parts are played where they say nothing of their own; None as written."""
    given = {name: fields[name].number(*RANGES[name]) for name in ("groove", "humanize") if name in fields}
    return Interpretation(**{"groove": 0.0, "humanize": 0.0, **given}) if given else None


def _is_loop(fields: Mapping[str, ScorePosition]) -> bool:
    return fields["loop"].flag() if "loop" in fields else False


def _form_name(fields: Mapping[str, ScorePosition]) -> Any:
    return fields["form"].one_of(FORMS) if "form" in fields else ("loop" if _is_loop(fields) else "track")


def _text(fields: Mapping[str, ScorePosition], name: str, default: str) -> str:
    return fields[name].text() if name in fields else default


def _ambience(place: ScorePosition) -> Iterator[Ambience]:
    for item in place.items():
        fields = item.fields(("name", "gain_db"), ("name",))
        yield Ambience(
            fields["name"].one_of(AMBIENCES),
            fields["gain_db"].number(*RANGES["gain_db"]) if "gain_db" in fields else 0.0,
        )


def _mix(place: ScorePosition) -> MixSettings:
    fields = place.fields((*MIX_RANGES, *OCTAVE_GAINS, "production", "levels"))
    production = (
        tuple(item.one_of(PRODUCTION) for item in fields["production"].items()) if "production" in fields else ()
    )
    levels = tuple(item.read(parse_stretch).stretch for item in fields["levels"].items()) if "levels" in fields else ()
    octaves, sides = (_octave_gains(fields[name]) if name in fields else () for name in OCTAVE_GAINS)
    mix = MixSettings(production=production, levels=levels, octaves_db=octaves, sides_db=sides)
    numbers: dict[str, Any] = {name: fields[name].number(*MIX_RANGES[name]) for name in MIX_RANGES if name in fields}
    return replace(mix, **numbers)


def _octave_gains(place: ScorePosition) -> tuple[float, ...]:
    gains = tuple(item.number(*GAIN_RANGE) for item in place.items())
    if len(gains) != OCTAVES:
        raise place.mistake(f"{place.name} must have {OCTAVES} numbers, one for each octave, got {len(gains)}")
    return gains
