"""Files of Stable Audio that are broken, tampered with or of another kind: one clear line, and nothing is left."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from stable_audio_files import third_config, write_optimized, write_stability
from stable_audio_pulls import NAME, OPTIMIZED, PullBench

from tunesmith.errors import ModelFileError


class Program:
    """What a pickle that runs a program is made of."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("ran",)


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write an archive anew with its entries changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def replaced(name: str, array: np.ndarray[Any, Any] | bytes) -> Callable[[dict[str, bytes]], object]:
    content = array if isinstance(array, bytes) else array_bytes(array)
    return lambda entries: entries.update({f"{name}.npy": content})


HUGE = array_bytes(np.zeros((1, 1), np.float16)).replace(b"(1, 1)", b"(1000000, 1000000)")
OBJECTS = array_bytes(np.array([Program()], object))
PROJECT_IN, MEMORY = "transformer.project_in.weight", "transformer.memory_tokens"
DIFFUSION = "dit_sm-music_f16.npz"

ARCHIVES: dict[str, tuple[str, Callable[[dict[str, bytes]], object], str]] = {
    "a pickle": (DIFFUSION, replaced(PROJECT_IN, OBJECTS), r"dit_sm.*npz: .*Python objects, which are a pickle"),
    "a pickle beside the arrays": (DIFFUSION, lambda entries: entries.update({"x.pkl": pickle.dumps(1)}), r"'x\.pkl'"),
    "whole numbers": (DIFFUSION, replaced(MEMORY, np.ones((3, 72), np.int32)), "must be float16 or float32, got int32"),
    "complex numbers": (DIFFUSION, replaced(MEMORY, np.ones((3, 72), complex)), r"numbers of type <c16 are not read"),
    "a bomb": (DIFFUSION, replaced(PROJECT_IN, HUGE + bytes(10**7)), r"has 10000\d+ bytes where shape \(1000000, "),
    "another shape": (DIFFUSION, replaced("preprocess_conv.weight", np.ones((8, 2, 8), np.float16)),
                      r"preprocess_conv\.weight must have shape \(8, 1, 8\) .*, got \(8, 2, 8\)"),
    "a missing array": (DIFFUSION, lambda entries: entries.pop("to_cond_embed.2.weight.npy"),
                        r"to_cond_embed\.2\.weight of shape \(72, 72\) is missing"),
    "a missing layer": (DIFFUSION, lambda entries: entries.pop("transformer.layers.1.ff_norm.weight.npy"),
                        r"transformer\.layers\.1\.ff_norm\.weight of shape \(72,\) is missing"),
    "numbers that are none": (DIFFUSION, replaced(MEMORY, np.full((3, 72), np.nan, np.float16)),
                              "memory_tokens contains NaN or infinite"),
    "a text that is none": ("t5gemma_f16.npz", replaced("META", np.frombuffer(b"{", np.uint8)), "META: is not JSON"),
    "a broken tokenizer": ("t5gemma_f16.npz", replaced("TOKENIZER_MODEL", np.full(99, 255, np.uint8)),
                           "TOKENIZER_MODEL: its SentencePiece model is broken"),
    "a decoder of another width": (
        "same_s_decoder_f32.npz", replaced("project_in.weight", np.ones((32, 9), np.float32)), "9 channels; .* has 8",
    ),
    "a long header": (DIFFUSION, replaced(PROJECT_IN, b"\x93NUMPY\x02\x00\xff\xff\xff\x00" + b" " * 10**6),
                      "its header of 16777215 bytes is longer"),
    "no array": (DIFFUSION, replaced(PROJECT_IN, b"nothing"), "is not an array of NumPy"),
}  # fmt: skip


