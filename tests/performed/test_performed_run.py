"""Performed by a model: what it gets, what is measured, what stays the composer's, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from performers import RATE, Play, RollPlayer, late, noise, silence, sines

from tunesmith.audio import Audio
from tunesmith.audio.analysis.loop_seam import seam_of
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.markers import markers_of
from tunesmith.audio.spool import Samples, Spool
from tunesmith.composed.composition_request import composition_request
from tunesmith.composed.stems import summed_stems
from tunesmith.composer.composition import Composition, compose
from tunesmith.composer.score_file import dump_score
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.magenta_rt.pianoroll import Roll
from tunesmith.performed.note_sheet import UNPITCHED_ROLES, plan_performance
from tunesmith.performed.performed_run import performance_seeds
from tunesmith.performed.premaster import MOST_GAIN_DB, gain_to_match, laid_over
from tunesmith.pipeline import generate_music
from tunesmith.request import GenerationRequest
from tunesmith.run_generator import run_generator

PROMPT = "lofi, 82 bpm, A minor"
NUM_SAMPLES = 4 * 44_100


def request(prompt: str = PROMPT, **fields: Any) -> GenerationRequest:
    wanted = {"duration": 4.0, "seed": 3, "perform": True, "performances": 2, "model": "player", **fields}
    return GenerationRequest.checked(prompt=prompt, **wanted)


def run(model: RollPlayer, **fields: Any) -> Audio:
    return run_generator(model, request(**fields), no_progress, never_cancelled)


def composed(**fields: Any) -> Composition:
    return compose(composition_request(request(**fields)))


@pytest.fixture(scope="module")
def model() -> RollPlayer:
    return RollPlayer()


@pytest.fixture(scope="module")
def performed(model: RollPlayer) -> Audio:
    return run(model, temperature=0.9, loudness_lufs=-16)


def test_the_model_gets_words_settings_and_notes_and_no_drums(model: RollPlayer, performed: Audio) -> None:
    [asked], [sheet], [seeds] = model.asked[:1], model.sheets[:1], model.seeds[:1]
    assert (asked.prompt, asked.temperature, asked.seed, asked.perform) == (PROMPT, 0.9, 3, False)
    assert seeds == performance_seeds(3, 2)
    assert (sheet.plays_drums, sheet.accompanies, sheet.duration) == (False, False, 4.0)
    score = composed().score
    pitched = [part for part in score.parts if part.role not in UNPITCHED_ROLES]
    assert len(sheet.notes) == sum(len(part.notes) for part in pitched)
    assert performed.metadata["licence"] == "Model Licence"


def test_length_loudness_and_what_was_measured(performed: Audio) -> None:
    assert (performed.num_samples, performed.sample_rate, performed.channels) == (NUM_SAMPLES, 44_100, 2)
    assert loudness_of(performed) == pytest.approx(-16, abs=0.5)
    settings = performed.metadata["settings"]
    assert settings["pitch_class_recall"] >= 0.95
    assert settings["onset_recall"] >= 0.95
    assert [one["seed"] for one in settings["performances"]] == list(performance_seeds(3, 2))
    assert performed.metadata["seed"] == 3
    assert performed.metadata["request"]["perform"] is True
    assert performed.metadata["timeline"]["sections"]
    assert not performed.metadata["warnings"]


def test_the_best_performance_is_kept() -> None:
    second = performance_seeds(3, 2)[1]

    def good_once(roll: Roll, seed: int) -> Samples:
        return sines(roll, seed) if seed == second else noise(roll, seed)

    settings = run(RollPlayer(good_once)).metadata["settings"]
    assert settings["performed_seed"] == second
    worst, best = settings["performances"]
    assert worst["pitch_class_recall"] < 0.3 < 0.9 < best["pitch_class_recall"]


@pytest.mark.parametrize(
    ("play", "problem"),
    [(noise, "performances: the best has "), (late, "lead_frames: the notes come about ")],
)
def test_a_performance_that_strays_says_so(play: Play, problem: str) -> None:
    assert any(warning.startswith(problem) for warning in run(RollPlayer(play), performances=1).metadata["warnings"])


def test_the_composers_stems_are_bit_exact_in_the_premaster() -> None:
    composition = composed()
    plan = plan_performance(composition, request())
    drums = {part.name for part in composition.score.parts if part.role == "drums"}
    assert drums <= plan.kept
    [kept] = summed_stems(composition, plan.kept)
    quiet = laid_over(Audio(np.zeros((2, NUM_SAMPLES), np.float32), 44_100), kept, NUM_SAMPLES, 6.0, loop=False)
    assert quiet.read().tobytes() == kept.read().tobytes()
    played = np.random.default_rng(1).standard_normal((2, NUM_SAMPLES)).astype(np.float32)
    whole = laid_over(Audio(played, 44_100), kept, NUM_SAMPLES, 0.0, loop=True)
    assert whole.read().tobytes() == (kept.read() + played).tobytes()


def test_kept_roles_are_not_performed() -> None:
    composition = composed()
    plan = plan_performance(composition, request(keep_stems=("bass",)))
    bass = {part.name for part in composition.score.parts if part.role == "bass"}
    assert bass <= plan.kept
    assert not bass & plan.performed
    assert plan.kept | plan.performed >= {part.name for part in composition.score.parts}


def test_a_loop_is_heard_with_its_wrap_around_and_has_no_seam() -> None:
    player = RollPlayer()
    audio = run(player, prompt="ambient pads, 90 bpm", loop=True, duration=None, bars=1, performances=1)
    [sheet] = player.sheets
    assert sheet.duration == pytest.approx(audio.duration + 2 * min(4.0, audio.duration), abs=1e-3)
    assert sheet.notes[0].start == 0
    assert audio.num_samples == round(composed(prompt="ambient pads, 90 bpm", loop=True, duration=None, bars=1)
                                      .score.duration * 44_100)  # fmt: skip
    assert not seam_of(audio).is_audible
    assert markers_of(audio.metadata, audio.sample_rate).loops


def test_seeds_are_those_of_one_performance_whatever_their_number() -> None:
    assert performance_seeds(7, 1) == (7,)
    assert performance_seeds(7, 8)[:3] == performance_seeds(7, 3)
    assert len({*performance_seeds(7, 8), *performance_seeds(8, 8)}) == 16


def test_notes_and_stems_of_the_composition_are_there_beside_the_sound() -> None:
    music = generate_music(request(performances=1), lambda _: RollPlayer(), composition=True)
    assert music.composition is not None
    assert music.composition.score == composed().score


def test_a_score_is_performed_as_it_is(tmp_path: Path) -> None:
    file, score = tmp_path / "edited.yaml", composed(prompt="solo piano, 90 bpm").score
    file.write_text(dump_score(score), encoding="utf-8")
    player = RollPlayer()
    audio = run(player, prompt="warm strings", score=file, duration=None, performances=1, mono=True, sample_rate=48_000)
    assert len(player.sheets[0].notes) == sum(
        len(part.notes) for part in score.parts if part.role not in UNPITCHED_ROLES
    )
    assert (player.asked[0].prompt, player.asked[0].score) == ("warm strings", None)
    assert (audio.channels, audio.sample_rate, audio.num_samples) == (1, RATE, 4 * RATE)


class DeafModel:
    """A model that generates, and performs nothing."""

    generate = RollPlayer.generate


@pytest.mark.parametrize(
    ("model", "fields", "problem"),
    [
        (DeafModel(), {}, "perform: player plays no notes that it is given"),
        (RollPlayer(longest_performance=3.0), {}, "duration: player performs at most 3 s, got 4 s"),
        (RollPlayer(), {"keep_stems": ("kazoo",)}, "keep_stems: the composition has no part with the role 'kazoo'"),
        (RollPlayer(), {"audio": "song.wav"}, "audio: cannot go with perform"),
    ],
)
def test_what_cannot_be_performed_is_refused_in_a_line(model: Any, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        run(model, **fields)


def test_a_piece_of_which_nothing_is_left_to_perform_is_refused() -> None:
    roles = tuple(sorted({part.role for part in composed().score.parts} - set(UNPITCHED_ROLES)))
    with pytest.raises(InvalidRequest, match="perform: needs notes with a pitch; the composition has bass, "):
        run(RollPlayer(), keep_stems=roles)


def test_progress_only_grows_and_a_cancelled_run_stops() -> None:
    seen: list[float] = []
    run_generator(RollPlayer(silence), request(duration=1), lambda one: seen.append(one.fraction), never_cancelled)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(GenerationCancelled):
        run_generator(RollPlayer(), request(), no_progress, lambda: True)


def test_an_empty_sum_of_stems_is_silence() -> None:
    whole = laid_over(Audio(np.ones((2, 100), np.float32), 44_100), Spool(2), 100, 0.0, loop=True)
    assert whole.read().tolist() == np.ones((2, 100)).tolist()


@pytest.mark.parametrize(("level", "gain_db"), [(0.05, 6.02), (0.1, 0.0), (1e-3, MOST_GAIN_DB), (0.0, 0.0)])
def test_a_performance_becomes_as_loud_as_the_stems_it_replaces_within_reason(level: float, gain_db: float) -> None:
    tone = np.sin(np.arange(44_100) / 10).astype(np.float32)[None].repeat(2, axis=0)
    stems = Spool(2)
    stems.append(0.1 * tone)
    assert gain_to_match(Audio(np.float32(level) * tone, 44_100), stems) == pytest.approx(gain_db, abs=0.01)
