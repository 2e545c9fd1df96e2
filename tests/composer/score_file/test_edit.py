"""An edit of a document changes its own line and no other, whatever the document looks like."""

from __future__ import annotations

import re

import pytest

from tunesmith.composer.score_file import PartChange, ScoreChanges, edited_document, load_score, quoted
from tunesmith.errors import InvalidRequest, InvalidScore

BLOCK = """\
# by hand
key: A minor   # home
meter: 4/4
tempo: 90
sections:
- {name: A, bars: 2}
- {name: B, bars: 2}
chords:
  1: 1 Am 4
  3: 1 F 4
parts:
# the tune
- name: lead
  role: melody
  instrument: flute
  notes:
    1: 1 A4 4 90
- {name: kit, role: drums, instrument: standard_kit, notes: {1: 1 kick 1 90}}
"""


def lines_that_differ(edited: str) -> tuple[list[str], list[str]]:
    before, after = BLOCK.splitlines(), edited.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize(
    ("changes", "gone", "new"),
    [
        (ScoreChanges({"transpose": "2"}), [], ["transpose: 2"]),
        (ScoreChanges({"key": "C minor"}), ["key: A minor   # home"], ["key: C minor   # home"]),
        (ScoreChanges({"seed": "5", "tempo": "80"}), ["tempo: 90"], ["tempo: 80", "seed: 5"]),
        (
            ScoreChanges({"transpose": "1", "sections": "[A, B]"}),
            ["sections:", "- {name: A, bars: 2}", "- {name: B, bars: 2}"],
            ["transpose: 1", "sections: [A, B]"],
        ),
        (ScoreChanges(parts=[PartChange("mute", "lead", "mute", "true")]), [], ["  mute: true"]),
        (ScoreChanges(chords={2: "Dm"}), [], ['  2: "1 Dm 4"']),
        (ScoreChanges(chords={3: "1 F 2, 3 G 2"}), ["  3: 1 F 4"], ['  3: "1 F 2, 3 G 2"']),
        (ScoreChanges(chords={4: "E7"}), [], ['  4: "1 E7 4"']),
        (ScoreChanges(parts=[PartChange("rename", "melody", "name", quoted("Ann's"))]), ["- name: lead"],
         ["- name: 'Ann''s'"]),
    ],
)  # fmt: skip
def test_an_edit_changes_its_own_lines(changes: ScoreChanges, gone: list[str], new: list[str]) -> None:
    assert lines_that_differ(edited_document(BLOCK, changes)) == (gone, new)


def test_a_part_in_braces_is_edited_in_its_line() -> None:
    edited = edited_document(BLOCK, ScoreChanges(parts=[PartChange("mute", "drums", "mute", "true")]))
    assert "- {name: kit, mute: true, role: drums" in edited
    assert [part.name for part in load_score(edited.replace("[A, B]", "")).parts] == ["lead"]


def test_windows_line_ends_and_a_missing_last_line_end_do_no_harm() -> None:
    edited = edited_document(BLOCK.rstrip().replace("\n", "\r\n"), ScoreChanges({"transpose": "2"}, chords={4: "G"}))
    assert load_score(edited).chords[-1].chord.root == 9


def test_a_part_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidRequest, match=re.escape("mute: there is no part 'drms'; did you mean drums?")):
        edited_document(BLOCK, ScoreChanges(parts=[PartChange("mute", "drms", "mute", "true")]))


@pytest.mark.parametrize(
    ("fields", "pitches"),
    [("transpose: 2", [71]), ("octave: 1", [81]), ("octave: -1\n  transpose: 3", [60]), ("solo: true", [69])],
)
def test_a_part_is_moved_and_heard_as_it_says(fields: str, pitches: list[int]) -> None:
    score = load_score(BLOCK.replace("- {name: B, bars: 2}\n", "- {name: B, bars: 2}\n").replace(
        "  instrument: flute\n", f"  instrument: flute\n  {fields}\n"))  # fmt: skip
    assert [note.pitch for note in score.parts[0].notes] == pitches
    assert len(score.parts) == (1 if "solo" in fields else 2)


def test_sections_repeat_and_come_back_by_name() -> None:
    text = BLOCK.replace("- {name: B, bars: 2}\n", "- {name: B, bars: 2, repeat: 2}\n- A\n")
    score = load_score(text)
    assert [(one.name, one.bar) for one in score.sections] == [("A", 0), ("B", 2), ("B", 4), ("A", 6)]
    assert [note.start for note in score.parts[0].notes] == [0, 24]
    assert [(span.start, str(span.chord)) for span in score.chords] == [(0, "Am"), (8, "F"), (16, "F"), (24, "Am")]


def test_groove_needs_a_genre_and_moves_the_notes_of_fixed_parts() -> None:
    text = BLOCK.replace("  instrument: flute\n", "  instrument: flute\n  humanize: 1\n")
    with pytest.raises(InvalidScore, match="need a 'genre'"):
        load_score(text)
    plain, played = (load_score(f"genre: jazz\n{one}").parts[0].notes for one in (BLOCK, text))
    assert plain == load_score(f"groove: 0\nhumanize: 0\n{BLOCK}").parts[0].notes
    assert [note.pitch for note in played] == [note.pitch for note in plain]
    assert played != plain
