"""What stays when one thing changes: the share of notes, seats and sounds of a piece that survive an edit.

Scores only, nothing is rendered. A note is kept if the same part has a note of that pitch at that beat of the same
section; sections count from the first theme on, since a longer piece may have a longer intro.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tunesmith
from tunesmith.composer.genre import genre_names
from tunesmith.composer.instruments import instrument
from tunesmith.composer.prompt.instrument_words import flag_left_out
from tunesmith.composer.score import Note, Part, Score, Section
from tunesmith.composer.score_file import dump_score
from tunesmith.composer.writing.form.drafts import CLOSINGS
from tunesmith.composer.writing.plan import UNPITCHED
from tunesmith.request import GenerationRequest

PROMPTS = (
    "calm piano", "happy acoustic", "epic battle", "lofi hip hop", "a walk in the rain", "upbeat corporate video",
    "dark ambient", "jazz trio", "summer pop", "eine ruhige Ballade", "música alegre para una boda", "80s synthwave",
    "funk with horns", "sad violin and piano", "bossa nova with flute", "driving rock", "chiptune level 3", "waltz",
)  # fmt: skip
REQUESTS = 200
MOODS = ("happy", "sad", "calm", "energetic", "dark", "dreamy")
# Beats by which a performance may move a note.
NEAR = 0.02
# Beats by which two performances of a note differ.
PLAYED_NEAR = 0.1
# Risers lead into what comes next, and belong to it.
LEADING_IN = frozenset({"effects"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A request, and the score that it gives."""

    fields: Mapping[str, Any]
    score: Score

    def edited(self, **changes: Any) -> Score:
        """Return the score of the same request and seed with some fields changed; None leaves a field out."""
        fields = {name: value for name, value in {**self.fields, **changes}.items() if value is not None}
        return tunesmith.compose(**fields).score


def pieces(count: int = REQUESTS) -> list[Piece]:
    """Return the pieces that are edited: named genres and described moods in turn, of three lengths."""
    prompts = itertools.chain.from_iterable(zip(itertools.cycle(PROMPTS), genre_names(), strict=False))
    rows = zip(itertools.cycle(prompts), itertools.cycle((20, 30, 45)), range(count), strict=False)
    made = []
    for prompt, seconds, seed in rows:
        fields: dict[str, Any] = {"prompt": prompt.replace("_", " "), "seed": seed, "duration": seconds}
        made.append(Piece(fields, tunesmith.compose(**fields).score))
    return made


@dataclass(frozen=True, slots=True)
class Stretch:
    """The first ``bars`` bars of a section that two scores have: from beat ``start`` in one, ``other`` in the other."""

    start: float
    other: float
    bars: int
    beats: float

    @property
    def later(self) -> float:
        """By how many beats the other score has it later."""
        return self.other - self.start

    def of(self, part: Part | None, start: float) -> list[Note]:
        """Return the notes of a part in the stretch that begins at a beat."""
        end = start + self.bars * self.beats - NEAR
        return [note for note in part.notes if start - NEAR <= note.start < end] if part else []


def before_finale(score: Score) -> list[Section]:
    """Return the sections from the first theme to before the last one, which ends the piece or leads to its ending."""
    body = [section for section in score.sections if section.name not in CLOSINGS]
    return [section for section in body[:-1] if section.name != "intro"]


def shared(one: Score, other: Score) -> Iterator[Stretch]:
    """Yield the sections that both scores begin with, from the first theme to before the finale of either.

    Where a section is shorter in one of them, its last bar leads into another section, so the bars before it count.
    """
    beats = one.meter.beats_per_bar
    for mine, theirs in zip(before_finale(one), before_finale(other), strict=False):
        if mine.name != theirs.name:
            return
        bars = mine.bars if mine.bars == theirs.bars else min(mine.bars, theirs.bars) - 1
        yield Stretch(mine.bar * beats, theirs.bar * beats, bars, beats)
        if mine.bars != theirs.bars:
            return


