from __future__ import annotations

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.errors import InvalidRequest, UnknownName
from tunesmith.request import GenerationRequest


def read(prompt: str, **flags: object) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, **{"seed": 1, **flags}))


def test_flags_win_over_the_prompt() -> None:
    brief = read(
        "slow jazz in A minor, 3/4, 80 bpm, 40 seconds with sax",
        genre="house", key="Eb major", meter="4/4", tempo_bpm=126, duration=12, instruments=("piano",), form="bed",
    )  # fmt: skip
    assert (brief.genre, str(brief.key), str(brief.meter), brief.tempo_bpm) == ("house", "Eb major", "4/4", 126)
    assert (brief.duration, brief.form) == (12, "bed")
    assert brief.instruments == ("piano",)
    sources = {reason.field: reason.source for reason in brief.reasons}
    assert {sources[field] for field in ("genre", "key", "meter", "tempo", "duration", "form")} == {"flag"}


def test_a_without_flag_silences_what_the_prompt_wants() -> None:
    brief = read("jazz with drums and piano", without=("drums",))
    assert "drums" in brief.without
    assert brief.instruments == ("piano",)


def test_an_instrument_flag_is_never_dropped_in_silence() -> None:
    brief = read("jazz", instruments=("piano",), without=("keys",))
    assert brief.instruments == ("piano",)
    assert "piano" not in brief.without
    assert any("piano" in warning for warning in brief.warnings) or not brief.without & {"keys"}


@pytest.mark.parametrize("name", ["piano", "strings", "percussion", "melody", "drums", "guitar", "pad", "winds"])
def test_without_takes_instruments_families_and_roles(name: str) -> None:
    assert read("pop", without=(name,)).without


@pytest.mark.parametrize(
    ("flags", "nearest"),
    [
        ({"genre": "lofy"}, "lofi"),
        ({"instruments": ("pianoo",)}, "piano"),
        ({"without": ("drumms",)}, "drums"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(flags: dict[str, object], nearest: str) -> None:
    with pytest.raises(UnknownName) as caught:
        read("jazz", **flags)
    assert nearest in caught.value.nearest


@pytest.mark.parametrize(
    ("field", "text"), [("key", "H sharp"), ("key", "purple"), ("meter", "4/5"), ("meter", "fast"), ("meter", "99/4")]
)
def test_a_key_or_meter_that_cannot_be_names_field_and_value(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read("jazz", **{field: text})
    assert caught.value.field == field
    assert text in str(caught.value)


@pytest.mark.parametrize(("text", "key"), [("c-moll", "C minor"), ("la menor", "A minor"), ("F#m", "F# minor")])
def test_a_key_flag_may_be_in_another_language(text: str, key: str) -> None:
    assert str(read("jazz", key=text).key) == key


def test_bars_duration_and_tempo_must_agree() -> None:
    agreeing = read("jazz", meter="4/4", bars=8, tempo_bpm=120, duration=16)
    assert (agreeing.bars, agreeing.duration, agreeing.tempo_bpm) == (8, 16, 120)
    with pytest.raises(InvalidRequest, match=r"8 bars.*20 s.*120 bpm"):
        read("jazz", meter="4/4", bars=8, tempo_bpm=120, duration=20)


def test_bars_and_duration_fix_the_tempo() -> None:
    brief = read("jazz", meter="4/4", bars=8, duration=20)
    assert brief.tempo_bpm == pytest.approx(96)
    assert brief.tempo_is_given
    with pytest.raises(InvalidRequest, match="bars"):
        read("jazz", meter="4/4", bars=100, duration=5)


def test_bars_longer_than_the_limit_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="bars"):
        read("jazz", bars=2000, tempo_bpm=40)


def test_the_last_hit_lies_within_the_piece() -> None:
    request = GenerationRequest.model_validate({"prompt": "jazz", "seed": 1, "hits": [{"time": 50}]})
    duration = read_brief(request).duration
    assert duration is not None
    assert duration > 50


def test_what_the_prompt_asks_beyond_the_limits_is_limited_with_a_warning() -> None:
    brief = read("three hours of ambient music")
    assert brief.duration == 1800
    assert any("duration" in warning for warning in brief.warnings)
    assert any("500" in warning for warning in read("techno at 500 bpm").warnings)
