"""AudioGen from a checkpoint in audiocraft's layout: the codes and sounds of transformers' T5, decoder and EnCodec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audiogen_checkpoints import AUDIOGEN, HOP, SAMPLE_RATE, TEXT_ENCODER, make_audiogen, write_audiogen
from numpy.typing import NDArray
from shapes import ONE_THREAD

from tunesmith.generator import never_cancelled
from tunesmith.musicgen.checkpoint import needed_companions, open_checkpoint
from tunesmith.musicgen.conversion import convert
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.open_engine import EngineOptions, open_engine
from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.musicgen.sequence import SequenceRequest

FRAMES = 120
PROMPT = "dog barking in the rain"


class AudioGenPair:
    """A tiny AudioGen as transformers runs it, and as we do after pulling it."""

    def __init__(self, folder: Path) -> None:
        # The published weights are half precision, so both sides compute with the rounded ones.
        self.model = make_audiogen().half().float()
        folders = write_audiogen(folder, self.model)
        assert needed_companions(folders[AUDIOGEN]) == (TEXT_ENCODER,)
        checkpoint = open_checkpoint(folders[AUDIOGEN], {TEXT_ENCODER: folders[TEXT_ENCODER]})
        convert(checkpoint, folder / "model", "none", lambda _: None)
        self.engine: Engine = open_engine(folder / "model", EngineOptions(sessions=ONE_THREAD))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> AudioGenPair:
    return AudioGenPair(tmp_path_factory.mktemp("audiogen"))


def test_its_sizes_are_those_of_the_settings(pair: AudioGenPair) -> None:
    architecture = pair.engine.architecture
    assert (architecture.codec.sample_rate, architecture.codec.hop) == (SAMPLE_RATE, HOP)
    assert (architecture.frame_rate, architecture.window_frames) == (50.0, 500)
    assert (architecture.decoder.num_codebooks, architecture.delays) == (4, (0, 1, 2, 3))
    assert architecture.text_encoder.hidden_size == 64


def test_greedy_codes_and_their_sound_are_those_of_transformers(pair: AudioGenPair) -> None:
    import torch

    ids = pair.engine.tokenizer.encode(PROMPT).ids
    seen: list[Any] = []
    decode = pair.model.audio_encoder.decode

    def watched(codes: Any, *rest: Any, **named: Any) -> Any:
        seen.append(codes)
        return decode(codes, *rest, **named)

    pair.model.audio_encoder.decode = watched
    try:
        sound = pair.model.generate(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
            max_new_tokens=FRAMES + 3, guidance_scale=3.0,
        )  # fmt: skip
    finally:
        pair.model.audio_encoder.decode = decode
    request = SequenceRequest(ids, FRAMES, seed=1, settings=SamplerSettings(temperature=0))
    codes = pair.engine.run(pair.engine.submit(request), lambda *_: None, never_cancelled)
    assert len(np.unique(codes)) > 8
    np.testing.assert_array_equal(codes, np.asarray(seen[0][0, 0])[:, :FRAMES])
    np.testing.assert_allclose(pair.engine.codec.decode(codes), np.asarray(sound[0])[:, : FRAMES * HOP], atol=1e-4)


def test_a_recording_at_16_khz_has_the_codes_of_encodec(pair: AudioGenPair) -> None:
    import torch

    samples: NDArray[np.float32] = np.random.default_rng(7).standard_normal((1, 60 * HOP)).astype(np.float32) * 0.3
    with torch.inference_mode():
        wanted = pair.model.audio_encoder.encode(torch.from_numpy(samples)[None]).audio_codes[0, 0, :4]
    np.testing.assert_array_equal(pair.engine.codec.encode(samples), wanted.numpy())
