from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import audiocraft_twin
import checkpoints
import numpy as np
import pytest
import yaml
from lazy_modules import LazyModule

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.checkpoint import needed_companions, open_checkpoint

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

Settings = dict[str, Any]


@pytest.mark.parametrize("kind", ["text", "melody"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("codec", ["weights", "pointer"])
def test_the_twin_is_the_checkpoint_of_hugging_faces_layout(
    tmp_path: Path, kind: Any, channels: int, codec: Any
) -> None:
    model = checkpoints.write_musicgen(tmp_path / "hf", kind=kind, audio_channels=channels)
    checkpoints.write_audiocraft(tmp_path / "ac", model, codec=codec)
    companions = checkpoints.write_companions(tmp_path, model)
    expected, got = open_checkpoint(tmp_path / "hf"), open_checkpoint(tmp_path / "ac", companions)
    assert got.architecture == expected.architecture
    assert set(got.weights) == set(expected.weights)
    for name, weight in expected.weights.items():
        np.testing.assert_array_equal(got.weights[name], weight, err_msg=name)
    assert got.tokenizer.read_bytes() == expected.tokenizer.read_bytes()


def test_half_precision_is_read_as_it_is(tmp_path: Path, text_checkpoint: Any) -> None:
    checkpoints.write_audiocraft(tmp_path / "ac", text_checkpoint.model, half=True)
    companions = checkpoints.write_companions(tmp_path, text_checkpoint.model)
    name = "decoder.model.decoder.layers.1.encoder_attn.v_proj.weight"
    weight = open_checkpoint(tmp_path / "ac", companions).weights[name]
    np.testing.assert_array_equal(weight, text_checkpoint.model.state_dict()[name].half().float().numpy())


@pytest.mark.parametrize(
    ("codec", "needed"), [("weights", ("t5-base",)), ("pointer", ("t5-base", "facebook/encodec_32khz"))]
)
def test_it_tells_which_repositories_it_needs(tmp_path: Path, text_checkpoint: Any, codec: Any, needed: Any) -> None:
    checkpoints.write_audiocraft(tmp_path, text_checkpoint.model, codec=codec)
    assert needed_companions(tmp_path) == needed
    with pytest.raises(ModelFileError, match=r"state_dict\.bin: it needs the repository t5-base"):
        open_checkpoint(tmp_path)


def change(folder: Path, file: str, edit: Callable[[Settings], object]) -> None:
    package = torch.load(folder / file, weights_only=True)
    settings = yaml.safe_load(package["xp.cfg"])
    edit(settings)
    torch.save({**package, "xp.cfg": yaml.safe_dump(settings)}, folder / file)


@pytest.fixture
def twin(tmp_path: Path, text_checkpoint: Any) -> tuple[Path, dict[str, Path]]:
    checkpoints.write_audiocraft(tmp_path / "ac", text_checkpoint.model)
    return tmp_path / "ac", checkpoints.write_companions(tmp_path, text_checkpoint.model)


def test_sound_effects_at_16_khz_are_read(twin: Any) -> None:
    folder, companions = twin
    for file in ("state_dict.bin", "compression_state_dict.bin"):
        change(folder, file, lambda settings: settings.update(sample_rate=16000))
    change(folder, "state_dict.bin", lambda settings: settings["dataset"].update(segment_duration=10.0))
    architecture = open_checkpoint(folder, companions).architecture
    assert (architecture.codec.sample_rate, architecture.frame_rate) == (16000, 25.0)
    assert (architecture.window_seconds, architecture.window_frames) == (10.0, 250)


STYLE = {"model": "style", "style": {"model_name": "mert"}}


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (
            lambda s: s["conditioners"].update(self_wav=STYLE),
            r"conditioners\.self_wav: unsupported .*'style'",
        ),
        (lambda s: s["conditioners"]["description"].update(model="clap"), r"conditioners\.description: .*'clap'"),
        (lambda s: s["conditioners"]["description"]["t5"].update(name="../x"), r"conditioners\.description\.t5\.name"),
        (
            lambda s: s.update(lm_model="transformer_lm_magnet"),
            "lm_model: must be 'transformer_lm'",
        ),
        (
            lambda s: s["transformer_lm"].update(qk_layer_norm=True),
            r"transformer_lm\.qk_layer_norm: must be False",
        ),
        (
            lambda s: s["transformer_lm"].update(dim="${nowhere}"),
            r"transformer_lm\.dim: must be int",
        ),
        (lambda s: s["transformer_lm"].update(dim="${sample_rate}"), "must have shape"),
        (lambda s: s["codebooks_pattern"].update(modeling="parallel"), r"codebooks_pattern\.modeling"),
        (lambda s: s["codebooks_pattern"]["delay"].update(delays=[0, 1, 2]), r"codebooks_pattern\.delay\.delays"),
        (lambda s: s["fuser"].update(prepend=["description"]), r"fuser\.prepend"),
        (lambda s: s.pop("fuser"), "fuser: is missing"),
    ],
)
def test_what_the_engine_does_not_compute_is_refused_by_field(twin: Any, edit: Any, named: str) -> None:
    folder, companions = twin
    change(folder, "state_dict.bin", edit)
    with pytest.raises(ModelFileError, match=rf"state_dict\.bin: .*{named}"):
        open_checkpoint(folder, companions)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda s: s["seanet"].update(norm="time_group_norm"), r"seanet\.norm"),
        (lambda s: s["seanet"]["decoder"].update(final_activation="Tanh"), r"seanet\.decoder\.final_activation"),
        (lambda s: s["rvq"].update(n_q=2), r"rvq\.n_q: 2 codebooks, but the decoder writes 4"),
        (lambda s: s.update(compression_model="dac"), "compression_model: must be 'encodec', got 'dac'"),
    ],
)
def test_another_codec_is_refused_by_field(twin: Any, edit: Any, named: str) -> None:
    folder, companions = twin
    change(folder, "compression_state_dict.bin", edit)
    with pytest.raises(ModelFileError, match=rf"compression_state_dict\.bin: {named}"):
        open_checkpoint(folder, companions)


