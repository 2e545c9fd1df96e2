from __future__ import annotations

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.composition import compose
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest


def read(prompt: str, **flags: object) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, **{"seed": 1, **flags}))


@pytest.mark.parametrize(
    ("prompt", "lufs"),
    [
        ("calm ambient at -20 LUFS", -20), ("jazz, -16.5 LUFS", -16.5), ("LUFS: -18, calm", -18), ("20 LUFS", -20),
        ("música a menos 20 LUFS", -20), ("Musik mit −23 LUFS", -23), ("musique à -19,5 LUFS", -19.5),
        ("音量は-20 LUFS", -20), ("响度-20 LUFS", -20), ("-14 dB LUFS", -14), ("calm", None),
    ],
)  # fmt: skip
def test_the_loudness_of_a_prompt_is_read(prompt: str, lufs: float | None) -> None:
    brief = read(prompt)
    assert brief.loudness_lufs == lufs
    assert not any("not used" in warning for warning in brief.warnings)


def test_the_reason_shows_the_loudness_as_the_user_wrote_it() -> None:
    reason = next(reason for reason in read("calm at -20 LUFS").reasons if reason.field == "loudness")
    assert "'-20 LUFS'" in reason.because


def test_a_loudness_beyond_the_limits_is_limited_with_a_warning_and_a_flag_wins() -> None:
    assert read("calm at -60 LUFS").loudness_lufs == -40
    assert any("must be -40 to -8 LUFS, got -60" in warning for warning in read("calm at -60 LUFS").warnings)
    assert read("calm at -20 LUFS", loudness_lufs=-16).loudness_lufs == -16


@pytest.mark.parametrize(
    "prompt",
    [
        "calm music under a voice", "lofi under speech", "background for a voiceover", "música que no tape la voz",
        "música tranquila bajo una locución", "Musik unter einer Stimme", "Musik, die die Stimme nicht überdeckt",
        "musique sous une voix", "musique qui ne couvre pas la voix", "música por baixo da voz", "sem cobrir a voz",
        "ナレーションの邪魔をしない曲", "不盖过人声的音乐",
    ],
)  # fmt: skip
def test_music_under_a_voice_is_a_bed_and_no_wish_for_vocals(prompt: str) -> None:
    brief = read(prompt)
    assert brief.form == "bed"
    assert brief.loudness_lufs is not None
    assert -24 <= brief.loudness_lufs <= -20
    assert not any("cannot sing" in warning for warning in brief.warnings)


def test_a_bed_leaves_room_for_speech_and_has_no_lead() -> None:
    for genre in ("pop", "jazz", "cinematic"):
        score = compose(GenerationRequest(prompt="music", genre=genre, form="bed", seed=1, duration=12)).score
        assert "speech_room" in score.mix.production
        assert not {part.role for part in score.parts} & {"melody", "counter"}
