"""Score → YAML text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import OCTAVE_GAINS, ChordSpan, MixSettings, Note, Part, Score, Section, TempoMap
from tunesmith.composer.score_file.notation import beat_in_bar, by_bar, number, write_chord, write_note
from tunesmith.composer.score_file.record import digest
from tunesmith.composer.theory import Key
from tunesmith.composer.writing.plan import Player
from tunesmith.composer.writing.written_score import AS_WRITTEN, Interpretation, WrittenPart, WrittenScore

FORMAT_VERSION = 1
NOTES_LINE = "parts:  # notes are bar: beat pitch length velocity [glide in semitones]\n"
HEADER = "# A Tunesmith score. Edit it and render it again: tunesmith render SCORE.yaml -o FILE\n"


def dump_score(score: Score, written: WrittenScore | None = None) -> str:
    """Return the score as a YAML document that :func:`load_score` reads back to the same score.

    With ``written``, the document has the notes before the performance, and what the composer needs to write parts
    anew that follow chords, melody or form.
    """
    beats = score.meter.beats_per_bar
    if written is None:
        parts = [line for part in score.parts for line in _part(part, beats)]
        return "".join((*_head(score, score.key, score.chords), NOTES_LINE, *parts))
    plan = written.plan
    usual = _usual(written)
    parts = [line for part in written.parts for line in _written_part(part, beats, usual)]
    head = _head(score, plan.key, plan.chords, written)
    return "".join((*head, NOTES_LINE, *parts, *_record(written)))


def _head(score: Score, key: Key, chords: Sequence[ChordSpan], written: WrittenScore | None = None) -> Iterator[str]:
    # Written by hand rather than by the YAML library, so that a bar is one line that a person can edit.
    yield HEADER
    heading = {**_heading(score), "key": str(key)}
    if written is not None:
        heading |= {"transpose": written.transpose} if written.transpose else {}
    yield from _block(heading)
    if written is not None:
        yield from _played(_usual(written))
    yield "sections:\n"
    yield from _sections(score.sections)
    yield "chords:  # bar: beat chord length, beats count from 1\n" if chords else "chords: {}\n"
    yield from _chords(chords, score.meter.beats_per_bar, key)


def _sections(sections: Sequence[Section]) -> Iterator[str]:
    for one in sections:
        gain = {"gain_db": one.gain_db} if one.gain_db else {}
        yield f"- {_flow({'name': one.name, 'bars': one.bars, 'energy': one.energy, **gain})}\n"


def _chords(chords: Sequence[ChordSpan], beats: float, key: Key, indent: str = "  ") -> Iterator[str]:
    for bar, spans in by_bar(chords, beats).items():
        yield f"{indent}{bar}: {', '.join(write_chord(span, bar, beats, key) for span in spans)}\n"


def _heading(score: Score) -> dict[str, Any]:
    return {
        "tunesmith": FORMAT_VERSION,
        "title": score.title,
        "prompt": score.prompt,
        "genre": score.genre,
        "seed": score.seed,
        "key": str(score.key),
        "meter": str(score.meter),
        "tempo": _tempo(score.tempo_map, score.meter.beats_per_bar),
        **({"meters": meters} if (meters := _meters(score)) else {}),
        "duration": score.duration,
        "loop": score.loop,
        "form": score.form,
        "mix": _mix(score.mix),
        "ambience": [{"name": ambience.name, "gain_db": ambience.gain_db} for ambience in score.ambience],
    }


RARE_SETTINGS = ("levels", *OCTAVE_GAINS)
"""Settings of a mix that are written only where they are not empty."""


def _mix(mix: MixSettings) -> dict[str, Any]:
    settings = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(mix).items()}
    # Few pieces have stretches of another level, and only the composer's an equaliser.
    return {name: value for name, value in settings.items() if name not in RARE_SETTINGS or value}


def _tempo(tempo_map: TempoMap, beats_per_bar: float) -> float | dict[str, float]:
    # One tempo is a plain number, by far the most frequent case.
    if len(tempo_map.changes) == 1:
        return tempo_map.changes[0][1]
    return {_place(beat, beats_per_bar): bpm for beat, bpm in tempo_map.changes}


def _meters(score: Score) -> dict[str, str]:
    return {_place(beat, score.meter.beats_per_bar): str(meter) for beat, meter in score.meter_changes}


def _place(beat: float, beats_per_bar: float) -> str:
    bar = int(beat / beats_per_bar + 1e-9) + 1
    in_bar = beat_in_bar(beat, bar, beats_per_bar)
    return str(bar) if in_bar == "1" else f"{bar} beat {in_bar}"


def _part(part: Part, beats_per_bar: float) -> Iterator[str]:
    yield f"- name: {_flow(part.name)}\n  role: {part.role}\n  instrument: {part.instrument}\n"
    yield f"  gain_db: {number(part.gain_db)}\n  pan: {number(part.pan)}\n  entry: {number(part.entry)}\n"
    yield from _notes(part.notes, part.instrument, beats_per_bar)


def _usual(written: WrittenScore) -> Interpretation:
    """Return how most parts are played, which the document says once."""
    played = Counter(part.interpretation or AS_WRITTEN for part in written.parts)
    return max(played, key=lambda how: played[how], default=Interpretation())


def _played(how: Interpretation, indent: str = "") -> Iterator[str]:
    yield f"{indent}groove: {number(how.groove)}\n{indent}humanize: {number(how.humanize)}\n"


def _written_part(part: WrittenPart, beats_per_bar: float, usual: Interpretation) -> Iterator[str]:
    player = part.player
    yield f"- name: {_flow(part.title)}\n  role: {player.role}\n  instrument: {player.instrument}\n"
    yield f"  follow: {part.follow}\n  player: {_flow(_player(player))}\n"
    yield f"  gain_db: {number(round(player.gain_db, 2))}\n  pan: {player.pan!r}\n  entry: {player.entry!r}\n"
    yield from _block({key: value for key, value in _changes(part).items() if value}, "  ")
    # Zero means something here: the notes as written.
    if (how := part.interpretation or AS_WRITTEN) != usual:
        yield from _played(how, "  ")
    yield from _notes(part.notes, player.instrument, beats_per_bar)


def _changes(part: WrittenPart) -> dict[str, Any]:
    return {
        "transpose": part.transpose,
        "octave": part.octave,
        "levels": [f"{one.gain_db!r}@{one.start}-{one.end}" for one in part.levels],
        "mute": part.mute,
        "solo": part.solo,
    }


def _player(player: Player) -> dict[str, Any]:
    """Return what the composer's writer of the part needs to know."""
    echo = player.echo
    return {
        "name": player.name,
        "style": player.style,
        "register": player.register,
        "voicing": player.voicing,
        **({"rhythm": player.rhythm} if player.rhythm else {}),
        **({"echo": echo.model_dump()} if echo else {}),
    }


