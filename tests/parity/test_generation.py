"""From a published checkpoint to codes and sound: what transformers generates, we generate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from checkpoints import Kind, write_audiocraft, write_companions, write_musicgen
from lazy_modules import LazyModule
from models_of_tests import converted
from numpy.typing import NDArray
from shapes import ONE_THREAD

from tunesmith.errors import InvalidRequest
from tunesmith.generator import never_cancelled
from tunesmith.musicgen.checkpoint import open_checkpoint
from tunesmith.musicgen.conversion import convert
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.open_engine import Device, EngineOptions, open_engine
from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.musicgen.sequence import SequenceRequest

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

FRAMES = 300
GREEDY = SamplerSettings(temperature=0)
PROMPT = "slow piano music with a happy drum"
VARIANTS: dict[str, tuple[Kind, int]] = {"text": ("text", 1), "stereo": ("text", 2), "melody": ("melody", 1)}


class Pair:
    """A checkpoint as transformers runs it, and as we do."""

    def __init__(self, folder: Path, kind: Kind, audio_channels: int) -> None:
        self.model = write_musicgen(folder / "checkpoint", kind=kind, audio_channels=audio_channels)
        self.engine: Engine
        self.reopen(converted(folder / "checkpoint", folder / "model"))

    def reopen(self, folder: Path, device: Device = "auto") -> None:
        """Go on with another model's folder."""
        self.engine = open_engine(folder, EngineOptions(sessions=ONE_THREAD, device=device))

    def reference(self, **options: Any) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return transformers' codes (codebooks, frames) and sound (channels, samples)."""
        seen: list[Any] = []
        decode = self.model.audio_encoder.decode

        def watched(audio_codes: Any, *arguments: Any, **named: Any) -> Any:
            seen.append(audio_codes)
            return decode(audio_codes, *arguments, **named)

        ids = torch.tensor([self.engine.tokenizer.encode(PROMPT).ids])
        self.model.audio_encoder.decode = watched
        try:
            sound = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=FRAMES + 3,
                **options,
            )
        finally:
            self.model.audio_encoder.decode = decode
        return interleaved([np.asarray(codes[0, 0]) for codes in seen]), np.asarray(sound[0])

    def ours(self, **options: Any) -> NDArray[np.int64]:
        ids = self.engine.tokenizer.encode(PROMPT).ids
        request = SequenceRequest(ids, FRAMES, seed=1, **options)
        return self.engine.run(self.engine.submit(request), lambda *_: None, never_cancelled)


def interleaved(channels: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the codes of one or two channels in the model's order: [1L, 1R, 2L, 2R, …]."""
    return np.stack(channels, axis=1).reshape(-1, channels[0].shape[-1])


@pytest.fixture(scope="module", params=VARIANTS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp(request.param), *VARIANTS[request.param])


@pytest.mark.parametrize("guidance_scale", [3.0, 1.0])
def test_greedy_codes_are_those_of_transformers(pair: Pair, guidance_scale: float) -> None:
    wanted, sound = pair.reference(guidance_scale=guidance_scale)
    codes = pair.ours(settings=SamplerSettings(temperature=0, guidance_scale=guidance_scale))
    assert len(np.unique(codes)) > 8
    np.testing.assert_array_equal(codes, wanted[:, :FRAMES])
    np.testing.assert_allclose(pair.engine.codec.decode(codes), sound[:, : FRAMES * 640], atol=1e-4)


def test_a_melody_is_followed_as_by_transformers(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "melody", 1)
    chroma = np.eye(12, dtype=np.float32)[np.random.default_rng(5).integers(0, 12, 235)]
    wanted, _ = pair.reference(guidance_scale=3.0, input_features=torch.from_numpy(chroma)[None])
    codes = pair.ours(settings=GREEDY, melody=lambda _: chroma)
    np.testing.assert_array_equal(codes, wanted[:, :FRAMES])
    assert (codes != pair.ours(settings=GREEDY)).any()


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_a_checkpoint_in_audiocrafts_layout_generates_what_its_twin_does(tmp_path: Path, kind: Kind) -> None:
    pair = Pair(tmp_path, kind, 1)
    write_audiocraft(tmp_path / "twin", pair.model)
    companions = write_companions(tmp_path / "hub", pair.model)
    checkpoint = open_checkpoint(tmp_path / "twin", companions)
    convert(checkpoint, tmp_path / "converted", "none", lambda _: None)
    pair.reopen(tmp_path / "converted")
    wanted, _ = pair.reference(guidance_scale=3.0)
    np.testing.assert_array_equal(pair.ours(settings=GREEDY), wanted[:, :FRAMES])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_installed_for_a_gpu_says_the_same_but_for_half_precision(tmp_path: Path, variant: str) -> None:
    pair = Pair(tmp_path, *VARIANTS[variant])
    wanted = pair.ours(settings=GREEDY)
    pair.reopen(converted(tmp_path / "checkpoint", tmp_path / "gpu", "float16"), device="cpu")
    assert not (tmp_path / "gpu" / "decoder.onnx").exists()
    codes = pair.ours(settings=GREEDY)
    assert (codes[:, :20] == wanted[:, :20]).mean() > 0.9


def test_a_model_for_a_gpu_is_refused_where_there_is_none(tmp_path: Path) -> None:
    write_musicgen(tmp_path / "checkpoint")
    folder = converted(tmp_path / "checkpoint", tmp_path / "gpu", "float16")
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InvalidRequest, match="device: this model was installed for a GPU, and none was found"):
        open_engine(folder, EngineOptions(sessions=ONE_THREAD))
