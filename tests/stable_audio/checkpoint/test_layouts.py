"""One model in every layout: the same architecture, the same weights, the same tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tokenizers
from stable_audio_files import Tensors, folded, third_tensors, write_optimized, write_stability

from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint, needed_companions, open_checkpoint

PROMPTS = ("calm piano", "", "  two  spaces ", "Größe 音楽", "piano pianos, 12 tempo", "<eos> te")


def same(one: StableAudioCheckpoint, other: StableAudioCheckpoint) -> None:
    assert one.architecture == other.architecture
    assert set(one.weights) == set(other.weights)
    for name in one.weights:
        np.testing.assert_allclose(one.weights[name], other.weights[name], rtol=1e-6, atol=1e-8, err_msg=name)


def ids_of(checkpoint: StableAudioCheckpoint, folder: Path) -> list[list[int]]:
    checkpoint.tokenizer.write(folder / "tokenizer.json")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return [tokenizer.encode(prompt).ids for prompt in PROMPTS]


@pytest.mark.parametrize("compressed", [False, True])
def test_the_gated_layout_and_the_one_without_an_account_hold_the_same_model(tmp_path: Path, compressed: bool) -> None:
    gated = open_checkpoint(write_stability(tmp_path / "gated"))
    free = open_checkpoint(write_optimized(tmp_path / "free", compressed=compressed, channels_last=not compressed))
    same(gated, free)
    assert ids_of(gated, tmp_path) == ids_of(free, tmp_path)
    assert needed_companions(tmp_path / "free") == needed_companions(tmp_path / "gated") == ()


def older(tensors: Tensors) -> Tensors:
    """Return the tensors under names that lack a part, as older files have them."""
    parts = ((".model.model.", ".model."), (".mapping.", "."), ("ff.ff.", "ff."), ("model.model.to_", "model.to_"))
    named = {}
    for name, array in tensors.items():
        changed = name
        for today, before in parts:
            if changed == name:
                changed = changed.replace(today, before)
        named[changed] = array
    return named


def test_names_that_lack_a_part_are_found(tmp_path: Path) -> None:
    changed = older(third_tensors())
    assert len(set(changed) - set(third_tensors())) > 20
    same(
        open_checkpoint(write_stability(tmp_path / "new")), open_checkpoint(write_stability(tmp_path / "old", changed))
    )


def test_weights_have_the_numbers_of_the_file(tmp_path: Path) -> None:
    weights = open_checkpoint(write_stability(tmp_path / "gated")).weights
    written = folded(third_tensors())
    prefixes = {
        "model.model.": "diffusion.",
        "pretransform.model.": "autoencoder.",
        "conditioner.conditioners.": "conditioner.",
    }
    for name, array in written.items():
        prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
        ours = prefixes[prefix] + name.removeprefix(prefix)
        if ours in weights:
            np.testing.assert_allclose(weights[ours].reshape(array.shape), array, rtol=1e-6, err_msg=name)
    assert weights["diffusion.preprocess_conv.weight"].shape == (8, 8)
    assert len(written) - sum(not name.startswith("text_encoder.") for name in weights) == 6
