"""MusicGen as a generator: from a request to sound, and what is refused on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from toy_model import TOY, TOY_MELODY, TOY_STEREO, ToyCodec, ToyRunner, ToyTokenizer

from tunesmith.audio import Audio
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.reader import read_audio
from tunesmith.audio.true_peak import true_peak_of
from tunesmith.errors import AudioFileError, GenerationCancelled, InvalidRequest, QueueFull
from tunesmith.generator import Progress, never_cancelled, no_progress
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.engine import Engine, EngineLimits
from tunesmith.musicgen.generator import MusicGenGenerator
from tunesmith.neural.step_progress import StepProgress
from tunesmith.request import GenerationRequest

RATE = TOY.codec.sample_rate


class Model:
    """A generator over the toy, and the parts that a test may look at."""

    def __init__(self, architecture: Architecture = TOY, limits: EngineLimits | None = None) -> None:
        self.runner = ToyRunner(architecture)
        self.opened: list[Path] = []
        self._limits = limits or EngineLimits()
        self.generator = MusicGenGenerator(
            Path("toy"), name="toy", licence="Toy Licence 1.0", digest="sha256:0", engine_factory=self._open
        )

    def _open(self, folder: Path, _: int) -> Engine:
        self.opened.append(folder)
        tokenizer: Any = ToyTokenizer()
        return Engine(self.runner, ToyCodec(self.runner.architecture), tokenizer, self._limits)

    def generate(self, prompt: str = "calm piano", **wishes: Any) -> Audio:
        return self.generator.generate(asked(prompt, **wishes), no_progress, never_cancelled)

    def stream(self, prompt: str = "calm piano", **wishes: Any) -> Iterator[Audio]:
        return self.generator.stream(asked(prompt, **wishes))


def asked(prompt: str = "calm piano", **wishes: Any) -> GenerationRequest:
    return GenerationRequest.checked(prompt=prompt, model="toy", **{"seed": 7, "duration": 1, **wishes})


def recording(path: Path, seconds: float = 1.0, channels: int = 1, rate: int = RATE, level: float = 0.5) -> Path:
    tone = level * np.sin(np.arange(round(seconds * rate)) * 440 * 2 * np.pi / rate)
    soundfile.write(path, np.stack([tone] * channels, axis=1), rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("duration", [1, 1.2, 1.013, 3, 7.77])
def test_it_is_exactly_as_long_as_asked_for(duration: float) -> None:
    assert Model().generate(duration=duration).num_samples == round(duration * RATE)


def test_ten_seconds_come_where_no_length_is_asked_for() -> None:
    assert Model().generate(duration=None).duration == 10


def test_the_same_request_gives_the_same_bytes_and_another_seed_others() -> None:
    first, second, other = (Model().generate(seed=seed).samples for seed in (7, 7, 8))
    assert first.tobytes() == second.tobytes() != other.tobytes()


@pytest.mark.parametrize("wish", [
    {"negative_prompt": "drums"}, {"guidance_scale": 2}, {"temperature": 3}, {"top_k": 2}, {"top_p": 0.3},
    {"tempo_bpm": 90}, {"key": "A minor"}, {"meter": "3/4"}, {"genre": "jazz"}, {"instruments": ("flute",)},
])  # fmt: skip
def test_every_wish_changes_the_sound(wish: dict[str, Any]) -> None:
    assert Model().generate(**wish).samples.tobytes() != Model().generate().samples.tobytes()


def test_wishes_become_words_and_are_noted() -> None:
    audio = Model().generate(
        tempo_bpm=90, key="A minor", meter="3/4", genre="deep_house", instruments=("flute", "steel_drums")
    )
    text = "calm piano, deep house, with flute and steel drums, 90 bpm, in A minor, 3/4 time"
    assert audio.metadata["settings"]["text"] == text


def test_the_metadata_tell_model_licence_seed_and_settings() -> None:
    metadata = Model().generate(negative_prompt="drums", top_k=9).metadata
    assert (metadata["model"], metadata["licence"], metadata["model_digest"]) == ("toy", "Toy Licence 1.0", "sha256:0")
    assert (metadata["prompt"], metadata["seed"], metadata["warnings"]) == ("calm piano", 7, [])
    settings = metadata["settings"]
    assert (settings["guidance_scale"], settings["top_k"], settings["negative_prompt"]) == (3.0, 9, "drums")
    again = Model().generator.generate(GenerationRequest.checked(**metadata["request"]), no_progress, never_cancelled)
    assert (again.samples == Model().generate(negative_prompt="drums", top_k=9).samples).all()


def test_the_metadata_tell_how_many_codes_were_drawn(tmp_path: Path) -> None:
    a_second = TOY.frame_rate * TOY.decoder.num_codebooks
    whole = Model().generate(duration=2)
    assert whole.metadata["settings"]["codes"] == 2 * a_second
    soundfile.write(tmp_path / "begun.wav", whole.samples.T, whole.sample_rate)
    continued = Model().generate(duration=3, audio=tmp_path / "begun.wav")
    assert continued.metadata["settings"]["codes"] == a_second


def test_a_prompt_that_is_cut_is_told() -> None:
    assert re.match("prompt: the last 16 of 81 tokens", Model().generate("la " * 80).metadata["warnings"][0])


@pytest.mark.parametrize(("field", "value"), [
    ("bars", 8), ("without", ("drums",)), ("form", "sting"), ("loop", True), ("intensity", 0.5),
    ("hits", ({"time": 0.5},)), ("soundfont", Path("a.sf2")),
])  # fmt: skip
def test_what_only_the_composer_has_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(
        InvalidRequest,
        match=f"^{field}: only the composer( supports|, Stable Audio and Magenta RealTime models support) it, not toy",
    ):
        Model().generate("calm piano", **{field: value})


@pytest.mark.parametrize(("field", "value"), [
    ("steps", 8), ("ending", "natural"), ("strength", 0.5), ("schedule", "reference"), ("repaint", "4-8"),
])  # fmt: skip
def test_what_only_stable_audio_has_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field}: only Stable Audio models support it, not toy"):
        Model().generate("calm piano", **{field: value})


def test_the_model_keeps_its_rate_unless_another_is_asked_for() -> None:
    assert Model().generate().sample_rate == RATE
    audio = Model().generate(sample_rate=44100)
    assert (audio.sample_rate, audio.num_samples) == (44100, 44100)


def test_stereo_models_give_two_channels_unless_one_is_asked_for() -> None:
    stereo, mono = Model(TOY_STEREO).generate(), Model(TOY_STEREO).generate(mono=True)
    assert (stereo.channels, mono.channels) == (2, 1)
    assert mono.samples[0] == pytest.approx(stereo.samples.mean(axis=0), abs=1e-6)


def test_loudness_is_reached_where_the_peaks_allow_it() -> None:
    audio = Model().generate(duration=3, loudness_lufs=-30)
    assert loudness_of(audio) == pytest.approx(-30, abs=0.1)
    loud = Model().generate(duration=3, loudness_lufs=-8)
    assert true_peak_of(loud) == pytest.approx(-1, abs=0.2)
    assert re.match("loudness_lufs: -8 would clip; it is -", loud.metadata["warnings"][0])


@pytest.mark.parametrize(("channels", "rate", "seconds"), [(1, RATE, 0.5), (2, RATE, 2.0), (1, 44100, 0.713)])
def test_a_recording_is_continued_and_begins_the_result(
    tmp_path: Path, channels: int, rate: int, seconds: float
) -> None:
    path = recording(tmp_path / "a.wav", seconds, channels, rate)
    audio = Model().generate(audio=path, duration=3)
    assert audio.num_samples == 3 * RATE
    given = ToyCodec().decode(ToyCodec().encode(recorded(path)))
    settled = int(seconds * 50 - 2) * 160
    assert audio.samples[:, :settled] == pytest.approx(given[:, :settled], abs=1 / 64 + 1e-6)
    assert (audio.samples != Model().generate(duration=3).samples).any()


@pytest.mark.parametrize("field", ["audio", "melody"])
@pytest.mark.parametrize(("tags", "credit"), [
    ({"artist": "Ann Example", "title": "A Song", "license": "All rights reserved"},
     "A Song by Ann Example: All rights reserved"),
    ({}, "a.flac by an unknown author: unknown"),
])  # fmt: skip
def test_a_piece_made_from_a_recording_names_its_author_and_licence(
    tmp_path: Path, field: str, tags: dict[str, str], credit: str
) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", RATE, 1) as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(0.5 * np.sin(np.arange(RATE) * 0.2))
    audio = Model(TOY_MELODY).generate("calm piano", **{"duration": 2, field: tmp_path / "a.flac"})
    assert audio.metadata["model_licence"] == "Toy Licence 1.0"
    for licence in (audio.metadata["licence"], read_audio(audio.save(tmp_path / "b.mp3")).metadata["licence"]):
        assert credit in licence
        assert "calm piano by Tunesmith (toy): Toy Licence 1.0" in licence


def recorded(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    from tunesmith.audio.resample import resample

    return resample(read_audio(path), RATE).samples[:1]


def test_ten_seconds_are_added_where_no_length_is_asked_for(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", 2)
    assert Model().generate(audio=path, duration=None).duration == 12


def test_a_stereo_model_continues_a_mono_recording(tmp_path: Path) -> None:
    assert Model(TOY_STEREO).generate(audio=recording(tmp_path / "a.wav"), duration=2).channels == 2


@pytest.mark.parametrize("field", ["audio", "melody"])
@pytest.mark.parametrize(("seconds", "level", "problem"), [
    (1, 0.0, "silent"), (0.05, 0.5, "0.1 to 1800 s long, got 0.05 s"),
])  # fmt: skip
def test_recordings_that_cannot_be_used_are_refused(
    tmp_path: Path, field: str, seconds: float, level: float, problem: str
) -> None:
    path = recording(tmp_path / "a.wav", seconds, level=level)
    with pytest.raises(InvalidRequest, match=f"^{field}: .*{problem}"):
        Model(TOY_MELODY).generate("calm piano", **{field: path, "duration": 3})


@pytest.mark.parametrize("field", ["audio", "melody"])
def test_files_that_are_not_sound_are_refused(tmp_path: Path, field: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF but no sound")
    no_numbers = recording(tmp_path / "b.wav", level=np.nan)
    for path in (tmp_path / "a.wav", tmp_path / "none.wav", no_numbers):
        with pytest.raises(AudioFileError, match=re.escape(str(path))):
            Model(TOY_MELODY).generate("calm piano", **{field: path})


def test_a_recording_as_long_as_the_piece_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"^duration: must be longer than the 2 s of audio .*got 2"):
        Model().generate(audio=recording(tmp_path / "a.wav", 2), duration=2)


def test_a_melody_needs_a_melody_model_and_changes_what_it_makes(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", 2)
    with pytest.raises(InvalidRequest, match=r"^melody: toy does not support melodies"):
        Model().generate(melody=path)
    for duration in (1, 3):
        plain, followed = (Model(TOY_MELODY).generate(duration=duration, melody=heard) for heard in (None, path))
        assert (plain.samples != followed.samples).any()


def test_progress_never_goes_back_and_counts_steps() -> None:
    told: list[Progress] = []
    Model().generator.generate(asked(duration=3), told.append, never_cancelled)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert any(re.match(r"step 120 of \d+, 0:0\d left", progress.stage) for progress in told)


def test_the_time_left_follows_from_the_speed_so_far() -> None:
    times, told = iter([100.0, 101.0, 102.0]), list[Progress]()
    steps = StepProgress(told.append, lambda: next(times))
    for done in (0, 1, 11, 21):
        steps(done, 1001)
    assert [progress.stage for progress in told] == [
        "preparing", "step 1 of 1001", "step 11 of 1001, 1:39 left", "step 21 of 1001, 1:38 left",
    ]  # fmt: skip


def test_it_can_be_cancelled_at_any_step_and_leaves_nothing_behind() -> None:
    model, told = Model(), list[Progress]()
    with pytest.raises(GenerationCancelled):
        model.generator.generate(asked(), told.append, lambda: len(told) > 30)
    assert not model.runner.rows
    with pytest.raises(GenerationCancelled):
        Model().generator.generate(asked(), no_progress, lambda: True)


def test_the_model_is_opened_once() -> None:
    model = Model()
    model.generate()
    model.generate()
    assert model.opened == [Path("toy")]


def test_a_full_queue_is_told() -> None:
    with pytest.raises(QueueFull):
        Model(limits=EngineLimits(max_waiting=0)).generate()


@pytest.mark.parametrize("wishes", [
    {}, {"duration": 3.013}, {"sample_rate": 44100}, {"mono": True, "duration": 2},
])  # fmt: skip
@pytest.mark.parametrize("architecture", [TOY, TOY_STEREO], ids=["mono", "stereo"])
def test_streamed_pieces_joined_are_the_whole(architecture: Architecture, wishes: dict[str, Any]) -> None:
    pieces = list(Model(architecture).stream(**wishes))
    whole = Model(architecture).generate(**wishes)
    assert np.concatenate([piece.samples for piece in pieces], axis=1) == pytest.approx(whole.samples, abs=1e-4)
    assert {piece.sample_rate for piece in pieces} == {whole.sample_rate}
    assert pieces[0].metadata["seed"] == 7


def test_the_first_piece_comes_before_most_of_the_work() -> None:
    model = Model()
    pieces = model.stream(duration=10)
    next(pieces)
    assert model.runner.calls.count("step") < 60
    pieces.close()  # type: ignore[attr-defined]
    assert not model.runner.rows


def test_a_stream_cannot_know_its_loudness() -> None:
    with pytest.raises(InvalidRequest, match="loudness_lufs"):
        next(Model().stream(loudness_lufs=-20))
