"""What a changed score file and a MIDI file reach: parts follow a new chord, the rest stays, chords are found in notes.

Scores only, nothing is rendered.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import tunesmith
from tunesmith.composer.composition import arrange
from tunesmith.composer.genre import genre_names
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.midi_in import midi_score, read_song
from tunesmith.composer.score import Score
from tunesmith.composer.score_file import dump_score, load_document
from tunesmith.composer.writing.written_score import WrittenScore
from tunesmith.request import GenerationRequest

EVERY = 3
"""Every third genre is measured."""

SECONDS = 30
# A flat sixth in major or minor, which is rarely there already.
NEW_ROOT, NEW_TONES = 8, (0, 4, 7)
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
Count = Callable[..., None]
"""Adds values to a measure by name."""

HARMONY = ("chords", "pad", "bass")


def measure() -> dict[str, float]:
    """Return the measures as shares, 0 to 1."""
    counts: dict[str, list[float]] = {}

    def count(name: str, *values: float) -> None:
        counts.setdefault(name, []).extend(values)

    for seed, genre in enumerate(genre_names()[::EVERY]):
        composed = tunesmith.compose(genre.replace("_", " "), genre=genre, duration=SECONDS, seed=seed)
        assert composed.written is not None
        document = dump_score(composed.score, composed.written)
        count("score_untouched_equal", load_document(document).score == composed.score)
        _change_a_chord(document, composed.score, composed.written, count)
        _read_back(composed.score, seed, count)
    return {name: sum(values) / len(values) for name, values in counts.items()}


def _change_a_chord(document: str, score: Score, written: WrittenScore, count: Count) -> None:
    beats = score.meter.beats_per_bar
    bar = max(1, score.bars // 2)
    root = (score.key.tonic + NEW_ROOT) % 12
    line = re.compile(rf"^  {bar}: .*$", re.MULTILINE)
    after = load_document(line.sub(f"  {bar}: 1 {NAMES[root]} {beats:g}", document, count=1)).written
    assert after is not None
    tones = {(root + tone) % 12 for tone in NEW_TONES}
    start = (bar - 1) * beats
    for before, now in zip(written.parts, after.parts, strict=True):
        if before.follow == "form":
            count("form_parts_kept", before.notes == now.notes)
            continue
        if before.player.role in HARMONY:
            count("chord_followed", *(note.pitch % 12 in tones for note in now.notes if abs(note.start - start) < 0.01))
        elsewhere = [note for note in before.notes if not start - beats <= note.start < start + 2 * beats]
        kept = frozenset(now.notes)
        count("notes_kept_in_other_bars", *(note in kept for note in elsewhere))


def _read_back(score: Score, seed: int, count: Count) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mid"
        write_midi(score, path)
        song = read_song(path.read_bytes())
    found = {span.start: span.chord.root for span in midi_score(song, "a").chords}
    bars = [span for span in score.chords if span.start % score.meter.beats_per_bar == 0 and span.start in found]
    count("midi_chord_roots_found", *(found[span.start] == span.chord.root for span in bars))
    lead = next((part for part in arrange(song, _request(seed)).score.parts if part.role == "melody"), None)
    if lead is not None:
        starts = {note.start for voice in song.voices if not voice.is_drums for note in voice.notes}
        count("midi_melody_starts_kept", *(note.start in starts for note in lead.notes))


def _request(seed: int) -> GenerationRequest:
    return GenerationRequest.checked(prompt="lofi", genre="lofi", seed=seed)
