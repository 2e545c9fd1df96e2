"""MusicGen and AudioGen as AudioCraft's users call them: parameters, shapes, seeds, progress, and bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lazy_modules import LazyModule
from musicgen_models import install_random
from shapes import TINY

from tunesmith.audiocraft.errors import ArgumentError, UnsupportedUse
from tunesmith.audiocraft.models import AudioGen, MusicGen
from tunesmith.errors import ModelNotInstalled, TunesmithError
from tunesmith.models.store import Store

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


def tone(seconds: float, rate: int = 32_000, channels: int = 1) -> torch.Tensor:
    time = torch.arange(int(seconds * rate)) / rate
    return 0.3 * torch.sin(2 * math.pi * 440 * time).expand(channels, -1)


def test_the_defaults_are_those_of_audiocraft(melody: MusicGen, sounds: AudioGen) -> None:
    wanted = {"use_sampling": True, "temp": 1.0, "top_k": 250, "top_p": 0.0, "cfg_coef": 3.0, "two_step_cfg": False}
    for model, duration, stride, longest in ((melody, 15, 18, 30), (sounds, 5, 2, 10)):
        fresh = type(model)(model._pretrained)
        assert fresh.generation_params == wanted
        assert (fresh.duration, fresh.extend_stride, fresh.max_duration) == (duration, stride, longest)
    assert (melody.sample_rate, melody.frame_rate, melody.audio_channels) == (32_000, 50, 1)
    assert (sounds.sample_rate, sounds.frame_rate, sounds.audio_channels) == (16_000, 50, 1)
    assert melody.device == torch.device("cpu")
    assert not hasattr(melody, "lm")


def test_a_list_of_texts_is_one_batch_of_sounds(small: MusicGen) -> None:
    small.set_generation_params(duration=0.51)
    wav, tokens = small.generate(["slow piano", "", None, "happy drum"], return_tokens=True)
    assert isinstance(wav, torch.Tensor)
    # 25 whole frames of 640 samples, as AudioCraft rounds.
    assert (wav.shape, wav.dtype) == ((4, 1, 25 * 640), torch.float32)
    assert (tokens.shape, tokens.dtype) == ((4, 4, 25), torch.int64)
    assert torch.equal(small.generate_audio(tokens), wav)
    assert small.generate_unconditional(2).shape == (2, 1, 16_000)


def test_torchs_seed_repeats_the_music_and_neighbours_do_not_change_it(small: MusicGen) -> None:
    small.set_generation_params(duration=0.4)
    torch.manual_seed(7)
    first = small.generate(["slow piano", "happy drum"])
    torch.manual_seed(7)
    again = small.generate(["slow piano", "sad song"])
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[1], again[1])
    assert not torch.equal(first, small.generate(["slow piano", "happy drum"]))


def test_without_sampling_nothing_is_drawn(small: MusicGen) -> None:
    small.set_generation_params(use_sampling=False, duration=0.4)
    assert torch.equal(small.generate(["slow piano"]), small.generate(["slow piano"]))
    guided = small.generate(["slow piano"])
    small.set_generation_params(use_sampling=False, duration=0.4, cfg_coef=0)
    assert torch.equal(small.generate(["slow piano"]), small.generate_unconditional(1))
    assert not torch.equal(small.generate(["slow piano"]), guided)


def test_a_continuation_begins_with_its_prompt(small: MusicGen) -> None:
    small.set_generation_params(duration=0.8)
    prompt = tone(0.3, rate=16_000, channels=2)
    wav, tokens = small.generate_continuation(prompt, 16_000, ["slow piano"], return_tokens=True)
    codes, scale = small.compression_model.encode(tone(0.3).mean(0, keepdim=True)[None])
    assert scale is None
    assert tokens.shape == (1, 4, 40)
    assert (tokens[..., : codes.shape[-1]] == codes).float().mean() > 0.9
    assert small.generate_continuation(prompt.expand(3, 2, -1), 16_000).shape == (3, 1, 25_600)
    assert wav.shape == (1, 1, 25_600)


def test_a_melody_is_followed_in_every_shape(melody: MusicGen) -> None:
    melody.set_generation_params(use_sampling=False, duration=0.4)
    wav = tone(1.0, channels=2)
    two = melody.generate_with_chroma(["song", "song"], wav.expand(2, 2, -1), 32_000)
    assert torch.equal(two[0], two[1])
    assert torch.equal(melody.generate_with_chroma(["song"], wav, 32_000)[0], two[0])
    mixed = melody.generate_with_chroma(["song", "song"], [None, wav], 32_000)
    assert torch.equal(mixed[1], two[0])
    assert torch.equal(mixed[0], melody.generate(["song"])[0])
    assert not torch.equal(mixed[0], mixed[1])


def test_a_stereo_model_has_two_channels_and_twice_the_codebooks(
    small: MusicGen, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del small
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(data_dir))
    stereo = replace(
        TINY, audio_channels=2, delays=(0, 0, 1, 1, 2, 2, 3, 3), decoder=replace(TINY.decoder, num_codebooks=8)
    )
    install_random(Store(data_dir), "musicgen-stereo-small", stereo)
    model = MusicGen.get_pretrained("facebook/musicgen-stereo-small")
    model.set_generation_params(duration=0.4)
    wav, tokens = model.generate_continuation(tone(0.2), 32_000, ["song"], return_tokens=True)
    assert (model.audio_channels, wav.shape, tokens.shape) == (2, (1, 2, 12_800), (1, 8, 20))
    # A prompt of one channel is that of both.
    assert torch.equal(tokens[:, 0:2:2, :10], tokens[:, 1:2:2, :10])
    assert torch.equal(model.compression_model.decode(tokens), wav)
    assert (model.compression_model.num_codebooks, model.compression_model.total_codebooks) == (8, 4)


def test_progress_counts_as_audiocraft_counts(sounds: AudioGen) -> None:
    steps: list[tuple[int, int]] = []
    sounds.set_generation_params(duration=0.4)
    sounds.set_custom_progress_callback(lambda *counts: steps.append(counts))
    sounds.generate(["dog", "rain"])
    assert steps == []
    sounds.generate(["dog", "rain"], progress=True)
    assert steps == [(step, 23) for step in range(1, 24)]
    steps.clear()
    sounds.set_generation_params(duration=12.5)
    sounds.generate(["dog"], progress=True)
    # Windows of 10 s begin every 2 s, the last ones with the 8 s before; each takes 3 steps more for the delays.
    assert steps[:503] == [(step, 503) for step in range(1, 504)]
    assert steps[503:606] == [(100 + step, 103) for step in range(1, 104)]
    assert steps[606:] == [(200 + step, 28) for step in range(1, 29)]


def test_progress_goes_on_while_some_items_wait_for_rows(sounds: AudioGen, monkeypatch: pytest.MonkeyPatch) -> None:
    advanced, at = [0], list[int]()
    advance = sounds._engine.advance

    def counted(sequence: Any) -> None:
        advanced[0] += 1
        advance(sequence)

    monkeypatch.setattr(sounds._engine, "advance", counted)
    sounds.set_generation_params(duration=0.4)
    sounds.set_custom_progress_callback(lambda *_: at.append(advanced[0]))
    assert len(sounds.generate(["dog"] * 20, progress=True)) == 20
    sounds.set_custom_progress_callback()
    # 16 rows take 8 items at a time.
    assert len(at) == 23
    assert at[8] < advanced[0] / 2


def test_progress_without_a_callback_is_printed(sounds: AudioGen, capsys: pytest.CaptureFixture[str]) -> None:
    sounds.set_custom_progress_callback()
    sounds.set_generation_params(duration=0.04)
    sounds.generate(["dog"], progress=True)
    assert capsys.readouterr().out == "".join(f"{step:6d} /      5\r" for step in range(1, 6))


def test_an_error_of_the_callback_ends_the_batch_and_the_model_goes_on(sounds: AudioGen) -> None:
    def stop(generated: int, _total: int) -> None:
        if generated == 3:
            raise KeyboardInterrupt

    sounds.set_generation_params(duration=0.4)
    sounds.set_custom_progress_callback(stop)
    with pytest.raises(KeyboardInterrupt):
        sounds.generate(["dog", "rain"], progress=True)
    sounds.set_custom_progress_callback()
    assert sounds.generate(["dog"] * 10).shape == (10, 1, 6_400)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: model.generate([]), "descriptions: must be at least one text, got an empty list"),
        (lambda model: model.generate("slow piano"), "descriptions: .*got one text: write \\['slow piano'\\]"),
        (lambda model: model.generate([3]), "descriptions: must be texts or None, got int"),
        (lambda model: model.generate(7), "descriptions: must be a list of texts, got int"),
        (lambda model: model.generate_unconditional(0), "num_samples: must be a whole number from 1, got 0"),
        (
            lambda model: model.generate_continuation(torch.zeros(5), 32_000),
            "prompt: must have the shape .*got \\(5,\\)",
        ),
        (lambda model: model.generate_continuation("a.wav", 32_000), "prompt: must be a tensor or an array, got str"),
        (lambda model: model.generate_continuation(tone(0.1), 0), "prompt_sample_rate: must be .* got 0"),
        (
            lambda model: model.generate_with_chroma(["a", "b"], [tone(1), tone(1)], [32_000, 44_100]),
            r"melody_sample_rate: must be a sample rate of 1 to 10000000 Hz, got \[32000, 44100\]",
        ),
        (
            lambda model: model.generate_continuation(tone(0.1)[None], 32_000, ["a", "b"]),
            "descriptions: must be as many as the prompts, 1, got 2",
        ),
        (
            lambda model: model.generate_continuation(tone(0.5), 32_000),
            "prompt: must be shorter than the 0.4 s to generate, got 0.5 s",
        ),
        (lambda model: model.generate_audio(torch.zeros(1, 4, 3)), "codes: must be whole numbers below 64"),
        (
            lambda model: model.generate_audio(torch.zeros(4, 3, dtype=torch.long)),
            r"codes: must have the shape \(batch, 4, frames\), got \(4, 3\)",
        ),
        (lambda model: model.set_generation_params(extend_stride=30), "extend_stride: must be below the 30 s"),
        (lambda model: model.compression_model.encode(tone(0.1)), r"x: must have the shape \(batch, 1, samples\)"),
        (lambda model: model.compression_model.set_num_codebooks(2), "n: must be 4, .* got 2"),
    ],
)
def test_bad_input_is_one_line_and_the_errors_of_audiocraft(small: MusicGen, call: Any, words: str) -> None:
    small.set_generation_params(duration=0.4)
    for expected in (ArgumentError, AssertionError, ValueError, TunesmithError):
        with pytest.raises(expected, match=words):
            call(small)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"duration": 1801}, "duration: must be 0.02 to 1800, got 1801"),
        ({"duration": 0}, "duration: must be 0.02 to 1800, got 0"),
        ({"duration": "8"}, "duration: must be 0.02 to 1800, got '8'"),
        ({"cfg_coef": 0.5}, "cfg_coef: must be 0 or at least 1, got 0.5"),
        ({"top_p": 2.0}, "top_p: must be 0 to 1, got 2.0"),
        ({"top_k": None}, "top_k: must be 0 to 1e[+]09, got None"),
        ({"temperature": math.nan}, "temperature: must be -1000 to 1000, got nan"),
        ({"extend_stride": 0}, "extend_stride: must be 0.02 to 29.98, got 0"),
    ],
)
def test_a_parameter_out_of_range_is_named(small: MusicGen, params: dict[str, Any], words: str) -> None:
    small.set_generation_params(**{"duration": 0.4, **params})
    with pytest.raises(ArgumentError, match=words):
        small.generate(["slow piano"])


def test_melodies_are_checked(small: MusicGen, melody: MusicGen) -> None:
    melody.set_generation_params(duration=0.4)
    for wavs, words in (
        (torch.zeros(8), r"melody_wavs: must have the shape \(batch, channels, samples\), got \(8,\)"),
        ([torch.zeros(1, 1, 8)], r"melody_wavs: must have the shape \(channels, samples\) each, got \(1, 1, 8\)"),
        (torch.zeros(2, 1, 8), "melody_wavs: must be as many as the descriptions, 1, got 2"),
        ([], "melody_wavs: must be as many as the descriptions, 1, got 0"),
        (torch.full((1, 8), math.nan), "melody_wavs: has samples that are NaN or infinite"),
    ):
        with pytest.raises(ArgumentError, match=words):
            melody.generate_with_chroma(["song"], wavs, 32_000)
    with pytest.raises(RuntimeError, match="melody_wavs: facebook/musicgen-small does not support melodies"):
        small.generate_with_chroma(["song"], tone(1), 32_000)
    with pytest.raises(UnsupportedUse, match="cfg_coef_beta: only the style models have it, got 5"):
        melody.set_generation_params(cfg_coef_beta=5)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("facebook/musicgen-style", UnsupportedUse, "the style models are not here"),
        ("facebook/magnet-small-10secs", UnsupportedUse, "MAGNeT is not here: use MusicGen"),
        ("https://dl.fbaipublicfiles.com/musicgen.th", ArgumentError, "name: .* not a URL"),
        ("", ArgumentError, "name: must be a model's name"),
        ("debug", UnsupportedUse, "the random model 'debug' is not here"),
        ("medium", TunesmithError, "there is no model called 'medium'"),
        ("musicgen-smal", TunesmithError, "did you mean musicgen-small"),
        (
            "facebook/musicgen-large",
            ModelNotInstalled,
            "TUNESMITH_NO_PULL is set; install it with: tunesmith pull facebook/musicgen-large$",
        ),
    ],
)
def test_a_name_that_leads_to_no_model_says_what_to_do(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        (AudioGen if name == "medium" else MusicGen).get_pretrained(name)


@pytest.mark.usefixtures("small")
def test_models_have_their_old_names_and_devices_are_said() -> None:
    with pytest.warns(UserWarning, match="'small' is deprecated; use 'facebook/musicgen-small'"):
        assert MusicGen.get_pretrained("small").name == "facebook/musicgen-small"
    with pytest.warns(UserWarning, match="musicgen-small is installed for the processor and runs there, not on cuda"):
        MusicGen.get_pretrained("musicgen-small", device="cuda")
    with pytest.raises(ArgumentError, match="device: must be cpu, cuda, cuda:N or mps, got 'tpu'"):
        MusicGen.get_pretrained("musicgen-small", device="tpu")
    with pytest.raises(UnsupportedUse, match="facebook/musicgen-melody follows melodies, which AudioGen cannot"):
        AudioGen.get_pretrained("facebook/musicgen-melody")
    with pytest.raises(ArgumentError, match="MusicGen: is made by get_pretrained, also from a checkpoint's folder"):
        MusicGen("facebook/musicgen-small")  # type: ignore[arg-type]


def test_without_torch_results_are_arrays_that_answer_the_usual_calls(
    small: MusicGen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.audiocraft.arrays.has_torch", lambda: False)
    small.set_generation_params(duration=0.4)
    np.random.seed(3)  # noqa: NPY002  as a script does
    wav, tokens = small.generate(["slow piano", "happy drum"], return_tokens=True)
    np.random.seed(3)  # noqa: NPY002  as a script does
    assert (small.generate(["slow piano", "happy drum"]) == wav).all()
    assert isinstance(wav, np.ndarray)
    assert (wav.shape, tokens.dtype) == ((2, 1, 12_800), np.int64)
    for one in wav:
        assert type(one.detach().cpu().numpy()) is np.ndarray
    assert (one.dim(), one.device, one.unsqueeze(0).shape) == (2, "cpu", (1, 1, 12_800))
    assert one[None].expand(3, -1, -1).shape == (3, 1, 12_800)
    assert one.t().clone().to("cuda").float().shape == (12_800, 1)
    assert (small.generate_audio(tokens) == wav).all()
