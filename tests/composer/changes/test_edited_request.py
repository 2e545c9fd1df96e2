"""A change of a request by words and fields: what is named changes, all else stays, and what is not known is said."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tunesmith.composer.changes import EditedRequest, edit_request
from tunesmith.composer.changes.request_state import RequestState
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

LOFI = GenerationRequest.checked(prompt="calm lofi hip hop with piano and rain", seed=3)
FILM = GenerationRequest.checked(prompt="dark cinematic strings, 90 bpm, 4/4, in D minor, 40 seconds", seed=7)
LOOP = GenerationRequest.checked(prompt="happy ukulele loop", seed=1)
DECIDED = [field.name for field in fields(RequestState.of(LOFI).brief)]
NOT_MUSIC = {"reasons", "warnings", "tempo_is_given", "tempo_range"}


def moved(before: GenerationRequest, after: GenerationRequest) -> set[str]:
    """Return the decisions in which two pieces differ, with tempo and length as they will be."""
    old, new = RequestState.of(before), RequestState.of(after)
    names = {name for name in DECIDED if getattr(old.brief, name) != getattr(new.brief, name)} - NOT_MUSIC
    # What is taken out of the finished piece, who joins it and the mood by itself are other names of these.
    also = {"removed": "without", "added": "instruments", "usual": "mood"}
    names = {also.get(name, name) for name in names} - {"tempo_bpm", "duration", "bars", "loudness_lufs"}
    names |= {"tempo_bpm"} if old.tempo_bpm != new.tempo_bpm else set()
    names |= {"duration"} if abs(old.timeline.duration - new.timeline.duration) > 0.01 else set()
    return names | ({"loudness_lufs"} if old.loudness_lufs != new.loudness_lufs else set())


@pytest.mark.parametrize("request_", [LOFI, FILM], ids=["lofi", "film"])
@pytest.mark.parametrize(
    ("words", "fields_"),
    [
        ("brighter", {"mood"}),
        ("no drums", {"without"}),
        ("add a flute", {"instruments"}),
        ("mit Cello statt Klavier", {"instruments", "without"}),
        ("plus long", {"duration"}),
        ("a tone higher", {"key"}),
        ("only the second half louder", {"balance"}),
        ("end with a fade out", {"ending"}),
        ("イントロを短く", {"intro"}),
        ("louder", {"loudness_lufs"}),
        ("in 6/8", {"meter"}),
        ("más seco", {"production"}),
    ],
)
def test_only_what_the_words_name_moves(request_: GenerationRequest, words: str, fields_: set[str]) -> None:
    edited = edit_request(request_, words)
    assert edited.request.seed == request_.seed
    assert edited.request.prompt == request_.prompt
    assert moved(request_, edited.request) <= fields_
    assert edited.changes
    assert not edited.not_understood
    assert all(change.source == "words" and repr(words) in change.because for change in edited.changes)


def test_another_genre_keeps_what_it_can_and_says_what_follows() -> None:
    edited = edit_request(FILM, "same but as a waltz")
    shown = {change.field: change for change in edited.changes}
    assert (shown["genre"].after, shown["meter"].after, shown["meter"].source) == ("Waltz", "3/4", "follows")
    assert moved(FILM, edited.request) <= {"genre", "meter"}


def test_a_much_happier_mood_turns_a_drawn_minor_key_to_major_and_never_a_given_one() -> None:
    seeds = (GenerationRequest.checked(prompt="calm piano", seed=seed) for seed in range(40))
    sad = next(one for one in seeds if RequestState.of(one).brief.key.is_minor)
    edited = edit_request(sad, "much happier")
    keys = [RequestState.of(one).brief.key for one in (sad, edited.request)]
    assert (keys[0].is_minor, keys[1].mode, keys[0].tonic) == (True, "major", keys[1].tonic)
    assert str(RequestState.of(edit_request(FILM, "much happier").request).brief.key) == "D minor"


def test_a_loop_keeps_its_bars_at_another_tempo() -> None:
    states = [RequestState.of(one) for one in (LOOP, edit_request(LOOP, "slower").request)]
    assert states[0].timeline.bars == states[1].timeline.bars
    assert states[0].timeline.duration < states[1].timeline.duration


def test_another_tempo_keeps_the_bars_or_the_length_that_was_given() -> None:
    edited = edit_request(LOFI, "slower")
    states = [RequestState.of(one) for one in (LOFI, edited.request)]
    assert states[0].timeline.bars == states[1].timeline.bars
    assert [(change.field, change.source) for change in edited.changes] == [("tempo", "words"), ("length", "follows")]
    assert moved(FILM, edit_request(FILM, "slower").request) == {"tempo_bpm"}


def test_changes_add_up() -> None:
    once = edit_request(LOFI, "no drums").request
    twice = edit_request(once, "add a flute, drums again please, más lento").request
    assert not twice.without
    assert set(twice.instruments) == {"+flute", "+drums"}
    assert {"flute", "drums"} <= RequestState.of(twice).names
    louder = edit_request(edit_request(LOFI, "louder piano").request, "louder piano").request
    assert louder.balance == ("piano=8",)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("faster, slower", "tempo"),
        ("happier but sadder", "mood"),
        ("no drums, more drums", "instruments"),
        ("90 bpm, 100 bpm", "tempo"),
        ("longer and shorter", "duration"),
        ("no guitar, louder guitar", "instruments"),
    ],
)
def test_contradictions_are_one_line_that_names_both(words: str, about: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^words: .* and .* contradict each other about {about}"):
        edit_request(LOFI, words)


def test_words_that_are_not_understood_are_said_and_the_others_hold() -> None:
    edited = edit_request(LOFI, "slower, with sparkly unicorns")
    assert edited.not_understood == ("sparkly unicorns",)
    assert [change.field for change in edited.changes if change.source == "words"] == ["tempo"]
    with pytest.raises(InvalidRequest, match=r"^words: change nothing: not understood: 'sparkly unicorns'$"):
        edit_request(LOFI, "sparkly unicorns").check_anything("sparkly unicorns")


@pytest.mark.parametrize(
    ("words", "field", "after"),
    [
        ("10 bpm faster", "tempo", "100 bpm"),
        ("zwanzig bpm langsamer", "tempo", "70 bpm"),
        ("faster, 120 bpm", "tempo", "120 bpm"),
        ("half the tempo", "tempo", "45 bpm"),
        ("twice as long", "length", "80 s"),
        ("10 seconds shorter", "length", "30 s"),
        ("la mitad de largo", "length", "20 s"),
        ("three semitones up", "key", "F minor"),
        ("少しテンポを落として", "tempo", "84 bpm"),
    ],
)
def test_amounts_count_from_the_piece(words: str, field: str, after: str) -> None:
    assert [(change.field, change.after) for change in edit_request(FILM, words).changes] == [(field, after)]


def test_only_leaves_out_all_others() -> None:
    state = RequestState.of(edit_request(LOFI, "only piano and bass").request)
    assert {"piano", "bass"} <= {name for player in state.players for name in (player & {"piano", "bass"})}
    assert all(player & {"piano", "felt_piano", "bass", "keys"} for player in state.players)


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("the second half faster", "can only be louder or quieter"),
        ("an octave higher", "does not change the key"),
        ("louder trumpet", "no trumpet plays"),
        ("change the drums", "say what it should be instead"),
        ("as lofi", "changes nothing: genre is"),
        ("999 bpm", "must be 20 to 300, got 999; made 300"),
        ("as sung by a choir of singers, faster", "cannot sing"),
    ],
)
def test_what_cannot_be_done_is_said(words: str, note: str) -> None:
    assert any(note in one for one in edit_request(LOFI, words).notes)


@pytest.mark.parametrize(
    ("given", "field", "after"),
    [
        ({"key": "E minor"}, "key", "E minor"),
        ({"mood": "0.8,0.2"}, "mood", "bright, moderate (+0.80, +0.20)"),
        ({"mood": "happier"}, "mood", "bright, calm (+0.65, -0.60)"),
        ({"duration": "1:00"}, "length", "60 s"),
        ({"sample_rate": 48000}, "sample_rate", "48000"),
        ({"without": ["drums"]}, "without", "drums"),
        ({"instruments": ["+flute"]}, "instruments", "+flute"),
    ],
)
def test_fields_change_a_request_too(given: dict[str, Any], field: str, after: str) -> None:
    edited = edit_request(LOFI, "", given)
    assert [(change.field, change.after) for change in edited.changes] == [(field, after)]


def test_a_field_against_the_words_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^tempo_bpm: is 120\.0 here, and the words say 'slower'; give only one$"):
        edit_request(LOFI, "slower", {"bpm": 120})


def test_a_model_that_reads_only_text_gets_the_words_in_its_prompt() -> None:
    request = GenerationRequest.checked(prompt="calm piano", seed=3, model="musicgen-small", tempo_bpm=100, duration=10)
    edited = edit_request(request, "slower, without drums, longer")
    assert edited.request.prompt == "calm piano, slower, without drums, longer"
    assert (edited.request.tempo_bpm, edited.request.duration, edited.request.seed) == (85, 15, 3)
    assert "musicgen-small reads the words as part of its prompt" in edited.notes[0]


@pytest.mark.parametrize("words", ["...", "1/0", "é", "no", "without", "instead of", "代替", "a a a", "é" * 9])
def test_any_words_are_answered(words: str) -> None:
    assert isinstance(edit_request(LOFI, words), EditedRequest)


@pytest.mark.parametrize("fields_", [{"guide": "composer", "strength": 0.6}, {"perform": True, "performances": 2}])
def test_a_piece_that_a_model_plays_changes_as_the_composers_own_does(fields_: dict[str, Any]) -> None:
    played = LOFI.changed(model="a-model", **fields_)
    edited, own = edit_request(played, "slower, no drums"), edit_request(LOFI, "slower, no drums")
    assert edited.changes == own.changes
    assert edited.request == own.request.changed(model="a-model", **fields_)


def test_a_score_is_not_changed_by_words() -> None:
    with pytest.raises(InvalidRequest, match="score: is changed as a document"):
        edit_request(LOFI.changed(score="a.yaml"), "slower")
