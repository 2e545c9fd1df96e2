"""Guided by the composer: what the model gets, what is kept of the composition, and what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.analysis.loop_seam import seam_of
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.markers import markers_of
from tunesmith.audio.reader import read_audio
from tunesmith.composed.composition_request import composition_request
from tunesmith.composer.composition import compose
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback, never_cancelled, no_progress
from tunesmith.pipeline import generate_music
from tunesmith.request import GenerationRequest
from tunesmith.run_generator import run_generator

PROMPT = "house, 124 bpm, A minor"
Change = Callable[[Audio, float], Audio]


def with_noise(audio: Audio, strength: float) -> Audio:
    """A model's own sound: the recording, and hiss that grows with the strength."""
    noise = np.random.default_rng(1).standard_normal(audio.samples.shape).astype(np.float32)
    return audio.with_samples(audio.samples + 0.02 * strength * noise)


def faster_where_strong(audio: Audio, strength: float) -> Audio:
    """Play 4 % faster above a strength of 0.5, and fill the end with silence."""
    if strength <= 0.5:
        return audio
    length = audio.num_samples
    at = np.minimum(np.arange(length) * 1.04, length - 1)
    samples = np.stack([np.interp(at, np.arange(length), channel) for channel in audio.samples])
    samples[:, int(length / 1.04) :] = 0
    return audio.with_samples(samples.astype(np.float32))


@dataclass
class FollowingModel:
    """A model that follows a recording, and notes what it was asked."""

    change: Change = with_noise
    guide_field: Literal["audio", "melody"] | None = "audio"
    longest_guide: float = 120.0
    asked: list[GenerationRequest] = field(default_factory=list)

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        if cancelled():
            raise GenerationCancelled
        self.asked.append(request)
        progress(Progress("step 1 of 1", 0.5))
        path = request.audio or request.melody
        assert path is not None
        audio = self.change(read_audio(path), request.strength or 0.0)
        return audio.without_metadata().with_metadata(settings={"steps": 8}, warnings=[], licence="Model Licence")


def request(prompt: str = PROMPT, **fields: Any) -> GenerationRequest:
    wanted = {"duration": 8.0, "seed": 3, "guide": "composer", "model": "follower", **fields}
    return GenerationRequest.checked(prompt=prompt, **wanted)


def run(model: FollowingModel, **fields: Any) -> Audio:
    return run_generator(model, request(**fields), no_progress, never_cancelled)


def test_the_model_gets_the_composition_and_its_facts() -> None:
    model = FollowingModel()
    audio = run(model, strength=0.4, negative_prompt="vocals")
    (asked,) = model.asked
    assert (asked.tempo_bpm, asked.key, asked.strength, asked.seed) == (124, "A minor", 0.4, 3)
    assert (asked.negative_prompt, asked.ending, asked.guide) == ("vocals", "natural", None)
    assert audio.num_samples == 8 * 44_100
    settings = audio.metadata["settings"]
    assert (settings["guide"], settings["steps"], settings["attempts"]) == ("composer", 8, 1)
    assert settings["measured_tempo_bpm"] == pytest.approx(124, rel=0.01)
    assert audio.metadata["request"]["guide"] == "composer"


def test_a_strength_of_zero_is_a_strength() -> None:
    model = FollowingModel()
    run(model, strength=0)
    assert [asked.strength for asked in model.asked] == [0]


def test_the_sound_is_the_models_at_the_loudness_of_the_composition() -> None:
    audio = run(FollowingModel(), strength=1.0)
    composed = compose(composition_request(request())).mix()
    assert np.abs(audio.samples - composed.samples).max() > 0.01
    assert loudness_of(audio) == pytest.approx(loudness_of(composed), abs=1.0)


def test_another_tempo_is_tried_again_with_less_strength() -> None:
    model = FollowingModel(faster_where_strong)
    audio = run(model, strength=0.6)
    assert [round(asked.strength or 0, 3) for asked in model.asked] == [0.6, 0.45]
    settings = audio.metadata["settings"]
    assert (settings["attempts"], settings["strength"]) == (2, pytest.approx(0.45))
    assert not audio.metadata["warnings"]


