"""A composed score as a document: untouched it is the same piece, and what it follows is written anew when changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tunesmith.composer.check_request import check_request
from tunesmith.composer.score import Note
from tunesmith.composer.score_file import LoadedScore, dump_score, load_document
from tunesmith.composer.writing import Writing, write_score
from tunesmith.errors import InvalidScore
from tunesmith.request import GenerationRequest

REQUEST = GenerationRequest.checked(prompt="an indie folk song", genre="indie_folk", seed=3, duration=30)
WRITING: Writing = write_score(check_request(REQUEST))
DOCUMENT = dump_score(WRITING.score, WRITING.written)
BEATS = WRITING.score.meter.beats_per_bar
ORIGINAL = {part.player.name: part.notes for part in WRITING.written.parts}


def changed(pattern: str, new: str) -> LoadedScore:
    """Load the document with the first match of a pattern, from a line's start, replaced."""
    text, count = re.subn(rf"^{pattern}", new, DOCUMENT, count=1, flags=re.MULTILINE)
    assert count == 1
    return load_document(text)


def notes_of(loaded: LoadedScore) -> Mapping[str, tuple[Note, ...]]:
    """Return the written notes by player."""
    assert loaded.written is not None
    return {part.player.name: part.notes for part in loaded.written.parts}


def bars_that_differ(one: tuple[Note, ...], other: tuple[Note, ...]) -> set[int]:
    """Return the bars, from 1, in which two lines differ."""
    return {int(note.start / BEATS + 1e-9) + 1 for note in {*one} ^ {*other}}


@pytest.mark.parametrize(
    ("genre", "fields"),
    [
        ("waltz", {"duration": 20}),
        ("jazz", {"bars": 10}),
        ("dubstep", {"duration": 15, "loop": True}),
        ("folk", {"bars": 8, "key": "F# minor", "without": ("bass",), "balance": ("all=6@50-100", "melody=-3")}),
    ],
)
def test_an_untouched_document_is_the_same_score_to_the_last_note(genre: str, fields: dict[str, object]) -> None:
    request = GenerationRequest.checked(prompt="music", genre=genre, seed=11, **fields)
    writing = write_score(check_request(request))
    document = dump_score(writing.score, writing.written)
    loaded = load_document(document)
    assert loaded.score == writing.score
    assert dump_score(loaded.score, loaded.written) == document


def test_a_changed_chord_is_played_by_what_follows_chords_and_by_nothing_else() -> None:
    section = next(one for one in WRITING.score.sections if one.name == "A")
    bar = section.bar + 3
    loaded = changed(rf"  {bar}: 1 .*$", f"  {bar}: 1 Ebmaj7 {BEATS:g}")
    notes = notes_of(loaded)
    struck = [
        note for name in ("chords", "bass") for note in notes[name] if (bar - 1) * BEATS <= note.start < bar * BEATS
    ]
    assert struck
    assert {3, 7, 10, 2} >= {note.pitch % 12 for note in struck if note.start == (bar - 1) * BEATS}
    assert bar in bars_that_differ(notes["chords"], ORIGINAL["chords"])
    assert len(bars_that_differ(notes["chords"], ORIGINAL["chords"])) <= 4
    followers = {part.player.name: part.follow for part in WRITING.written.parts}
    assert all(notes[name] == ORIGINAL[name] for name, follow in followers.items() if follow == "form")


def test_a_changed_chord_in_the_build_to_a_climax_brings_nobody_back() -> None:
    climax = GenerationRequest.checked(prompt="cinematic", seed=3, duration=40, hits=({"time": 24, "climax": True},))
    writing = write_score(check_request(climax))
    beats, bar = writing.score.meter.beats_per_bar, 6
    resting = {part.player.name for part in writing.written.parts if not inside(part.notes, bar, beats)}
    assert "bass" in resting
    document, chord = dump_score(writing.score, writing.written), f"  {bar}: 1 Ebm {beats:g}"
    text, count = re.subn(rf"^  {bar}: 1 .*$", chord, document, count=1, flags=re.MULTILINE)
    assert count == 1
    assert {name for name, notes in notes_of(load_document(text)).items() if not inside(notes, bar, beats)} == resting


def inside(notes: tuple[Note, ...], bar: int, beats: float) -> bool:
    """Return whether any note begins in a bar, from 1."""
    return any((bar - 1) * beats <= note.start < bar * beats - 1e-6 for note in notes)


def test_fixed_notes_stay_where_a_chord_changes() -> None:
    bar = next(one for one in WRITING.score.sections if one.name == "A").bar + 3
    text = DOCUMENT.replace("follow: chords", "follow: fixed")
    loaded = load_document(re.sub(rf"^  {bar}: 1 .*$", f"  {bar}: 1 Ebmaj7 {BEATS:g}", text, count=1, flags=re.M))
    assert {name for name, notes in notes_of(loaded).items() if notes != ORIGINAL[name]} <= {"counter"}


