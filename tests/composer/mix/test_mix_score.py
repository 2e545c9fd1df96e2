"""Laws of the finished mix: length, loudness, peaks, loops, stems, and sameness."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from bandstand import FakeVoice, fake_voices, full_band, session
from lazy_modules import LazyModule

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix import MixOptions, Session, mix_score, premaster, stem_spools
from tunesmith.composer.mix.premaster import AMBIENCE_DB
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Ambience, MixSettings, Note, Part, Score
from tunesmith.composer.sound.ambience import AMBIENCES
from tunesmith.composer.sound.voice import Tone
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import Progress, never_cancelled

if TYPE_CHECKING:
    import pyloudnorm
    from scipy import signal
else:
    pyloudnorm = LazyModule("pyloudnorm")
    signal = LazyModule("scipy.signal")

PRODUCTIONS = (
    (), ("tape", "wow", "vinyl", "lofi"), ("distortion",), ("bitcrush",), ("telephone",), ("dry",), ("spacious",),
)  # fmt: skip


def mixed(score: Score, **options: object) -> Samples:
    with mix_score(score, session(**options)) as spool:
        return spool.read(0, len(spool))


def true_peak_db(samples: Samples) -> float:
    over = signal.resample_poly(samples.astype(np.float64), 8, 1, axis=1)
    return float(20 * np.log10(np.abs(over).max()))


def loudness(samples: Samples, sample_rate: int = 44_100) -> float:
    return float(pyloudnorm.Meter(sample_rate).integrated_loudness(samples.T.astype(np.float64)))


def assert_mastered(samples: Samples, target: float = -14.0, sample_rate: int = 44_100) -> None:
    assert np.isfinite(samples).all()
    assert loudness(samples, sample_rate) == pytest.approx(target, abs=0.5)
    assert true_peak_db(samples) <= -1.0
    assert np.abs(samples.mean(axis=1, dtype=np.float64)).max() < 1e-3


@pytest.mark.parametrize("duration", [1.0, 1.2345, 3.7, 10.01, 31.3])
@pytest.mark.parametrize("loop", [False, True])
def test_the_length_is_exact(duration: float, loop: bool) -> None:
    assert mixed(full_band(duration, loop=loop)).shape == (2, round(duration * 44_100))


def quiet_score(duration: float, *, loop: bool = False) -> Score:
    score = full_band(duration, loop=loop)
    notes = tuple(Note(4.0 * bar, 3.0, 60 + bar % 5, 30) for bar in range(round(duration * score_bpm(score) / 240)))
    return replace(score, parts=(Part("piano", "chords", "piano", notes, -20),))


def score_bpm(score: Score) -> float:
    return score.tempo_map.changes[0][1]


def test_ten_minutes_are_exact_and_in_bounds() -> None:
    score = quiet_score(600)
    with mix_score(score, session()) as spool:
        assert len(spool) == 600 * 44_100
        assert np.isfinite(spool.read(0, 44_100)).all()


@pytest.mark.parametrize("production", PRODUCTIONS)
@pytest.mark.parametrize("loop", [False, True])
def test_loudness_and_peak_hold_for_every_production(production: tuple[str, ...], loop: bool) -> None:
    settings = MixSettings(production=production, side_chain=0.4, brightness_db=-2)
    assert_mastered(mixed(full_band(7.3, loop=loop, mix=settings, ambience=(Ambience("rain"),))))


@pytest.mark.parametrize("seed", range(6))
def test_loudness_and_peak_hold_for_random_bands(seed: int) -> None:
    random = rng_for(seed, "band")
    score = full_band(float(random.uniform(1, 12)), bpm=float(random.uniform(50, 170)), seed=seed)
    kept = tuple(part for part in score.parts if random.random() < 0.5) or score.parts[:1]
    parts = tuple(replace(part, gain_db=float(random.uniform(-30, 6))) for part in kept)
    target = float(random.choice([-23, -16, -14, -11]))
    settings = MixSettings(loudness_lufs=target, room=float(random.random()), hall=float(random.random()))
    assert_mastered(mixed(replace(score, parts=parts, mix=settings)), target)


def test_sparse_and_quiet_music_is_as_loud_as_any() -> None:
    assert_mastered(mixed(quiet_score(9.6)))


@pytest.mark.parametrize(("sample_rate", "channels"), [(48_000, 2), (22_050, 1), (96_000, 1), (16_000, 2), (44_100, 1)])
def test_loudness_and_peak_hold_at_any_rate_and_in_mono(sample_rate: int, channels: int) -> None:
    samples = mixed(full_band(4.2), sample_rate=sample_rate, channels=channels)
    assert samples.shape == (channels, round(4.2 * sample_rate))
    assert_mastered(samples, sample_rate=sample_rate)


def test_silence_stays_silent() -> None:
    samples = mixed(replace(full_band(2), parts=()))
    assert not samples.any()


@pytest.mark.parametrize("production", [(), ("tape", "wow", "lofi", "vinyl")])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize("duration", [4.8, 9.6])
def test_a_loop_has_no_seam(production: tuple[str, ...], sample_rate: int, duration: float) -> None:
    samples = mixed(full_band(duration, loop=True, mix=MixSettings(production=production)), sample_rate=sample_rate)
    twice = np.concatenate((samples, samples), axis=1)
    # what a click is: curvature that the music around it does not have
    bend = np.abs(np.diff(twice, 2, axis=1)).max(axis=0)
    seam = samples.shape[1]
    # the first beat's onset is music, so compare the seam with the samples before it and with the onset itself
    assert np.abs(twice[:, seam] - twice[:, seam - 1]).max() <= np.abs(np.diff(samples, axis=1)).max()
    assert bend[seam - 2 : seam + 1].max() <= 1.5 * bend[: seam - 2].max()


def test_a_sustained_loop_goes_round_as_if_it_had_never_begun() -> None:
    score = full_band(4.8, loop=True, bpm=100)
    # An instrument without onset noise, which is never the same twice.
    pad = Part("pad", "pad", "riser", tuple(Note(4.0 * i, 4.0, 60, 90) for i in range(2)))
    with premaster(replace(score, parts=(pad,), sections=()), session()) as spool:
        once = spool.read(0, len(spool))
    four_bars = tuple(Note(4.0 * i, 4.0, 60, 90) for i in range(4))
    twice = replace(score, duration=9.6, sections=(), parts=(replace(pad, notes=four_bars),))
    with premaster(twice, session()) as spool:
        long = spool.read(0, len(spool))
    np.testing.assert_allclose(np.concatenate((once, once), axis=1), long, atol=2e-5)


@pytest.mark.parametrize("loop", [False, True])
def test_stems_sum_to_the_premaster_mix(loop: bool) -> None:
    settings = MixSettings(side_chain=0.6, hall=0.4, width=1.1)
    score = full_band(6.1, loop=loop, mix=settings, ambience=(Ambience("rain"), Ambience("wind", -3)))
    with premaster(score, session()) as spool:
        whole = spool.read(0, len(spool))
    total = np.zeros_like(whole)
    names = []
    for name, stem in stem_spools(score, session()):
        names.append(name)
        total += stem.read(0, len(stem))
        stem.close()
    assert names == [*(part.name for part in score.parts), "rain", "wind"]
    assert residual_db(total - whole, whole) < -60


def residual_db(difference: Samples, whole: Samples) -> float:
    def power(samples: Samples) -> float:
        return float(np.mean(np.square(samples, dtype=np.float64)))

    return 10 * float(np.log10(max(1e-30, power(difference)) / power(whole)))


def test_the_same_score_gives_the_same_bytes() -> None:
    score = full_band(3.3, mix=MixSettings(production=("vinyl", "wow")), ambience=(Ambience("rain"),))
    assert mixed(score).tobytes() == mixed(score).tobytes()


def test_the_number_of_threads_changes_no_byte() -> None:
    score = full_band(9.0, mix=MixSettings(side_chain=0.4, production=("tape",)))
    one, *others = (mixed(score, threads=count, block=65_536).tobytes() for count in (1, 2, 4))
    assert all(other == one for other in others)


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    class Broken(FakeVoice):
        def sound(self, tone: Tone) -> Samples:
            raise ArithmeticError(tone)

    options = MixOptions(threads=2, block=16_384)
    broken = Session(lambda _: Broken(False), no_texture, options, lambda _: None, never_cancelled)
    with pytest.raises(ArithmeticError):
        mix_score(full_band(3), broken)


@pytest.mark.parametrize("block", [20_000, 65_536])
@pytest.mark.parametrize("loop", [False, True])
def test_block_sizes_change_nothing(block: int, loop: bool) -> None:
    settings = MixSettings(side_chain=0.5, production=("tape", "wow"))
    score = full_band(5.0, loop=loop, mix=settings, ambience=(Ambience("rain"),))
    np.testing.assert_allclose(mixed(score, block=block), mixed(score), atol=5e-6)


def envelope(samples: Samples) -> npt.NDArray[np.float64]:
    power = np.square(samples, dtype=np.float64).sum(axis=0)
    return np.asarray(power[: len(power) // 441 * 441].reshape(-1, 441).mean(axis=1), np.float64)


def test_intensities_are_in_sync() -> None:
    calm, full = (envelope(mixed(full_band(8), intensity=level)) for level in (0.35, 1.0))
    lags = np.arange(-20, 21)
    onsets = [np.maximum(0, np.diff(np.sqrt(level))) for level in (calm, full)]
    match = [float(np.sum(onsets[0][30:-30] * np.roll(onsets[1], lag)[30:-30])) for lag in lags]
    assert lags[int(np.argmax(match))] == 0


def test_memory_does_not_grow_with_the_number_of_stems_or_blocks() -> None:
    peaks = []
    for duration in (10.0, 40.0):
        score = quiet_score(duration)
        with mix_score(score, session(block=32_768)):
            pass
        tracemalloc.start()
        with mix_score(score, session(block=32_768)):
            peaks.append(tracemalloc.get_traced_memory()[1] - 4 * 8 * int(duration * 44_100))
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 8e6


def test_progress_rises_to_one_and_cancelling_stops() -> None:
    told: list[Progress] = []
    options = MixOptions()
    with mix_score(full_band(9), Session(fake_voices, no_texture, options, told.append, never_cancelled)):
        pass
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    with pytest.raises(GenerationCancelled):
        mix_score(full_band(9), Session(fake_voices, no_texture, options, told.append, lambda: True))


def no_texture(name: str, seconds: float, random: np.random.Generator) -> Samples:
    raise AssertionError(f"nobody asked for {name}, {seconds} s, {random}")


def test_every_ambience_has_its_own_level_below_the_music() -> None:
    assert AMBIENCE_DB.keys() == AMBIENCES.keys()
    assert max(AMBIENCE_DB.values()) <= -6