def test_a_model_that_never_keeps_the_tempo_is_tried_three_times_and_says_so() -> None:
    model = FollowingModel(lambda audio, _: faster_where_strong(audio, 1.0))
    audio = run(model)
    assert len(model.asked) == 3
    assert any(warning.startswith("tempo: ") for warning in audio.metadata["warnings"])


def test_kept_stems_lie_on_the_sample_where_the_composer_has_them() -> None:
    silent = FollowingModel(lambda audio, _: audio.with_samples(audio.samples * 0))
    audio = run(silent, keep_stems=("drums",))
    composition = compose(composition_request(request()))
    names = {part.name for part in composition.score.parts if part.role == "drums"}
    drums = np.sum([stem.samples for name, stem in composition.stems() if name in names], axis=0)
    gain = float((audio.samples * drums).sum() / (drums * drums).sum())
    assert gain > 0
    np.testing.assert_allclose(audio.samples, gain * drums, atol=1e-4)


def test_a_loop_has_no_seam_and_keeps_its_length() -> None:
    model = FollowingModel()
    audio = run(model, loop=True, duration=None, bars=4)
    (asked,) = model.asked
    assert asked.duration is not None
    assert asked.duration > audio.duration + 4
    assert asked.ending == "cut"
    assert audio.duration == pytest.approx(4 * 4 * 60 / 124, abs=1e-3)
    assert not seam_of(audio).is_audible
    assert markers_of(audio.metadata, audio.sample_rate).loops


def test_a_melody_model_gets_the_lead_and_is_asked_once() -> None:
    model = FollowingModel(lambda audio, _: faster_where_strong(audio, 1.0), guide_field="melody")
    audio = run(model)
    (asked,) = model.asked
    assert asked.melody is not None
    assert asked.audio is None
    assert asked.strength is None
    assert audio.metadata["settings"]["strength"] is None


def test_notes_and_stems_of_the_guide_are_there_beside_the_sound() -> None:
    wanted = request()
    music = generate_music(wanted, lambda _: FollowingModel(), composition=True)
    assert music.composition is not None
    assert music.composition.score == compose(composition_request(wanted)).score
    assert music.audio.metadata["settings"]["guide"] == "composer"


@pytest.mark.parametrize(
    ("model", "fields", "problem"),
    [
        (FollowingModel(guide_field=None), {}, "guide: follower takes no audio to be guided by"),
        (FollowingModel(), {"keep_stems": ("kazoo",)}, "keep_stems: the composition has no part with the role 'kazoo'"),
        (FollowingModel(longest_guide=6.0), {}, "duration: follower follows a composition of at most 6.0 s, got 8 s"),
        (FollowingModel(longest_guide=15.0), {"loop": True}, "duration: follower follows a composition of at most 7.0"),
        (FollowingModel(), {"audio": "song.wav"}, "audio: cannot go with guide"),
    ],
)
def test_what_cannot_be_guided_is_refused_in_a_line(
    model: FollowingModel, fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        run(model, **fields)
    assert model.asked == []


def test_kept_stems_need_a_guide_and_the_composer_takes_none() -> None:
    with pytest.raises(InvalidRequest, match="keep_stems: needs guide"):
        GenerationRequest.checked(prompt="x", model="follower", keep_stems=("drums",))
    with pytest.raises(InvalidRequest, match="guide: only neural models"):
        compose(GenerationRequest.checked(prompt="x", guide="composer", seed=1))


def test_progress_only_grows_and_a_cancelled_run_stops() -> None:
    seen: list[float] = []
    run_generator(FollowingModel(), request(), lambda one: seen.append(one.fraction), never_cancelled)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(GenerationCancelled):
        run_generator(FollowingModel(), request(), no_progress, lambda: True)
