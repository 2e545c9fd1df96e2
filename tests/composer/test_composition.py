"""From a request to sound through the composer's front door: the laws that every piece obeys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from budgets import PIECES
from hypothesis import given
from hypothesis import strategies as st

import tunesmith
from tunesmith.audio.loudness import loudness_of
from tunesmith.composer.composition import Composition, compose
from tunesmith.composer.genre import genre_names
from tunesmith.composer.instruments import instrument
from tunesmith.composer.intensity_layers import LAYER_RANGE_LU
from tunesmith.composer.mix import mix_score
from tunesmith.composer.score_file import dump_score
from tunesmith.request import GenerationRequest, Hit

FORMS = ("track", "loop", "sting", "bumper", "bed")
WORDS = (
    "lofi", "epic", "battle", "piano", "sad", "fast", "rain", "techno", "8-bit", "guitar", "no drums", "waltz", "ocean",
    "jazz", "happy", "terror", "klavier", "静か", "古筝", "vocals", "C minor", "6/8", "90 bpm", "with strings", "drums",
)  # fmt: skip


def piece(prompt: str = "lofi hip hop with rain sounds, 90 bpm", seed: int = 7, **wishes: object) -> Composition:
    return compose(GenerationRequest.checked(prompt=prompt, seed=seed, **wishes))


def assert_sound(composition: Composition) -> None:
    audio = composition.mix()
    samples = audio.samples
    assert samples.shape == (2, round(composition.score.duration * audio.sample_rate))
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 10 ** (-1 / 20) + 1e-4
    assert np.abs(samples.mean(axis=1)).max() < 2e-3
    assert np.abs(samples).max() > 0.01


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (piece(duration=6).mix().samples for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_number_of_threads_changes_no_byte_of_a_real_piece() -> None:
    composition = piece(duration=5)
    session = composition.session()
    rendered = []
    for threads in (1, 3):
        options = replace(session.options, threads=threads, block=50_000)
        with mix_score(composition.score, replace(session, options=options)) as spool:
            rendered.append(spool.read().tobytes())
    assert rendered[0] == rendered[1]


@pytest.mark.parametrize("edits", [(), ("chord 2=Fm7", "transpose 2")])
def test_a_written_score_gives_the_same_bytes_when_it_is_rendered(edits: tuple[str, ...], tmp_path: Path) -> None:
    composition = piece("funk", bars=2, score_edits=edits)
    path = tmp_path / "score.yaml"
    path.write_text(dump_score(composition.score, composition.written), encoding="utf-8")
    loaded = compose(GenerationRequest.checked(prompt="a score", seed=1, score=path))
    assert loaded.score.mix.octaves_db
    assert loaded.mix().samples.tobytes() == composition.mix().samples.tobytes()


def test_another_seed_gives_other_music() -> None:
    first, second = piece(duration=10, seed=1).score, piece(duration=10, seed=2).score
    assert [part.notes for part in first.parts] != [part.notes for part in second.parts]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("duration", [1.0, 3.7, 10.0, 61.3, 600.0])
def test_the_score_lasts_exactly_as_long_as_asked(form: str, duration: float) -> None:
    for tempo in (None, 97.0):
        score = piece("rock", form=form, duration=duration, tempo_bpm=tempo).score
        assert score.duration == pytest.approx(duration, abs=1 / 96_000)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000])
def test_the_sound_lasts_exactly_as_long_as_asked(form: str, sample_rate: int) -> None:
    audio = piece(form=form, duration=3.3, sample_rate=sample_rate).mix()
    assert audio.samples.shape[1] == round(3.3 * sample_rate)


def test_bars_and_tempo_give_the_length_of_a_loop() -> None:
    audio = piece("house", loop=True, bars=4, tempo_bpm=120.0).mix()
    assert audio.duration == pytest.approx(8.0, abs=1e-4)


@pytest.mark.parametrize("prompt", ["house", "calm piano", "8-bit chiptune", "rain and lofi beats"])
def test_a_loop_meets_its_start_without_a_click(prompt: str) -> None:
    samples = piece(prompt, loop=True, bars=4).mix().samples
    twice = np.concatenate([samples[:, -2000:], samples[:, :2000]], axis=1)
    steps = np.abs(np.diff(twice, axis=1)).max(axis=0)
    usual = np.abs(np.diff(samples, axis=1)).max()
    assert steps[1999] <= usual
    bends = np.abs(np.diff(twice, n=2, axis=1)).max(axis=0)
    assert bends[1996:2002].max() <= np.abs(np.diff(samples, n=2, axis=1)).max()


def test_stems_sum_to_the_mix_before_mastering() -> None:
    composition = piece("funk with horns", duration=6)
    stems = [audio.samples for _, audio in composition.stems()]
    assert len(stems) == len(composition.score.parts)
    total = np.sum(stems, axis=0)
    lone = np.sum([audio.samples for _, audio in composition.stems()], axis=0)
    assert np.array_equal(total, lone)
    from tunesmith.composer.mix.premaster import premaster

    with premaster(composition.score, composition.session()) as spool:
        mix = spool.read(0, len(spool))
    assert np.sqrt(np.mean((total - mix) ** 2)) <= 1e-3 * np.sqrt(np.mean(mix**2))


def test_every_hit_falls_on_a_first_beat() -> None:
    hits = (Hit(time=12), Hit(time=27.3, climax=True))
    score = piece("corporate", duration=40, hits=hits).score
    first_beats = [score.tempo_map.seconds_at(bar * score.meter.beats_per_bar) for bar in range(score.bars + 1)]
    for hit in hits:
        assert min(abs(hit.time - beat) for beat in first_beats) <= 0.010


def test_layers_are_the_same_piece_in_sync() -> None:
    whole = piece("fantasy", loop=True, bars=4)
    quiet, loud = (whole.at_intensity(intensity).mix() for intensity in (0.1, 1.0))
    assert quiet.samples.shape == loud.samples.shape
    assert whole.at_intensity(0.1).score == whole.score
    assert loudness_of(loud) - loudness_of(quiet) == pytest.approx(0.9 * LAYER_RANGE_LU, abs=0.5)


@pytest.mark.parametrize("genre", genre_names())
def test_every_genre_is_played_within_its_instruments_ranges(genre: str) -> None:
    # A seed for each genre, and pieces of a few phrases: what is checked is every band, not every form.
    score = piece("music", genre=genre, duration=15, seed=genre_names().index(genre)).score
    assert score.parts
    for part in score.parts:
        played = instrument(part.instrument)
        starts = [note.start for note in part.notes]
        assert starts == sorted(starts)
        if not played.is_kit and played.family != "effects":
            assert all(played.low <= note.pitch <= played.high for note in part.notes)
        assert all(1 <= note.velocity <= 127 and note.length > 0 and note.start >= 0 for note in part.notes)


@PIECES
@given(
    words=st.lists(st.sampled_from(WORDS) | st.text(min_size=1, max_size=12), min_size=1, max_size=5),
    seed=st.integers(0, 10_000),
)
def test_random_prompts_give_clean_sound(words: list[str], seed: int) -> None:
    try:
        request = GenerationRequest.checked(prompt=" ".join(words), seed=seed, duration=2)
        composition = compose(request)
    except tunesmith.InvalidRequest:
        return
    assert_sound(composition)


@pytest.mark.parametrize(
    ("prompt", "genre", "instruments"),
    [
        ("upbeat 8-bit chiptune for a retro platformer game", "chiptune", set()),
        ("calm acoustic guitar with soft piano, 70 bpm", "folk", {"acoustic_guitar", "piano"}),
        ("epic orchestral battle theme with brass and percussion", "epic_orchestral", set()),
        ("lofi hip hop with rain sounds, 90 bpm", "lofi", set()),
    ],
)
def test_well_known_prompts_are_understood(prompt: str, genre: str, instruments: set[str]) -> None:
    composition = piece(prompt)
    assert composition.score.genre == genre
    assert instruments <= {part.instrument for part in composition.score.parts}
    assert composition.score.duration == 30
    assert not composition.warnings