def _notes(notes: Sequence[Note], instrument_name: str, beats_per_bar: float) -> Iterator[str]:
    drums = instrument(instrument_name).is_kit
    yield "  notes:\n" if notes else "  notes: {}\n"
    for bar, inside in by_bar(notes, beats_per_bar).items():
        yield f"    {bar}: {', '.join(write_note(note, bar, beats_per_bar, drums=drums) for note in inside)}\n"


def _record(written: WrittenScore) -> Iterator[str]:
    plan = written.plan
    brief = plan.brief
    yield "written:  # what the notes above were written for; parts that follow are written anew where it differs\n"
    yield from _block(
        {
            "key": str(plan.key),
            "meter": str(plan.meter),
            "tempo": _tempo(plan.tempo_map, plan.beats_per_bar),
            "duration": written.duration,
            "seed": brief.seed,
            "exact_length": brief.duration is not None,
            "mood": [brief.mood.valence, brief.mood.arousal],
            "ending": brief.ending,
            "hits": [f"{hit.time!r}=climax" if hit.climax else repr(hit.time) for hit in brief.hits],
            **({"locks": dict(brief.locks)} if brief.locks else {}),
            "notes": {part.player.name: digest(part.notes) for part in written.parts},
        },
        "  ",
    )
    yield "  sections:\n"
    yield from (f"  {line}" for line in _sections(plan.sections))
    yield "  chords:\n"
    yield from _chords(plan.chords, plan.beats_per_bar, plan.key, "    ")


def _block(mapping: dict[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in mapping.items():
        yield f"{indent}{key}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    # A width that no line reaches: the library would otherwise break long prompts.
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    # A prompt may be a no-break space.
    return text.removesuffix("...\n").strip("\n")