def kept(
    one: Iterable[Note],
    other: Iterable[Note],
    later: float = 0.0,
    key: Callable[[Note], Any] | None = None,
    near: float = NEAR,
) -> int:
    """Count the notes of ``one`` that ``other`` has too, ``later`` beats later and within about ``near`` beats."""
    key = key or (lambda note: note.pitch)
    theirs = Counter((key(note), round((note.start - later) / near / 2)) for note in other)
    count = 0
    for note in one:
        place = round(note.start / near / 2)
        found = next((at for at in (place, place - 1, place + 1) if theirs[key(note), at] > 0), None)
        if found is not None:
            theirs[key(note), found] -= 1
            count += 1
    return count


def share_kept(one: Score, other: Score, without: frozenset[str] = frozenset()) -> tuple[int, int]:
    """Return (kept, all) notes in the sections that both scores have; the roles of ``without`` do not count."""
    theirs = {part.name: part for part in other.parts}
    found = total = 0
    for part in one.parts:
        if part.role not in without:
            for stretch in shared(one, other):
                notes = stretch.of(part, stretch.start)
                found += kept(notes, stretch.of(theirs.get(part.name), stretch.other), stretch.later)
                total += len(notes)
    return found, total


def ratio(rows: Iterable[tuple[int, int]]) -> float:
    """Return the share kept over all rows."""
    rows = list(rows)
    return sum(found for found, _ in rows) / max(1, sum(total for _, total in rows))


# Semitones above the tonic → scale degree: a third is a third in major and in minor.
DEGREES = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
LEAD = frozenset({"melody"})


def degree(score: Score) -> Callable[[Note], int]:
    """Return a function from a note to its degree in the key of a score."""
    return lambda note: DEGREES[(note.pitch - score.key.tonic) % 12]


def another_tempo(piece: Piece) -> int:
    """Return a tempo in bpm, 20 % faster than that of a piece or 15 % slower, by its seed."""
    return round(piece.score.tempo_bpm * (1.2 if piece.fields["seed"] % 2 else 0.85))


def other_tempo(piece: Piece) -> tuple[int, int]:
    """Return the notes kept where the tempo is another, in as many bars: all that begin at the same beat."""
    return whole(piece.score, piece.edited(tempo_bpm=another_tempo(piece), bars=piece.score.bars, duration=None))


def other_tempo_same_length(piece: Piece) -> tuple[int, int]:
    """Return the notes kept where the tempo is another, and with it the number of bars."""
    return share_kept(piece.score, piece.edited(tempo_bpm=another_tempo(piece)), LEADING_IN)


def longer(piece: Piece) -> tuple[int, int]:
    """Return the notes kept where the piece is longer."""
    return share_kept(piece.score, piece.edited(duration=piece.fields["duration"] * 1.6), LEADING_IN)


def whole(one: Score, other: Score, later: float = 0.0) -> tuple[int, int]:
    """Return (kept, all) notes of the parts of ``one``, over the whole piece."""
    theirs = {part.name: part.notes for part in other.parts}
    rows = [(kept(part.notes, theirs.get(part.name, ()), later), len(part.notes)) for part in one.parts]
    return sum(found for found, _ in rows), sum(total for _, total in rows)


def without_part(piece: Piece) -> tuple[int, int]:
    """Return the notes of the others that are kept where one part is left out."""
    roles = sorted({part.role for part in piece.score.parts})
    left_out = roles[piece.fields["seed"] % len(roles)]
    gone = flag_left_out(left_out)
    others = tuple(
        part
        for part in piece.score.parts
        if not {part.role, part.instrument, instrument(part.instrument).family} & gone
    )
    if not others:
        return 0, 0
    edited = piece.edited(without=(left_out,))
    # What is left out must be gone, or nothing counts as kept.
    gone_for_good = len(edited.parts) == len(others)
    found, total = whole(replace(piece.score, parts=others), edited)
    return (found if gone_for_good else 0), total


def added_part(piece: Piece) -> tuple[int, int]:
    """Return the notes kept where an instrument joins the band."""
    edited = piece.edited(instruments=("+clarinet",))
    found, total = whole(piece.score, edited)
    return (found if len(edited.parts) == len(piece.score.parts) + 1 else 0), total


