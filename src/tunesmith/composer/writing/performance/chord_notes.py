"""The chords in a line of notes: those of its notes that start together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith.composer.score import Note


def chords_in(notes: Sequence[Note]) -> Iterator[slice]:
    """Yield each chord, two or more notes that start together, as a slice of ``notes``, which are sorted by start."""
    first = 0
    for index in range(1, len(notes) + 1):
        if index == len(notes) or notes[index].start != notes[first].start:
            if index - first > 1:
                yield slice(first, index)
            first = index