def test_who_rests_in_the_build_before_a_climax_rests_over_a_changed_chord_too() -> None:
    fields = {
        "prompt": "a pop song",
        "genre": "pop",
        "seed": 3,
        "duration": 45,
        "hits": ({"time": 20, "climax": True},),
    }
    writing = write_score(check_request(GenerationRequest.checked(**fields)))
    score, beats = writing.score, writing.score.meter.beats_per_bar
    bar = round(score.tempo_map.beat_at(20) / beats) - 1
    document = re.sub(
        rf"^  {bar}: 1 .*$",
        f"  {bar}: 1 Ebmaj7 {beats:g}",
        dump_score(score, writing.written),
        count=1,
        flags=re.MULTILINE,
    )
    notes = notes_of(load_document(document))
    before = {part.player.name: part.notes for part in writing.written.parts}
    assert notes != before

    def playing(lines: Mapping[str, tuple[Note, ...]]) -> set[str]:
        return {
            name for name, line in lines.items() if any((bar - 1) * beats <= note.start < bar * beats for note in line)
        }

    assert playing(notes) == playing(before) < set(before)


def test_another_key_moves_chords_and_notes_by_one_interval() -> None:
    key = WRITING.score.key
    loaded = changed("key: .*$", f"key: {'B' if key.tonic_name == 'A' else 'A'} {key.mode}")
    shift = (loaded.score.key.tonic - key.tonic) % 12
    for name, notes in notes_of(loaded).items():
        assert [note.start for note in notes] == [note.start for note in ORIGINAL[name]]
        moves = {(note.pitch - old.pitch) % 12 for note, old in zip(notes, ORIGINAL[name], strict=True)}
        assert moves <= {shift} or name.startswith(("drums", "percussion", "effects"))
    roots = [span.chord.root for span in loaded.score.chords]
    assert roots == [(span.chord.root + shift) % 12 for span in WRITING.score.chords]


def test_another_mode_moves_every_chord_to_the_same_degree() -> None:
    key = WRITING.score.key
    loaded = changed("key: .*$", f"key: {key.tonic_name} {'major' if key.is_minor else 'minor'}")
    assert loaded.score.chords != WRITING.score.chords
    home = [span for span in WRITING.score.chords if span.chord.root == key.tonic]
    there = {span.start: span.chord for span in loaded.score.chords}
    assert home
    assert all(there[span.start].root == key.tonic for span in home)
    assert all(
        (3 in there[span.start].intervals) != (3 in span.chord.intervals)
        for span in home
        if span.chord.quality[:3] != "sus"
    )


def test_another_tempo_keeps_the_notes_and_changes_the_length() -> None:
    loaded = changed("tempo: .*$", "tempo: 200")
    assert notes_of(loaded) == ORIGINAL
    assert loaded.score.duration < WRITING.score.duration


def test_sections_in_another_order_take_their_bars_with_them() -> None:
    names = list(dict.fromkeys(one.name for one in WRITING.score.sections))
    block = DOCUMENT[DOCUMENT.index("sections:") : DOCUMENT.index("chords:")]
    order = [names[0], "A", "A", names[-1]]
    loaded = load_document(DOCUMENT.replace(block, f"sections: [{', '.join(order)}]\n", 1))
    assert [one.name for one in loaded.score.sections] == order
    first = next(one for one in WRITING.score.sections if one.name == "A")
    start = loaded.score.sections[1].bar * BEATS
    moved = [span.chord for span in loaded.score.chords if start <= span.start < start + first.bars * BEATS]
    own = [
        span.chord
        for span in WRITING.score.chords
        if first.bar * BEATS <= span.start < (first.bar + first.bars) * BEATS
    ]
    assert moved == own
    assert loaded.score.bars == sum(one.bars for one in loaded.score.sections)


@pytest.mark.parametrize("change", [3, -2])
def test_a_section_of_another_length_gets_chords_and_notes_throughout(change: int) -> None:
    bars = next(one for one in WRITING.score.sections if one.name == "A").bars
    loaded = load_document(DOCUMENT.replace(f"name: A, bars: {bars}", f"name: A, bars: {bars + change}", 1))
    assert loaded.score.bars == WRITING.score.bars + change
    covered = {int(span.start / BEATS + 1e-9) for span in loaded.score.chords}
    assert covered == set(range(loaded.score.bars))


@pytest.mark.parametrize("meter", ["3/4", "7/8"])
def test_another_meter_writes_every_bar_anew(meter: str) -> None:
    loaded = changed("meter: .*$", f"meter: {meter}")
    beats = loaded.score.meter.beats_per_bar
    assert max(note.start for part in loaded.score.parts for note in part.notes) <= loaded.score.bars * beats
    assert {int(span.start / beats + 1e-9) for span in loaded.score.chords} == set(range(loaded.score.bars))


