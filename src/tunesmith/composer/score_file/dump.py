"""Score → YAML text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import yaml

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Part, Score, TempoMap
from tunesmith.composer.score_file.notation import beat_in_bar, by_bar, number, write_chord, write_note

FORMAT_VERSION = 1
HEADER = "# A Tunesmith score. Edit it and render it again: tunesmith render SCORE.yaml -o FILE\n"


def dump_score(score: Score) -> str:
    """Return the score as a YAML document that :func:`load_score` reads back to the same score."""
    beats = score.meter.beats_per_bar
    # Written by hand rather than by the YAML library, so that a bar is one line that a person can edit.
    lines = [HEADER, *_block(_heading(score)), "sections:\n"]
    lines += [f"- {_flow({'name': s.name, 'bars': s.bars, 'energy': s.energy})}\n" for s in score.sections]
    lines.append("chords:  # bar: beat chord length, beats count from 1\n" if score.chords else "chords: {}\n")
    for bar, spans in by_bar(score.chords, beats).items():
        lines.append(f"  {bar}: {', '.join(write_chord(span, bar, beats, score.key) for span in spans)}\n")
    lines.append("parts:  # notes are bar: beat pitch length velocity [glide in semitones]\n")
    for part in score.parts:
        lines += _part(part, beats)
    return "".join(lines)


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
        "duration": score.duration,
        "loop": score.loop,
        "form": score.form,
        "mix": {**asdict(score.mix), "production": list(score.mix.production)},
        "ambience": [{"name": ambience.name, "gain_db": ambience.gain_db} for ambience in score.ambience],
    }


def _tempo(tempo_map: TempoMap, beats_per_bar: float) -> float | dict[str, float]:
    # One tempo is a plain number, by far the most frequent case.
    if len(tempo_map.changes) == 1:
        return tempo_map.changes[0][1]
    places = {}
    for beat, bpm in tempo_map.changes:
        bar = int(beat / beats_per_bar + 1e-9) + 1
        in_bar = beat_in_bar(beat, bar, beats_per_bar)
        places[str(bar) if in_bar == "1" else f"{bar} beat {in_bar}"] = bpm
    return places


def _part(part: Part, beats_per_bar: float) -> Iterator[str]:
    drums = instrument(part.instrument).is_kit
    yield f"- name: {_flow(part.name)}\n  role: {part.role}\n  instrument: {part.instrument}\n"
    yield f"  gain_db: {number(part.gain_db)}\n  pan: {number(part.pan)}\n  entry: {number(part.entry)}\n"
    yield "  notes:\n" if part.notes else "  notes: {}\n"
    for bar, notes in by_bar(part.notes, beats_per_bar).items():
        yield f"    {bar}: {', '.join(write_note(note, bar, beats_per_bar, drums=drums) for note in notes)}\n"


def _block(mapping: dict[str, Any]) -> Iterator[str]:
    for key, value in mapping.items():
        yield f"{key}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    # A width that no line reaches: the library would otherwise break long prompts.
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    # A prompt may be a no-break space.
    return text.removesuffix("...\n").strip("\n")