@pytest.mark.parametrize("pretrained", ["dac_44khz", "../../secret", ""])
def test_a_pointer_to_anything_but_a_repository_of_encodec_is_refused(twin: Any, pretrained: str) -> None:
    torch.save({"pretrained": pretrained}, twin[0] / "compression_state_dict.bin")
    with pytest.raises(ModelFileError, match=r"compression_state_dict\.bin: pretrained"):
        needed_companions(twin[0])


@pytest.mark.parametrize(
    "settings", ["[1, 2", "- a", "!!python/object/apply:os.system ['true']", "a: &a [1]\nb: *a", "[" * 10_000]
)
def test_broken_and_hostile_settings_are_refused(twin: Any, settings: str) -> None:
    torch.save({"best_state": {}, "xp.cfg": settings}, twin[0] / "state_dict.bin")
    with pytest.raises(ModelFileError, match=r"state_dict\.bin: xp\.cfg"):
        open_checkpoint(*twin)


def test_a_missing_tensor_is_named(twin: Any) -> None:
    package = torch.load(twin[0] / "state_dict.bin", weights_only=True)
    del package["best_state"]["transformer.layers.1.cross_attention.in_proj_weight"]
    torch.save(package, twin[0] / "state_dict.bin")
    with pytest.raises(ModelFileError, match=r"state_dict\.bin: .*layers\.1\.encoder_attn\.q_proj\.weight .* missing"):
        open_checkpoint(*twin)


def test_a_training_checkpoint_that_was_not_exported_is_refused(twin: Any) -> None:
    torch.save({"model": {"emb.0.weight": torch.zeros(3)}}, twin[0] / "state_dict.bin")
    with pytest.raises(ModelFileError, match="it has no best_state and xp"):
        open_checkpoint(*twin)


def test_companions_are_checked_like_the_rest(twin: Any) -> None:
    folder, companions = twin
    wrong = {**companions, audiocraft_twin.TEXT_REPOSITORY: companions[audiocraft_twin.CODEC_REPOSITORY]}
    with pytest.raises(ModelFileError, match=r"t5-base/config\.json: model_type: must be 't5', got 'encodec'"):
        open_checkpoint(folder, wrong)