@pytest.mark.parametrize("how", ARCHIVES)
def test_a_tampered_archive_is_one_clear_line_and_leaves_nothing(
    bench: PullBench, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    file, change, words = ARCHIVES[how]
    folder = write_optimized(tmp_path / "free")
    rewrite(folder / "MLX" / file, change)
    bench.hub.share(OPTIMIZED, folder)
    for source in (NAME, str(folder)):
        with pytest.raises(ModelFileError, match=words) as raised:
            bench.pull(source, name=NAME)
        assert "\n" not in str(raised.value)
    assert bench.left() == set()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("size", [0, 10, 1000, -100])
def test_a_truncated_archive_is_named(bench: PullBench, tmp_path: Path, size: int) -> None:
    folder = write_optimized(tmp_path / "free")
    path = folder / "MLX" / "same_s_decoder_f32.npz"
    path.write_bytes(path.read_bytes()[:size])
    bench.hub.share(OPTIMIZED, folder)
    with pytest.raises(ModelFileError, match=r"same_s_decoder_f32\.npz"):
        bench.pull(NAME)
    assert bench.left() == set()


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    config = third_config()
    place: Any = config
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return config


DIFFUSION_CONFIG = ("model", "diffusion", "config")
SAME_CONFIG = ("model", "pretransform", "config")
CONFIGS: dict[str, tuple[tuple[str | int, ...], object, str]] = {
    "medium": ((*DIFFUSION_CONFIG, "attn_kwargs", "differential"), True,
               r"model\.diffusion\.config\.attn_kwargs\.differential: true is Stable Audio 3 medium.*: use "),
    "SAME-L": ((*SAME_CONFIG, "decoder", "config", "sliding_window"), [1, 1], r"sliding_window: belongs to SAME-L"),
    "the conditions' order": (("model", "diffusion", "cross_attention_cond_ids"), ["seconds_total", "prompt"],
                              "cross_attention_cond_ids: "),
    "the time": ((*DIFFUSION_CONFIG, "timestep_features_logsnr"), True, "logsnr: must be False, got True"),
    "the chunks": ((*SAME_CONFIG, "encoder", "config", "chunk_size"), 64, r"chunk_size: must be 32, got 64"),
    "the widths": ((*DIFFUSION_CONFIG, "global_cond_dim"), 64, r"global_cond_dim: must be 32, got 64"),
    "the depth": ((*DIFFUSION_CONFIG, "depth"), 10**9, "depth: must be 1 to 1000, got 1000000000"),
    "the latents": ((*SAME_CONFIG, "downsampling_ratio"), 4096, "downsampling_ratio: must be 512, got 4096"),
    "a shift": (("model", "diffusion", "sampling_distribution_shift_options"), {"type": "flux"}, "shift_options"),
    "a way out": (("model", "conditioning", "configs", 0, "config", "subfolder"), "../..", "subfolder: '../..' is not"),
    "nothing": (("model",), {}, "conditioning: is missing"),
}  # fmt: skip


@pytest.mark.parametrize("how", CONFIGS)
def test_a_configuration_that_differs_is_refused_by_its_key_before_the_weights_are_fetched(
    bench: PullBench, tmp_path: Path, how: str
) -> None:
    path, value, words = CONFIGS[how]
    bench.hub.share("org/other", write_stability(tmp_path / "other", config=changed(path, value)))
    for source in ("org/other", str(tmp_path / "other")):
        with pytest.raises(ModelFileError, match=words):
            bench.pull(source)
    assert not bench.hub.downloads(".safetensors")
    assert bench.left() == set()


def test_wrong_and_missing_tensors_are_named_with_their_shapes(bench: PullBench, tmp_path: Path) -> None:
    folder = write_stability(tmp_path / "broken")
    tensors = load_file(folder / "model.safetensors")
    name = "model.model.transformer.layers.1.ff.ff.2.weight"
    for broken, words in (
        (
            {**tensors, name: np.ones((72, 71), np.float32)},
            r"layers\.1\.ff\.ff\.2\.weight must have shape \(72, 72\), got \(72, 71\)",
        ),
        (
            {other: array for other, array in tensors.items() if other != name},
            r"2\.weight of shape \(72, 72\) is missing",
        ),
        (
            {**tensors, name.replace("1", "2", 1): tensors[name]},
            r"layers\.2\.ff\.ff\.2\.weight .* has no place in the model",
        ),
    ):
        save_file(broken, folder / "model.safetensors")
        with pytest.raises(ModelFileError, match=words):
            bench.pull(str(folder))
    assert bench.left() == set()
