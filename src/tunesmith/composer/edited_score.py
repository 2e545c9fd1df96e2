"""The score of a request: as the composer writes it, with the edits of the request, one after the other.

An edit works on the score as the edits before it have left it, so that its bars are those that its author sees:

    write → document → chords of bars → load → document → sections → load → …
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith.composer.brief import Brief
from tunesmith.composer.score import Score
from tunesmith.composer.theory import Chord
from tunesmith.composer.writing import Writing, write_score
from tunesmith.errors import InvalidRequest, InvalidScore
from tunesmith.request import GenerationRequest
from tunesmith.score_edits import ChordEdit, ScoreEdit, SectionsEdit, TransposeEdit, parse_edits

if TYPE_CHECKING:
    from tunesmith.composer.score_file import ScoreChanges


def write_request(request: GenerationRequest, brief: Brief) -> Writing:
    """Compose the piece of a request and its brief, with the edits of its score.

    Raises InvalidRequest as write_score does, and for edits that the score cannot have.
    """
    writing = write_score(brief)
    return edited_writing(writing, parse_edits(request.score_edits)) if request.score_edits else writing


def edited_writing(writing: Writing, edits: Sequence[ScoreEdit]) -> Writing:
    """Return a written score with edits; parts that follow what changes are written anew. Raises InvalidRequest."""
    # Few pieces are edited, and the first clip does not wait for the reader of documents.
    from tunesmith.composer.score_file import dump_score, edited_document, load_document

    for step in _steps(edits):
        changes = _changes(step, writing.score)
        try:
            loaded = load_document(edited_document(dump_score(writing.score, writing.written), changes))
        except InvalidScore as error:
            # Its lines are those of a document that nobody has seen.
            told = "; ".join(map(str, step))
            raise InvalidRequest("score_edits", f"cannot be made: {told}: {error.problem}") from None
        assert loaded.written
        warnings = (*writing.warnings, *loaded.warnings)
        writing = replace(writing, score=loaded.score, written=loaded.written, warnings=warnings)
    return writing


def _steps(edits: Iterable[ScoreEdit]) -> Iterator[list[ScoreEdit]]:
    """Yield edits that can be made at once: all but sections, which renumber the bars, and a bar's second chord."""
    step: list[ScoreEdit] = []
    for edit in edits:
        if step and (isinstance(edit, SectionsEdit) or isinstance(step[-1], SectionsEdit)):
            yield step
            step = []
        step.append(edit)
    if step:
        yield step


def _changes(step: Sequence[ScoreEdit], score: Score) -> ScoreChanges:
    from tunesmith.composer.score_file import ScoreChanges

    fields: dict[str, str] = {}
    chords: dict[int, str] = {}
    for edit in step:
        if isinstance(edit, ChordEdit):
            chords[edit.bar] = _chord_text(edit, score)
        elif isinstance(edit, TransposeEdit):
            fields["transpose"] = str(edit.semitones)
        else:
            fields["sections"] = _sections_text(edit)
    return ScoreChanges(fields, (), chords)


def _sections_text(edit: SectionsEdit) -> str:
    listed = (name if bars is None else f"{{name: {name}, bars: {bars}}}" for name, bars in edit.sections)
    return f"[{', '.join(listed)}]"


def _chord_text(edit: ChordEdit, score: Score) -> str:
    """Return the chords of a bar as the document has them: ``1 Am 2, 3 F 2``. Raises InvalidRequest."""
    if edit.bar > score.bars:
        raise InvalidRequest("score_edits", f"chord {edit.bar}: the piece has {score.bars} bars")
    whole, beat, listed = score.meter.beats_per_bar, 1.0, []
    for name, given in edit.chords:
        try:
            Chord.parse(name)
        except ValueError as error:
            raise InvalidRequest("score_edits", f"chord {edit.bar}: {error}") from None
        beats = whole / len(edit.chords) if given is None else given
        listed.append(f"{beat:.5g} {name} {beats:.5g}")
        beat += beats
    if beat - 1 > whole + 1e-6:
        raise InvalidRequest("score_edits", f"chord {edit.bar}: the bar has {whole:g} beats, got {beat - 1:g}")
    return ", ".join(listed)
