"""On real graphs: a piece sounds the same to the byte in any company, streamed or whole, and follows what is asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkpoints import write_musicgen
from models_of_tests import converted
from shapes import ONE_THREAD

from tunesmith.audio import Audio
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.musicgen.generator import MusicGenGenerator
from tunesmith.musicgen.model_folder import read_architecture
from tunesmith.musicgen.onnx.onnx_runner import OnnxRunner
from tunesmith.musicgen.open_engine import EngineOptions, open_engine
from tunesmith.request import GenerationRequest

EIGHT: list[dict[str, Any]] = [
    {"duration": 1},
    {"duration": 1.5, "guidance_scale": 1},
    {"duration": 1.2, "temperature": 0},
    {"duration": 2, "top_p": 0.9, "seed": 3},
    {"duration": 1.31, "negative_prompt": "drum", "guidance_scale": 5},
    {"duration": 1.1, "prompt": "happy drum music with a slow piano"},
    {"duration": 2.5, "audio": True},
    {"duration": 1, "top_k": 3, "temperature": 2, "seed": 9},
]


@dataclass(frozen=True)
class Folders:
    """A model of each kind, and a recording."""

    text: Path
    int8: Path
    stereo: Path
    melody: Path
    recording: Path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("models")
    for name, wishes in {"text": {}, "stereo": {"audio_channels": 2}, "melody": {"kind": "melody"}}.items():
        write_musicgen(root / f"{name}-checkpoint", **wishes)  # type: ignore[arg-type]
        converted(root / f"{name}-checkpoint", root / name)
    converted(root / "text-checkpoint", root / "int8", "int8")
    tone = 0.5 * np.sin(np.arange(40_000) * 330 * 2 * np.pi / 32_000)
    soundfile.write(root / "tone.wav", tone, 32_000, subtype="FLOAT")
    return Folders(root / "text", root / "int8", root / "stereo", root / "melody", root / "tone.wav")


def generator(folder: Path, num_rows: int) -> MusicGenGenerator:
    options = EngineOptions(num_rows=num_rows, sessions=ONE_THREAD, keep_text_encoder=True)
    return MusicGenGenerator(
        folder, name="tiny", licence="none", digest="", engine_factory=lambda path, _: open_engine(path, options)
    )


def asked(folders: Folders, wishes: dict[str, Any]) -> GenerationRequest:
    given = {"audio": folders.recording} if wishes.get("audio") else {}
    return GenerationRequest.checked(**{"prompt": "slow piano", "model": "tiny", "seed": 1, **wishes, **given})


def made(model: MusicGenGenerator, request: GenerationRequest) -> Audio:
    return model.generate(request, no_progress, never_cancelled)


@pytest.mark.parametrize("kind", ["text", "int8", "stereo", "melody"])
def test_eight_mixed_pieces_sound_in_a_batch_as_each_does_alone(folders: Folders, kind: str) -> None:
    requests = [asked(folders, wishes) for wishes in EIGHT]
    together = generator(getattr(folders, kind), num_rows=7)
    got: dict[int, Audio] = {}
    threads = [
        threading.Thread(target=lambda number=number, request=request: got.update({number: made(together, request)}))
        for number, request in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    alone = generator(getattr(folders, kind), num_rows=2)
    for number, request in enumerate(requests):
        assert got[number].samples.tobytes() == made(alone, request).samples.tobytes(), request


@pytest.mark.parametrize("rows", range(1, 7))
def test_a_row_computes_the_same_however_many_run(folders: Folders, rows: int) -> None:
    runner = OnnxRunner(folders.int8, read_architecture(folders.int8), num_rows=6, options=ONE_THREAD)
    codes = np.random.default_rng(0).integers(0, 8, (6, runner.architecture.decoder.num_codebooks))
    for row in range(6):
        runner.open_row(row, None, 16)
    advancing = np.zeros(6, bool)
    everyone = runner.step(codes, advancing).copy()
    some = runner.step(codes[:rows], advancing[:rows])
    assert some.tobytes() == everyone[:rows].tobytes()


@pytest.mark.parametrize("kind", ["text", "stereo"])
def test_the_streamed_pieces_joined_are_the_whole(folders: Folders, kind: str) -> None:
    model, request = generator(getattr(folders, kind), 2), asked(folders, {"duration": 3.3})
    pieces = [piece.samples for piece in model.stream(request)]
    assert len(pieces) > 3
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), made(model, request).samples, atol=1e-3)


@pytest.mark.parametrize("kind", ["text", "melody"])
@pytest.mark.parametrize("wish", [{"prompt": "happy drum"}, {"negative_prompt": "drum"}, {"seed": 2}], ids=str)
def test_what_is_asked_for_changes_the_sound(folders: Folders, kind: str, wish: dict[str, Any]) -> None:
    model = generator(getattr(folders, kind), 2)
    plain, changed = (made(model, asked(folders, {"duration": 1, **wishes})) for wishes in ({}, wish))
    assert not np.array_equal(plain.samples, changed.samples)


def test_a_melody_changes_the_sound(folders: Folders) -> None:
    model = generator(folders.melody, 2)
    plain, followed = (made(model, asked(folders, {"duration": 1, "melody": m})) for m in (None, folders.recording))
    assert not np.array_equal(plain.samples, followed.samples)


def test_a_piece_of_two_windows_is_whole(folders: Folders) -> None:
    audio = made(generator(folders.text, 2), asked(folders, {"duration": 31}))
    assert audio.num_samples == 31 * 32_000
    assert np.abs(audio.samples).max() > 0
