"""Timelines: beats, bars and sections stay where the music is when a piece is cut, joined, looped and fitted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st
from lazy_modules import LazyModule

import tunesmith
from tunesmith.audio import Audio, edit
from tunesmith.audio.analysis.analyse import analyse, analyse_with_metadata
from tunesmith.audio.crossfade import Stretch, crossfaded, splice, stretched
from tunesmith.audio.find_loop import seamless
from tunesmith.audio.fit_length import fit
from tunesmith.audio.reader import read_audio
from tunesmith.audio.stitch import stitch
from tunesmith.audio.timeline import Stage, Tempo, Timeline, timeline_of, with_timeline
from tunesmith.audio.true_peak import true_peak_of

if TYPE_CHECKING:
    from scipy import signal
else:
    signal = LazyModule("scipy.signal")

RATE = 44_100
WHOLE = Timeline(
    20.0, 4, (Tempo(0.0, 0.0, 120.0), Tempo(8.0, 16.0, 90.0)), (Stage("A", 0.0, 8.0), Stage("B", 8.0, 20.0))
)  # fmt: skip


def seconds(timeline: Timeline) -> list[float]:
    return [at for at, _ in timeline.beats()]


def bars(timeline: Timeline) -> list[float]:
    return [at for at, is_first in timeline.beats() if is_first]


@pytest.fixture(scope="module")
def bed() -> Audio:
    """Pads without a pulse, in which an ear hears no tempo or a wrong one."""
    return tunesmith.generate("ambient pads, 72 bpm", duration=20, form="bed", seed=5)


def test_beats_follow_the_tempo() -> None:
    assert seconds(WHOLE)[:3] == [0.0, 0.5, 1.0]
    assert seconds(WHOLE)[16:18] == pytest.approx([8.0, 8.0 + 60 / 90])
    assert bars(WHOLE)[:5] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert len(seconds(WHOLE)) == 16 + 18


@VALUES
@given(st.floats(0, 19), st.floats(0.01, 20))
def test_a_cut_keeps_every_beat_that_it_holds_in_its_place(first: float, length: float) -> None:
    last = min(20.0, first + length)
    cut = WHOLE.of_stretches([(first, last)])
    expected = [at - first for at in seconds(WHOLE) if first + 0.02 < at < last - 0.02]
    found = seconds(cut)
    assert all(any(abs(at - one) < 1e-9 for one in found) for at in expected)
    assert len(found) - len(expected) <= 2
    assert cut.duration == pytest.approx(last - first)
    assert sum(one.end - one.start for one in cut.sections) == pytest.approx(last - first)


def test_stretches_are_put_one_behind_another() -> None:
    joined = WHOLE.of_stretches([(0.0, 4.0), (2.0, 8.0)])
    assert joined.duration == 10.0
    assert bars(joined) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert joined.sections == (Stage("A", 0.0, 10.0),)


def test_it_survives_json_and_is_not_believed_of_another_length() -> None:
    metadata = with_timeline({}, WHOLE, 20.0)
    assert timeline_of(metadata, 20.0) == WHOLE
    assert timeline_of(metadata, 12.0) is None


@pytest.mark.parametrize("stored", [
    {}, {"duration": 1}, {"duration": 20.0, "beats_a_bar": 0, "tempos": [{"at": 0, "beat": 0, "tempo_bpm": 90}]},
    {"duration": 20.0, "beats_a_bar": 4, "tempos": [{"at": 0, "beat": 0, "tempo_bpm": 1e9}]},
    {"duration": 20.0, "beats_a_bar": 4, "tempos": []}, {"duration": "x", "beats_a_bar": 4, "tempos": [{}]},
])  # fmt: skip
def test_what_is_no_timeline_is_none(stored: object) -> None:
    assert timeline_of({"timeline": stored}, 20.0) is None


def test_a_piece_of_ours_is_believed_where_an_ear_errs(bed: Audio, tmp_path: Path) -> None:
    heard = analyse(bed).rhythm
    assert heard is None or heard.tempo_bpm != 72.0
    read = read_audio(bed.save(tmp_path / "bed.mp3"))
    known = analyse_with_metadata(read)
    assert known.rhythm is not None
    assert (known.rhythm.tempo_bpm, known.rhythm.beats_a_bar) == (72.0, 4)
    assert known.rhythm.downbeats == pytest.approx([bar * 4 * 60 / 72 for bar in range(6)], abs=1e-4)
    assert known.key is not None
    assert known.key.name == bed.metadata["settings"]["key"]


@pytest.mark.parametrize("duration", [12.0, 8.3, 19.0, 33.0])
def test_a_fitted_bed_keeps_its_beats_and_does_not_end_in_silence(bed: Audio, duration: float) -> None:
    fitted = fit(bed, duration).audio
    level = np.abs(fitted.samples).max(axis=0)
    last = np.flatnonzero(level > 1e-4)[-1] / RATE
    assert fitted.num_samples == round(duration * RATE)
    assert duration - last < 0.5
    assert true_peak_of(fitted) <= -1
    rhythm, settings = analyse_with_metadata(fitted).rhythm, fitted.metadata["settings"]
    assert rhythm is not None
    assert rhythm.tempo_bpm == 72.0
    assert np.diff(rhythm.beats) == pytest.approx(60 / 72, abs=0.013)
    assert settings["duration"] == duration
    assert settings["bars"] == len(rhythm.downbeats)
    assert sum(one["end"] - one["start"] for one in fitted.metadata["timeline"]["sections"]) == pytest.approx(
        duration, abs=2.0
    )


def test_settings_are_true_after_every_edit(bed: Audio) -> None:
    looped, points = seamless(bed, 2)
    cut = edit.trim(bed, 1.0, 16.0)
    assert (cut.metadata["settings"]["duration"], cut.metadata["timeline"]["duration"]) == (15.0, 15.0)
    assert points.bars == looped.metadata["settings"]["bars"] == 2
    assert looped.metadata["settings"]["loop"]
    assert not edit.trim(looped, 0.0, 2.0).metadata["settings"]["loop"]
    joined, _ = stitch([bed, cut])
    assert "timeline" not in joined.metadata
    assert "settings" not in joined.metadata


def test_a_cut_of_a_cut_is_on_the_bars_of_the_piece(bed: Audio) -> None:
    twice = edit.trim(edit.trim(bed, 1.0), 2.0)
    rhythm = analyse_with_metadata(twice).rhythm
    assert rhythm is not None
    bar = 4 * 60 / 72
    assert [(at + 3) / bar for at in rhythm.downbeats] == pytest.approx(
        [round((at + 3) / bar) for at in rhythm.downbeats], abs=1e-3
    )


def test_a_piece_of_version_0_1_gets_its_beats_from_its_settings(bed: Audio) -> None:
    old = {name: value for name, value in bed.metadata.items() if name != "timeline"}
    audio = Audio(bed.samples, RATE, old)
    rhythm = analyse_with_metadata(audio).rhythm
    assert rhythm is not None
    assert rhythm.tempo_bpm == 72.0
    assert edit.trim(audio, 1.0).metadata["timeline"]["duration"] == 19.0
    stale = {**old, "settings": {**old["settings"], "duration": 45.0}}
    assert "duration" not in edit.trim(Audio(bed.samples, RATE, stale), 1.0).metadata["settings"]


@pytest.mark.parametrize("size", [441, 4_410, 88_200])
def test_a_joint_of_loud_sounds_stays_below_the_ceiling_and_is_smooth(size: int) -> None:
    time = np.arange(size) / RATE
    leaving, arriving = (0.85 * np.sin(2 * np.pi * hz * time)[None].astype(np.float32) for hz in (220.0, 233.0))
    joint = crossfaded(leaving, arriving)
    between = signal.resample_poly(joint, 8, 1, axis=1)[:, 400:-400]  # without the ringing of its bare ends
    assert 20 * np.log10(np.abs(between).max()) <= -1.0
    assert (joint[:, :1] == leaving[:, :1]).all() or abs(joint[0, 0] - leaving[0, 0]) < 0.01
    assert np.abs(np.diff(joint)).max() < 1.1 * np.abs(np.diff(np.concatenate([leaving, arriving]))).max()


def test_a_joint_is_no_louder_than_what_is_louder_than_the_ceiling() -> None:
    loud = np.full((1, 4_410), 0.99, np.float32)
    assert np.abs(crossfaded(loud, loud)).max() <= 0.99 + 1e-4


@pytest.mark.parametrize("factor", [1.0, 1.3, 2.5])
def test_a_stretched_sound_has_its_pitch_level_and_length(factor: float) -> None:
    wave = 0.5 * np.sin(2 * np.pi * 330 * np.arange(2 * RATE) / RATE)
    audio = Audio(wave[None].astype(np.float32), RATE)
    longer = stretched(audio, Stretch(RATE // 2, RATE), round(factor * RATE / 2))
    assert longer.shape == (1, round(factor * RATE / 2))
    crossings = np.flatnonzero(np.diff(np.signbit(longer[0])))
    assert crossings.size / longer.shape[1] * RATE / 2 == pytest.approx(330, rel=0.02)
    assert float(np.sqrt((longer**2).mean())) == pytest.approx(0.5 / 2**0.5, rel=0.05)
    assert abs(longer[0, 0] - wave[RATE // 2]) < 0.03


def test_spliced_stretches_keep_the_beats_at_the_joint() -> None:
    audio = Audio(np.zeros((1, 20 * RATE), np.float32), RATE, with_timeline({}, WHOLE, 20.0))
    joined = splice(audio, [Stretch(0, 2 * RATE), Stretch(4 * RATE + 300, 20 * RATE)], 2_000)
    timeline = timeline_of(joined.metadata, joined.duration)
    assert timeline is not None
    assert seconds(timeline)[:6] == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], abs=0.01)
