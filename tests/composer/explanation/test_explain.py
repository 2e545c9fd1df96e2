"""An explanation has an answer for every question, final and true, with its words and what else it could be."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.composer.composition import compose
from tunesmith.composer.explanation.answers import Answer
from tunesmith.composer.explanation.explain import ORDER, SETS, explain
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

PROMPT = "warm lofi hip hop with a Rhodes and rain, 84 bpm, no flute, 20 seconds, fade out"


def answers(sent: str, **fields: Any) -> dict[str, list[Answer]]:
    """Return the answers for a request by their field."""
    found: dict[str, list[Answer]] = {}
    for answer in explain(GenerationRequest.checked(prompt=sent, **fields), sent).answers:
        found.setdefault(answer.field, []).append(answer)
    return found


def words(sent: str, field: str, **fields: Any) -> list[str]:
    """Return the words of the first answer for a field, cut out of the prompt as it was sent."""
    return [sent[span.start : span.end] for span in answers(sent, **fields)[field][0].spans]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("genre", ["lofi hip hop"]), ("mood", ["warm"]), ("tempo", ["84 bpm"]), ("instruments", ["Rhodes"]),
        ("ambience", ["rain"]), ("without", ["flute"]), ("duration", ["20 seconds"]), ("ending", ["fade out"]),
    ],
)  # fmt: skip
def test_answers_from_words_say_which(field: str, said: list[str]) -> None:
    answer = answers(PROMPT)[field][0]
    assert (answer.source, words(PROMPT, field)) == ("words", said)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ("  calm ﬂute in 3/4", "instruments", ["ﬂute"]), ("🎹🎹 jazz, C♯ minor", "key", ["C♯ minor"]),
        ("cal\u200bm piano\n\n3/4", "meter", ["3/4"]), ("ｆｌｕｔｅ and ｐｉａｎｏ", "instruments", ["ｆｌｕｔｅ"]),
        ("a loop of 8 bars", "bars", ["8 bars"]), ("a loop of 8 bars", "form", ["loop"]),
        ("cafe\u0301 jazz with piano", "instruments", ["piano"]),
        ("a piece for a sleeping child", "genre", ["sleeping child"]),
    ],
)  # fmt: skip
def test_spans_are_those_of_the_text_as_it_was_sent(sent: str, field: str, said: list[str]) -> None:
    assert words(sent, field) == said


def test_what_the_request_sets_is_locked_and_nothing_else() -> None:
    settings: dict[str, Any] = {
        "genre": "jazz", "tempo_bpm": 120, "key": "Bb minor", "meter": "3/4", "instruments": ["flute"],
        "without": ["drums"], "loop": True, "bars": 4, "loudness_lufs": -20, "intensity": 0.5, "seed": 7,
    }  # fmt: skip
    found = answers("a piece", **settings)
    locked = {one.sets for rows in found.values() for one in rows if one.is_locked}
    assert locked == {*settings, "form"} - {"form"}
    assert {one.source for rows in found.values() for one in rows if one.is_locked} == {"setting"}
    assert found["key"][0].label == "B♭ minor"
    assert found["form"][0].label == "Loop"


def test_the_tempo_is_the_one_that_will_be_played() -> None:
    request = GenerationRequest.checked(prompt="calm piano", hits=[{"time": 7.3}, {"time": 15, "climax": True}])
    found = {one.field: one for one in explain(request).answers}
    score = compose(request).score
    assert found["tempo"].value == pytest.approx(score.tempo_map.changes[0][1] / score.meter.felt_beat, abs=1e-4)
    assert found["tempo"].reason.endswith("to meet the hit points")
    assert found["duration"].value == pytest.approx(score.duration, abs=1e-3)
    assert (found["hits"].label, found["hits"].value) == ("Climax at 0:15", {"time": 15.0, "climax": True})


@pytest.mark.parametrize("prompt", ["bossa nova with a flute", "tender electronic music"])
def test_the_instruments_are_those_of_the_score(prompt: str) -> None:
    for seed in range(6):
        request = GenerationRequest.checked(prompt=prompt, seed=seed)
        named = {one.value for one in explain(request).answers if one.field == "instruments"}
        # A player may have nothing to play in so short a form.
        assert {part.instrument for part in compose(request).score.parts} <= named


def test_every_alternative_can_be_set_and_is_then_the_answer() -> None:
    for answer in explain(GenerationRequest.checked(prompt="folk song with a guitar")).answers:
        for choice in answer.alternatives:
            assert answer.sets
            value = [choice.value] if answer.field == "instruments" else choice.value
            request = GenerationRequest.checked(prompt="folk song", **{answer.sets: value})
            changed = next(one for one in explain(request).answers if one.field == answer.field)
            assert (changed.value, changed.label, changed.is_locked) == (choice.value, choice.label, True)


def test_every_answer_has_a_place_in_the_order() -> None:
    assert set(SETS) <= set(ORDER)
    assert [one.field for one in explain(GenerationRequest.checked(prompt=PROMPT)).answers] == sorted(
        (one.field for one in explain(GenerationRequest.checked(prompt=PROMPT)).answers), key=ORDER.index
    )


def test_what_cannot_be_met_is_refused_as_it_would_be_when_made() -> None:
    request = GenerationRequest.checked(prompt="rock, 116 bpm", hits=[{"time": 7.3}])
    with pytest.raises(InvalidRequest, match="hit"):
        explain(request)


def test_a_moment_of_the_prompt_that_no_bar_can_meet_gives_way_as_it_would_when_made() -> None:
    request = GenerationRequest.checked(prompt="slow, 40 bpm, hit at 0:01, hit at 0:03, 12 seconds", seed=1)
    found = explain(request)
    assert "hits" not in {one.field for one in found.answers}
    assert found.warnings == compose(request).warnings


def test_loudness_and_hits_of_a_prompt_are_from_its_words_and_those_of_a_bed_usual() -> None:
    sent = "calm piano, 30 s, climax at 0:20, at -16 LUFS"
    found = answers(sent)
    assert [(one.source, one.value) for one in found["loudness"]] == [("words", -16.0)]
    assert words(sent, "loudness") == ["16 LUFS"]
    assert [(one.source, one.is_locked) for one in found["hits"]] == [("words", False)]
    bed = answers("music under a voice")["loudness"][0]
    assert (bed.source, bed.reason) == ("genre", "a bed lies under speech")