def other_key(piece: Piece) -> tuple[int, int]:
    """Return the notes that are a transposition where the key is another: all but the octave counts."""
    key = piece.score.key
    to = replace(key, tonic=(key.tonic + 1 + piece.fields["seed"] % 11) % 12)
    edited = piece.edited(key=str(to))
    theirs = {part.name: part for part in edited.parts}
    found = total = 0
    for part in piece.score.parts:
        if part.role not in UNPITCHED and part.name in theirs:
            moved = [replace(note, pitch=(note.pitch + to.tonic - key.tonic) % 12) for note in part.notes]
            found += kept(moved, theirs[part.name].notes, key=lambda note: note.pitch % 12)
            total += len(moved)
    return found, total


def other_mood(piece: Piece) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the lead's notes kept, by scale degree, and the seats kept, where the mood is another."""
    edited = piece.edited(mood=MOODS[piece.fields["seed"] % len(MOODS)])
    mine, theirs = degree(piece.score), degree(edited)
    found = total = 0
    leads = {part.name: part for part in edited.parts}
    for part in piece.score.parts:
        if part.role in LEAD:
            for stretch in shared(piece.score, edited):
                notes = stretch.of(part, stretch.start)
                others = stretch.of(leads.get(part.name), stretch.other)
                found += kept_by_degree(notes, others, stretch.later, mine, theirs)
                total += len(notes)
    seats = {(part.name, part.instrument) for part in edited.parts}
    own = {(part.name, part.instrument) for part in piece.score.parts}
    return (found, total), (len(own & seats), len(own))


def kept_by_degree(
    one: Iterable[Note], other: Iterable[Note], later: float, mine: Callable[[Note], int], theirs: Callable[[Note], int]
) -> int:
    """Count the notes of ``one`` that ``other`` has at the same beat on the same degree of its own key."""
    return kept(
        [replace(note, pitch=mine(note)) for note in one], [replace(note, pitch=theirs(note)) for note in other], later
    )


def other_mix(piece: Piece) -> tuple[int, int]:
    """Return the pieces whose notes all stay where the loudness is another."""
    edited = piece.edited(loudness_lufs=-20)
    return int(edited.parts == piece.score.parts), 1


def again(piece: Piece) -> tuple[int, int]:
    """Return the pieces whose score document has the same bytes when they are written again."""
    return int(dump_score(piece.edited()) == dump_score(piece.score)), 1


def takes(piece: Piece) -> tuple[int, int]:
    """Return the notes of the hook that another seed keeps with melody, chords, band, form and tempo locked.

    Another seed plays them at other moments, by as much as people do.
    """
    request = GenerationRequest.checked(**piece.fields).keeping(("melody", "chords", "band", "form", "tempo"))
    other = piece.edited(lock=request.lock, seed=piece.fields["seed"] + 1000)
    theirs = {part.name: part.notes for part in other.parts}
    leads = [part for part in piece.score.parts if part.role in LEAD]
    found = sum(kept(part.notes, theirs.get(part.name, ()), near=PLAYED_NEAR) for part in leads)
    return found, sum(len(part.notes) for part in leads)


def measure(count: int = REQUESTS) -> dict[str, float]:
    """Return the shares that survive each edit."""
    made = pieces(count)
    moods = [other_mood(piece) for piece in made]
    edits = {
        "notes_kept_other_tempo": other_tempo,
        "notes_kept_other_tempo_same_length": other_tempo_same_length,
        "notes_kept_longer": longer,
        "notes_kept_without_part": without_part,
        "notes_kept_added_part": added_part,
        "notes_transposed_other_key": other_key,
        "notes_kept_other_mix": other_mix,
        "hook_kept_in_locked_takes": takes,
        "again_bytes_equal": again,
    }
    return {
        **{name: ratio(edit(piece) for piece in made) for name, edit in edits.items()},
        "melody_kept_other_mood": ratio(melody for melody, _ in moods),
        "band_kept_other_mood": ratio(band for _, band in moods),
    }