def test_bars_that_a_person_wrote_stay_with_a_warning() -> None:
    bar = next(one for one in WRITING.score.sections if one.name == "A").bar + 3
    head, part, tail = DOCUMENT.partition("- name: chords\n")
    mine = re.sub(rf"^    {bar}: .*$", f"    {bar}: 1 C4 1 99", tail, count=1, flags=re.MULTILINE)
    text = re.sub(rf"^  {bar}: 1 .*$", f"  {bar}: 1 Ebmaj7 {BEATS:g}", head, count=1, flags=re.MULTILINE) + part + mine
    loaded = load_document(text)
    inside = [note for note in notes_of(loaded)["chords"] if (bar - 1) * BEATS <= note.start < bar * BEATS]
    assert [(note.pitch, note.velocity) for note in inside] == [(60, 99)]
    assert f"part chords: bar {bar} was changed by hand, and stays so" in loaded.warnings


def test_straight_and_without_chance_every_melody_note_is_on_the_grid() -> None:
    loaded = load_document(DOCUMENT.replace("groove: 1\nhumanize: 1", "groove: 0\nhumanize: 0"))
    assert notes_of(loaded) == ORIGINAL
    played = {part.name: part.notes for part in loaded.score.parts}
    assert [note.start for note in played["melody"]] == [note.start for note in ORIGINAL["melody"]]
    original = {part.name: part.notes for part in WRITING.score.parts}
    assert played["melody"] != original["melody"]


def test_the_groove_of_the_piece_is_said_once_when_it_is_written_again() -> None:
    straight = DOCUMENT.replace("groove: 1\nhumanize: 1", "groove: 0\nhumanize: 0.5")
    loaded = load_document(straight)
    assert dump_score(loaded.score, loaded.written) == straight
    own = straight.replace("  follow: melody\n", "  follow: melody\n  groove: 2\n", 1)
    assert own != straight
    loaded = load_document(own)
    again = dump_score(loaded.score, loaded.written)
    assert again.count("groove:") == own.count("groove:")
    assert load_document(again).score == loaded.score


def test_a_name_that_a_person_gives_changes_no_note() -> None:
    loaded = changed("- name: melody$", "- name: Anna's tune")
    named = {part.name: part.notes for part in loaded.score.parts}
    assert named["Anna's tune"] == next(part.notes for part in WRITING.score.parts if part.name == "melody")


def test_parts_without_notes_are_written_from_nothing_but_chords_and_sections() -> None:
    score = load_document(
        "genre: jazz\nseed: 4\nkey: C major\nmeter: 4/4\ntempo: 120\n"
        "sections: [{name: A, bars: 4}, {name: B, bars: 4}, A]\n"
        "chords: {1: 1 Dm7 4, 2: 1 G7 4, 3: 1 Cmaj7 8}\n"
        "parts:\n- {name: hands, role: chords, instrument: piano, follow: chords}\n"
        "- {name: low, role: bass, instrument: double_bass, follow: chords}\n"
        "- {name: kit, role: drums, instrument: jazz_kit, follow: form}\n"
    ).score
    assert score.bars == 12
    assert all(part.notes for part in score.parts)
    assert {int(span.start / 4) for span in score.chords} == set(range(12))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("follow: chords", "follow: chord", "follow cannot be 'chord'; did you mean chords?"),
        ("genre: indie_folk", "genre: indie_fok", "genre cannot be 'indie_fok'; did you mean indie_folk?"),
        ("genre: indie_folk", "genre: ''", "need a 'genre'"),
        ("groove: 1", "groove: 3", "groove must be a number from 0 to 2, got '3'"),
        ("style: walking", "style: wakling", "style cannot be 'wakling'"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, message: str) -> None:
    style = re.search(r"style: \w+, register: \d+, voicing: \w+", DOCUMENT[DOCUMENT.index("role: bass") :])
    assert style is not None
    text = DOCUMENT if old in DOCUMENT else DOCUMENT.replace(style[0], style[0].replace(style[0].split(",")[0], old))
    with pytest.raises(InvalidScore, match=re.escape(message)):
        load_document(text.replace(old, new, 1))


def test_a_section_that_is_not_there_is_named_with_the_nearest() -> None:
    block = DOCUMENT[DOCUMENT.index("sections:") : DOCUMENT.index("chords:")]
    with pytest.raises(InvalidScore, match=r"there is no section 'A1'; did you mean A\?|sections are"):
        load_document(DOCUMENT.replace(block, "sections: [A1]\n", 1))


@pytest.mark.parametrize("change", [("role: melody", "role: bass"), ("instrument: \\w+", "instrument: piccolo")])
def test_a_part_with_another_role_or_instrument_is_still_written(change: tuple[str, str]) -> None:
    text = re.sub(*change, DOCUMENT, count=1)
    loaded = load_document(re.sub("^key: .*$", "key: F# minor", text, count=1, flags=re.MULTILINE))
    assert all(part.notes for part in loaded.score.parts)
