"""Stable Audio as a generator: from a request to sound, and what is refused on the way."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_stable_audio import NO_INPAINTING, STAND_IN, Array, StandInNetworks

from tunesmith.audio import Audio
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.markers import markers_of
from tunesmith.errors import AudioFileError, GenerationCancelled, InvalidRequest
from tunesmith.generator import Progress, never_cancelled, no_progress
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.generator import StableAudioGenerator
from tunesmith.stable_audio.turns import Preparation, Turns
from tunesmith.stable_audio.velocity_batch import VelocityBatch

RATE = STAND_IN.sample_rate


class Model:
    """A generator over networks without weights, which a test may look at."""

    def __init__(self, folder: Path, architecture: StableAudioArchitecture = STAND_IN) -> None:
        self.networks = StandInNetworks(folder, architecture)
        self.opened = 0
        self.generator = StableAudioGenerator(
            folder, name="stand-in", licence="Stand-in Licence", digest="sha256:0", open_networks=self._open
        )

    def _open(self, _: Path) -> StandInNetworks:
        self.opened += 1
        return self.networks

    def generate(self, prompt: str = "calm piano", **fields: Any) -> Audio:
        return self.generator.generate(asked(prompt, **fields), no_progress, never_cancelled)

    def stream(self, prompt: str = "calm piano", **fields: Any) -> Iterator[Audio]:
        return self.generator.stream(asked(prompt, **fields))


def asked(prompt: str = "calm piano", **fields: Any) -> GenerationRequest:
    return GenerationRequest.checked(prompt=prompt, model="stand-in", **{"seed": 7, **fields})


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def recording(path: Path, seconds: float = 8.0, channels: int = 2, rate: int = RATE, level: float = 0.5) -> Path:
    time = np.arange(round(seconds * rate)) / rate
    tones = [level * np.sin(time * (3 + channel) * 2 * np.pi) for channel in range(channels)]
    soundfile.write(path, np.stack(tones, axis=1), rate, subtype="FLOAT")
    return path


def samples_of(path: Path) -> Array:
    return np.ascontiguousarray(soundfile.read(path, dtype="float32")[0].T)


# ------------------------------------------------------------------ text to audio


def test_a_piece_has_its_exact_length_and_says_what_made_it(model: Model) -> None:
    audio = model.generate(duration=3.33)
    assert audio.samples.shape == (2, round(3.33 * RATE))
    assert audio.sample_rate == RATE
    about = audio.metadata
    assert (about["model"], about["model_digest"], about["licence"]) == ("stand-in", "sha256:0", "Stand-in Licence")
    assert (about["seed"], about["warnings"]) == (7, [])
    assert about["settings"] == {
        "text": "calm piano", "duration": 3.33, "steps": 8, "guidance_scale": 1.0, "ending": "cut",
    }  # fmt: skip


def test_thirty_seconds_are_the_default(model: Model) -> None:
    assert model.generate().duration == 30


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(model: Model) -> None:
    first = model.generate(duration=2).samples
    assert np.array_equal(model.generate(duration=2).samples, first)
    assert not np.array_equal(model.generate(duration=2, seed=8).samples, first)


@pytest.mark.parametrize("change", [
    {"prompt": "loud drums"}, {"tempo_bpm": 90}, {"steps": 4}, {"ending": "natural"}, {"duration": 2.5},
])  # fmt: skip
def test_every_wish_changes_the_sound(model: Model, change: dict[str, Any]) -> None:
    plain = model.generate(duration=2).samples
    changed = model.generate(**{"duration": 2, **change}).samples
    assert not np.array_equal(changed[:, : plain.shape[1]], plain)


def test_a_seed_that_is_drawn_is_told_and_makes_the_piece_again(model: Model) -> None:
    first = model.generate(duration=1, seed=None)
    assert np.array_equal(model.generate(duration=1, seed=first.metadata["seed"]).samples, first.samples)


def test_steps_are_those_asked_for_and_are_told_with_the_time_left(model: Model) -> None:
    told: list[Progress] = []
    model.generator.generate(asked(duration=2, steps=5), told.append, never_cancelled)
    assert len(model.networks.batches) == 5
    stages = [one.stage for one in told]
    assert stages[0] == "opening the model"
    assert [stage.split(",")[0] for stage in stages if stage.startswith("step")] == [
        f"step {n} of 5" for n in range(1, 6)
    ]
    assert re.fullmatch(r"step 3 of 5, 0:\d\d left", next(stage for stage in stages if stage.startswith("step 3")))
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize("checks", [0, 1, 4, 9])
def test_a_cancelled_request_ends_between_two_steps(model: Model, checks: int) -> None:
    calls = iter(range(100))
    with pytest.raises(GenerationCancelled):
        model.generator.generate(asked(duration=2), no_progress, lambda: next(calls) >= checks)
    assert len(model.networks.batches) <= checks
    assert model.generate(duration=1).duration == 1


@pytest.mark.parametrize("fields", [{}, {"mono": True}, {"sample_rate": 8000}, {"duration": 200}])
def test_a_stream_is_the_piece_in_windows(model: Model, fields: dict[str, Any]) -> None:
    wanted = {"duration": 20, **fields}
    blocks = list(model.stream(**wanted))
    whole = model.generate(**wanted)
    joined = np.concatenate([block.samples for block in blocks], axis=1)
    np.testing.assert_allclose(joined, whole.samples, atol=1e-6)
    assert len(blocks) > 2
    assert {block.sample_rate for block in blocks} == {whole.sample_rate}
    assert blocks[0].metadata["seed"] == 7


def test_a_long_piece_streams_before_its_later_runs_begin(model: Model) -> None:
    stream = model.stream(duration=300)
    next(stream)
    assert len(model.networks.batches) == 8


def test_loudness_cannot_be_streamed(model: Model) -> None:
    with pytest.raises(InvalidRequest, match=r"^loudness_lufs: is measured over the whole piece"):
        next(model.stream(loudness_lufs=-20))


def test_rate_channels_and_loudness_are_those_asked_for(model: Model) -> None:
    audio = model.generate(duration=4, sample_rate=8000, mono=True, loudness_lufs=-40)
    assert (audio.sample_rate, audio.channels, audio.duration) == (8000, 1, 4)
    assert loudness_of(audio) == pytest.approx(-40, abs=0.2)


def test_the_model_is_opened_once_however_many_ask(model: Model) -> None:
    results: list[Audio] = []
    threads = [threading.Thread(target=lambda: results.append(model.generate(duration=2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.opened == 1
    assert len({audio.samples.tobytes() for audio in results}) == 1
    assert model.generator.load(8) == 1


class Queue:
    """Requests in threads behind one at work, which a test holds at its first step."""

    def __init__(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model = model
        self.told: dict[int, list[Progress]] = {}
        self.results: dict[int, bytes] = {}
        self.cancel_after: dict[int, str] = {}
        self._at_work, self._go_on = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        velocities = model.networks.velocities

        def held(*given: Any) -> Array:
            self._at_work.set()
            assert self._go_on.wait(30)
            return velocities(*given)

        monkeypatch.setattr(model.networks, "velocities", held)
        self._prepared = threading.Semaphore(0)
        preparing = Turns.preparing

        @contextlib.contextmanager
        def counted(turns: Turns) -> Iterator[Preparation]:
            with preparing(turns) as preparation:
                self._prepared.release()
                yield preparation

        monkeypatch.setattr(Turns, "preparing", counted)
        self.ask(duration=1)
        assert self._at_work.wait(30)

    def ask(self, **fields: Any) -> int:
        """Start a request, wait until the queue knows of it, and return its number."""
        number = len(self._threads)
        self.told[number] = []
        self._threads.append(threading.Thread(target=self._run, args=(number, fields)))
        self._threads[-1].start()
        assert self._prepared.acquire(timeout=30)
        return number

    def _run(self, number: int, fields: dict[str, Any]) -> None:
        told = self.told[number]

        def is_cancelled() -> bool:
            return number in self.cancel_after and told[-1].stage.startswith(self.cancel_after[number])

        with contextlib.suppress(GenerationCancelled):
            audio = self.model.generator.generate(asked(**fields), told.append, is_cancelled)
            self.results[number] = audio.samples.tobytes()

    def finish(self) -> list[int]:
        """Let all go on to their ends; return the rows of each call."""
        self._go_on.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.model.networks.batches


def test_requests_of_one_length_that_wait_are_rows_of_one_batch_with_the_bytes_of_each_alone(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[dict[str, Any]] = [
        {"seed": 1}, {"seed": 2, "prompt": "drums"}, {"seed": 3, "duration": 5}, {"seed": 4, "tempo_bpm": 90},
    ]  # fmt: skip
    alone = [model.generate(**{"duration": 2, **fields}).samples.tobytes() for fields in wishes]
    model.networks.batches.clear()
    queue = Queue(model, monkeypatch)
    numbers = [queue.ask(**{"duration": 2, **fields}) for fields in wishes]
    assert sorted(queue.finish()) == [1] * 16 + [3] * 8
    assert [queue.results[number] for number in numbers] == alone
    for number in numbers:
        stages = [one.stage.split(",")[0] for one in queue.told[number]]
        assert [stage for stage in stages if stage.startswith("step")] == [f"step {n} of 8" for n in range(1, 9)]


def test_a_row_that_is_cancelled_leaves_the_others_as_they_are(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = model.generate(duration=2, seed=2).samples.tobytes()
    model.networks.batches.clear()
    queue = Queue(model, monkeypatch)
    first, second = queue.ask(duration=2, seed=1), queue.ask(duration=2, seed=2)
    queue.cancel_after = {first: "step 3"}
    assert queue.finish() == [1] * 8 + [2] * 3 + [1] * 5
    assert queue.results.get(first) is None
    assert queue.results[second] == alone


def test_a_failure_of_the_networks_ends_every_row_and_no_later_request(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = VelocityBatch(model.networks, 2)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            batch.velocity(np.zeros((2, 8), np.float32), 0.5, 1.0)
        except OSError as error:
            failures.append(error)
        batch.leave()

    with monkeypatch.context() as patch:
        patch.setattr(model.networks, "velocities", lambda *_: (_ for _ in ()).throw(OSError("the device is gone")))
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(failures) == 2
    assert model.generate(duration=1).duration == 1


def test_as_many_requests_are_taken_at_once_as_rows_and_memory_allow(tmp_path: Path) -> None:
    networks = StandInNetworks(tmp_path)
    for most, places in ((100, 4), (3, 3), (0, 1)):
        generator = StableAudioGenerator(
            tmp_path, name="x", licence="y", digest="", open_networks=lambda _: networks,
            most_callers=partial(int, most),
        )  # fmt: skip
        assert generator.load(8) == places


def test_a_request_that_waits_for_its_turn_can_be_cancelled(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    step = model.networks.velocities

    def slow_step(*given: Any) -> Array:
        at_work.set()
        assert go_on.wait(30)
        return step(*given)

    monkeypatch.setattr(model.networks, "velocities", slow_step)
    results: list[Audio] = []
    thread = threading.Thread(target=lambda: results.append(model.generate(duration=2)))
    thread.start()
    assert at_work.wait(30)
    checks = iter(range(100))
    with pytest.raises(GenerationCancelled):
        model.generator.generate(asked(duration=2), no_progress, lambda: next(checks) >= 3)
    go_on.set()
    thread.join()
    assert results[0].duration == 2


# ------------------------------------------------------------------ long pieces


def test_a_long_piece_is_made_in_runs_that_go_on_from_each_other(model: Model) -> None:
    audio = model.generate(duration=600)
    assert audio.num_samples == 600 * RATE
    assert len(model.networks.seconds) == 7
    assert max(model.networks.seconds) <= 110
    assert max(model.networks.windows) <= 68


def test_a_piece_that_fits_is_made_in_one_run(model: Model) -> None:
    model.generate(duration=STAND_IN.max_seconds)
    assert len(model.networks.seconds) == 1


# ------------------------------------------------------------------ guidance


def test_a_distilled_model_says_that_it_has_no_use_for_guidance(model: Model) -> None:
    audio = model.generate(duration=1, guidance_scale=5, negative_prompt="drums")
    assert audio.metadata["warnings"] == [
        "guidance_scale: stand-in is distilled and has no use for guidance; it is left out",
        "negative_prompt: stand-in is distilled and has no use for it; it is left out",
    ]
    assert np.array_equal(audio.samples, model.generate(duration=1).samples)


def test_a_base_model_is_guided_and_takes_a_negative_prompt(tmp_path: Path) -> None:
    model = Model(tmp_path, replace(STAND_IN, objective="rectified_flow"))
    plain = model.generate(duration=1, steps=4)
    assert len(model.networks.batches) == 8
    assert plain.metadata["settings"]["guidance_scale"] == 7
    negative = model.generate(duration=1, steps=4, negative_prompt="drums")
    assert negative.metadata["settings"]["negative_prompt"] == "drums"
    assert not np.array_equal(plain.samples, negative.samples)


def test_a_model_that_predicts_v_takes_the_sampler_of_diffusers_too(tmp_path: Path) -> None:
    model = Model(tmp_path, replace(STAND_IN, objective="v"))
    own, other = model.generate(duration=1, steps=4), model.generate(duration=1, steps=4, schedule="diffusers")
    assert "schedule" not in own.metadata["settings"]
    assert other.metadata["settings"]["schedule"] == "diffusers"
    assert not np.array_equal(own.samples, other.samples)
    source = recording(tmp_path / "a.wav")
    with pytest.raises(InvalidRequest, match="schedule: diffusers cannot go with strength"):
        model.generate(audio=source, strength=0.5, schedule="diffusers")


# ------------------------------------------------------------------ audio to audio


def test_a_recording_is_made_anew_at_a_strength(model: Model, tmp_path: Path) -> None:
    source = recording(tmp_path / "a.wav")
    results = [model.generate(audio=source, strength=strength) for strength in (0, 0.3, "reimagine", 1)]
    assert [audio.num_samples for audio in results] == [8 * RATE] * 4
    assert len({audio.samples.tobytes() for audio in results}) == 4
    settings = results[2].metadata["settings"]
    assert (settings["strength"], settings["schedule"], settings["changed"]) == (0.82, "monotonic", str(source))
    assert results[2].metadata["sources"][0]["used_as"] == "audio"


def test_a_strength_of_0_only_encodes_and_decodes(model: Model, tmp_path: Path) -> None:
    model.generate(audio=recording(tmp_path / "a.wav"), strength=0)
    assert len(model.networks.batches) == 0


def test_the_reference_schedule_is_another(model: Model, tmp_path: Path) -> None:
    source = recording(tmp_path / "a.wav")
    ours = model.generate(audio=source, strength=0.6)
    theirs = model.generate(audio=source, strength=0.6, schedule="reference")
    assert not np.array_equal(ours.samples, theirs.samples)


def test_a_recording_may_be_mono_or_have_many_channels_and_another_rate(model: Model, tmp_path: Path) -> None:
    for number, (channels, rate) in enumerate([(1, 8000), (6, 44_100), (2, 3200)]):
        source = recording(tmp_path / f"{number}.wav", 3, channels, rate)
        assert model.generate(audio=source, strength=0.5).num_samples == 3 * RATE


# ------------------------------------------------------------------ continuation and repainting


@pytest.mark.parametrize(("seconds", "duration"), [(8, 20), (8.03, 9.5), (150, 170), (15, 300), (150, 600)])
def test_a_continued_recording_begins_the_result_bit_for_bit(
    model: Model, tmp_path: Path, seconds: float, duration: float
) -> None:
    source = recording(tmp_path / "a.wav", seconds)
    audio = model.generate(audio=source, duration=duration)
    given = samples_of(source)
    assert audio.num_samples == round(duration * RATE)
    assert np.array_equal(audio.samples[:, : given.shape[1]], given)
    new = audio.samples[:, given.shape[1] :]
    assert np.abs(new).max() > 0.1
    # No click at the joint: its step is none that the rest does not have.
    assert np.abs(new[:, 0] - given[:, -1]).max() <= 1.5 * np.abs(np.diff(audio.samples, axis=1)).max()
    assert audio.metadata["settings"]["continued"] == str(source)


def test_a_continuation_is_thirty_seconds_longer_by_default(model: Model, tmp_path: Path) -> None:
    assert model.generate(audio=recording(tmp_path / "a.wav", 4)).duration == 34


@pytest.mark.parametrize(("seconds", "regions"), [
    (8.0, [(2, 4)]), (8.0, [(0, 1), (3.21, 3.987), (7, 8)]), (8.0, [(0, 8)]),
    (300.0, [(5, 9), (120.5, 140), (290, 300)]), (300.0, [(0, 80), (85, 160)]),
])  # fmt: skip
def test_outside_the_repainted_regions_the_source_comes_back_bit_for_bit(
    model: Model, tmp_path: Path, seconds: float, regions: list[tuple[float, float]]
) -> None:
    source = recording(tmp_path / "a.wav", seconds)
    audio = model.generate(audio=source, repaint=",".join(f"{first}-{last}" for first, last in regions))
    given, kept = samples_of(source), np.ones(round(seconds * RATE), bool)
    for first, last in regions:
        kept[round(first * RATE) : round(last * RATE)] = False
        region = slice(round(first * RATE), round(last * RATE))
        assert not np.array_equal(audio.samples[:, region], given[:, region])
    assert audio.num_samples == given.shape[1]
    assert audio.samples[:, kept].tobytes() == given[:, kept].tobytes()


def test_edges_of_a_region_have_no_step(model: Model, tmp_path: Path) -> None:
    source = recording(tmp_path / "a.wav")
    audio = model.generate(audio=source, repaint="2-4")
    for edge in (2 * RATE, 4 * RATE):
        step = np.abs(audio.samples[:, edge] - audio.samples[:, edge - 1]).max()
        assert step < 0.05


# ------------------------------------------------------------------ loops


def test_a_loop_has_whole_bars_and_a_seam_that_is_judged(model: Model) -> None:
    audio = model.generate(loop=True, bars=8, tempo_bpm=120)
    assert audio.num_samples == 16 * RATE
    settings = audio.metadata["settings"]
    assert settings["loop"] is True
    assert settings["bars"] == 8
    assert 0 <= settings["loop_seam"]["score"] <= 1
    assert 1 <= settings["loop_seam"]["tries"] <= 3
    (loop,) = markers_of(audio.metadata, audio.sample_rate).loops
    assert (loop.start, loop.length) == (0, audio.num_samples)


def test_a_loop_with_a_tempo_is_snapped_to_bars(model: Model) -> None:
    assert model.generate(loop=True, duration=15, tempo_bpm=120).duration == 16
    assert model.generate(loop=True, duration=15, tempo_bpm=120, meter="3/4").duration == 15


def test_the_joint_of_a_loop_is_no_bigger_than_any_other_step(model: Model) -> None:
    samples = model.generate(loop=True, duration=16).samples
    steps = np.abs(np.diff(samples, axis=1)).max(axis=0)
    assert np.abs(samples[:, 0] - samples[:, -1]).max() <= 1.01 * steps.max()


def test_a_loop_at_another_rate_is_resampled_across_its_joint(model: Model) -> None:
    loop, resampled = model.generate(loop=True, duration=10), model.generate(loop=True, duration=10, sample_rate=8000)
    assert resampled.num_samples == 80_000
    twice = Audio(np.tile(loop.samples, 2), RATE)
    from tunesmith.audio.resample import resample

    middle = resample(twice, 8000).samples[:, 80_000:81_000]
    np.testing.assert_allclose(resampled.samples[:, :1000], middle, atol=1e-3)


def test_a_loop_streams_whole(model: Model) -> None:
    (block,) = model.stream(loop=True, duration=10)
    assert np.array_equal(block.samples, model.generate(loop=True, duration=10).samples)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(("fields", "problem"), [
    ({"hits": [{"time": 1}]}, "hits: only the composer supports it"),
    ({"intensity": 0.5}, "intensity: only the composer supports it"),
    ({"temperature": 1}, "temperature: only MusicGen and Magenta RealTime models support it, not stand-in, got '1.0'"),
    ({"top_k": 5}, "top_k: only MusicGen and Magenta RealTime models support it"),
    ({"strength": 0.5}, "strength: needs the recording that it changes"),
    ({"repaint": "1-2"}, "repaint: needs the recording that it changes"),
    ({"schedule": "reference"}, "schedule: is for audio with a strength, got 'reference'"),
    ({"schedule": "diffusers"}, "schedule: diffusers is for Stable Audio Open 1.0, not for stand-in"),
    ({"loop": True, "ending": "natural"}, "ending: cannot be natural for a loop"),
    ({"bars": 8}, "bars: need a tempo for stand-in: tempo_bpm"),
    ({"bars": 8, "tempo_bpm": 90, "duration": 9}, "bars: cannot go with duration"),
    ({"loop": True, "duration": 200}, "duration: must be at most 129.2 s for a loop of stand-in, got 200"),
])  # fmt: skip
def test_wishes_that_cannot_be_met_are_refused_by_name(model: Model, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{problem}"):
        model.generate(**fields)
    assert len(model.networks.batches) == 0


@pytest.mark.parametrize(("fields", "problem"), [
    ({"strength": 0.5, "repaint": "1-2"}, "strength: cannot go with repaint"),
    ({"strength": 0.5, "duration": 9}, "duration: must be at most the audio's 8 s, got 9"),
    ({"repaint": "1-2", "duration": 5}, "duration: must be left out or the audio's 8 s, got 5"),
    ({"repaint": "6-8.5"}, "repaint: must lie within the audio's 8 s, got 6-8.5"),
    ({"duration": 7}, "duration: must be longer than the 8 s of audio that it begins with, got 7"),
    ({"loop": True}, "loop: cannot go with audio"),
])  # fmt: skip
def test_wishes_about_a_recording_that_cannot_be_met_are_refused_by_name(
    model: Model, tmp_path: Path, fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"^{problem}"):
        model.generate(audio=recording(tmp_path / "a.wav"), **fields)


def test_bad_recordings_are_refused_in_one_line(model: Model, tmp_path: Path) -> None:
    def refused(name: str, samples: Any, problem: str, error: Any = InvalidRequest, **fields: Any) -> None:
        soundfile.write(tmp_path / name, samples, RATE, subtype="FLOAT")
        with pytest.raises(error, match=problem) as raised:
            model.generate(audio=tmp_path / name, **{"strength": 0.5, **fields})
        assert "\n" not in str(raised.value)

    refused("silent.wav", np.zeros((RATE, 2)), r"^audio: .* is silent, with a peak of 0")
    refused("nan.wav", np.full((RATE, 2), np.nan), r"has samples that are NaN", AudioFileError)
    refused("long.wav", np.full((130 * RATE, 1), 0.1), r"^audio: .* must be 0.1 to 129.2 s long, it is 130 s")
    refused("short.wav", np.full((10, 1), 0.1), r"^audio: .* must be 0.1 to 129.2 s long")
    refused("empty.wav", np.zeros((0, 1)), r"(must be|empty|no samples)", (InvalidRequest, AudioFileError))
    refused("wide.wav", np.full((RATE, 1000), 0.1), r"must have at most 64 channels, got 1000", AudioFileError)
    long = np.full((300 * RATE, 1), 0.1)
    refused("region.wav", long, "^repaint: in so long a recording, regions are at most 90 s, got 95 s",
            strength=None, repaint="5-100")  # fmt: skip


def test_a_model_without_inpainting_says_which_have_it(tmp_path: Path) -> None:
    model = Model(tmp_path, NO_INPAINTING)
    source = recording(tmp_path / "a.wav")
    with pytest.raises(InvalidRequest, match=r"^audio: stand-in cannot fill in parts of a sound; Stable Audio 3"):
        model.generate(audio=source)
    with pytest.raises(InvalidRequest, match=r"^repaint: stand-in cannot fill in"):
        model.generate(audio=source, repaint="1-2")
    with pytest.raises(InvalidRequest, match=r"^loop: stand-in cannot fill in"):
        model.generate(loop=True)
    with pytest.raises(InvalidRequest, match=r"^duration: must be at most 129.2 s for stand-in, got 130"):
        model.generate(duration=130)
    assert model.generate(audio=source, strength=0.5).duration == 8
