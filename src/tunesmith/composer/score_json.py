"""The score as plain JSON values with times in seconds, for pages that draw it; and the melody as a small figure."""

from __future__ import annotations

from typing import Any

from tunesmith.composer.explanation.labels import named
from tunesmith.composer.instruments import instrument
from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import Note, Part, Score

DECIMALS = 4
FIGURE_STEPS = 200
"""The length of a figure, whatever the duration of its piece."""
FIGURE_NOTES = 48
_LEADS = ("melody", "counter", "arpeggio", "chords", "pad", "bass", "drone")


def score_json(score: Score) -> dict[str, Any]:
    """Return a score as JSON values; a note is start and length in seconds, MIDI pitch and velocity."""
    seconds_at, bar = score.tempo_map.seconds_at, score.meter.beats_per_bar

    def time(beat: float) -> float:
        return round(min(seconds_at(beat), score.duration), DECIMALS)

    return {
        "title": score.title, "genre": score.genre, "seed": score.seed, "key": str(score.key),
        "meter": str(score.meter), "tempo_bpm": round(score.tempo_bpm, DECIMALS),
        "bars": score.bars, "duration": score.duration, "loop": score.loop, "form": score.form,
        "bar_starts": [time(number * bar) for number in range(score.bars)],
        "sections": [
            {"name": one.name, "start": time(one.bar * bar), "end": time((one.bar + one.bars) * bar),
             "energy": one.energy} for one in score.sections
        ],
        "chords": [
            {"name": chord_name(one.chord, score.key), "start": time(one.start), "end": time(one.end),
             **_place(one.start, bar), "beats": round(one.length, DECIMALS)}
            for one in score.chords
        ],
        "parts": [_part_json(part, score) for part in score.parts],
        "figure": melody_figure(score),
    }  # fmt: skip


def _place(start: float, beats_per_bar: float) -> dict[str, Any]:
    """Return the bar and the beat in it, both counted from 1, of a time in beats."""
    # The small offset keeps a start that rounding put just below a bar line in its bar.
    bar = int(start / beats_per_bar + 1e-9)
    return {"bar": bar + 1, "beat": round(start - bar * beats_per_bar + 1, DECIMALS)}


def _part_json(part: Part, score: Score) -> dict[str, Any]:
    seconds_at, played = score.tempo_map.seconds_at, instrument(part.instrument)
    notes = []
    for note in part.notes:
        start = seconds_at(note.start)
        length = seconds_at(note.end) - start
        notes.append([round(start, DECIMALS), round(length, DECIMALS), note.pitch, note.velocity])
    return {
        "name": part.name, "role": part.role, "instrument": part.instrument, "label": named(part.instrument),
        "is_drums": played.is_kit, "entry": part.entry, "notes": notes,
    }  # fmt: skip


def melody_figure(score: Score) -> list[list[int]]:
    """Return the contour of the leading part: start and length in steps, MIDI pitch; empty without pitched notes.

    A piece has ``FIGURE_STEPS`` steps, and a figure at most ``FIGURE_NOTES`` notes: of those that share a place, the
    longest.
    """
    lead = _lead_of(score)
    if lead is None:
        return []
    longest: dict[int, Note] = {}
    seconds_at, a_second = score.tempo_map.seconds_at, FIGURE_STEPS / score.duration
    for note in lead.notes:
        place = int(seconds_at(note.start) * a_second * FIGURE_NOTES / FIGURE_STEPS)
        if place < FIGURE_NOTES and (place not in longest or note.length > longest[place].length):
            longest[place] = note
    return [
        [
            int(seconds_at(note.start) * a_second),
            max(1, round((seconds_at(note.end) - seconds_at(note.start)) * a_second)),
            note.pitch,
        ]
        for _, note in sorted(longest.items(), key=lambda item: item[0])
    ]


def _lead_of(score: Score) -> Part | None:
    parts = [part for part in score.parts if part.role in _LEADS and not instrument(part.instrument).is_kit]
    return min(parts, key=lambda part: _LEADS.index(part.role), default=None)
