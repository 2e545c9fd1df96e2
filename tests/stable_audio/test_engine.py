"""The whole way from a request to samples with real networks, against what the reference made of the same noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reference_vectors import Array, facts, relative_error, rows, vectors
from shapes import ONE_THREAD
from stable_audio_models import THIRD_SMALL, tiny_checkpoint

from tunesmith.audio import Audio
from tunesmith.stable_audio import fourier_features, latent_writer
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.engine import DiffusionEngine, EngineCalls
from tunesmith.stable_audio.inpainting import SampleRegion
from tunesmith.stable_audio.latent_writer import WalkSettings
from tunesmith.stable_audio.lengths import HEADROOM_SECONDS, samples_of
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.noise import NoiseSource
from tunesmith.stable_audio.request_mapping import DiffusionRequest, Task
from tunesmith.stable_audio.source_audio import SourceAudio

RATE, HOP = THIRD_SMALL.sample_rate, THIRD_SMALL.hop_size
SILENT = EngineCalls(lambda: None, lambda: False)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> DiffusionEngine:
    folder = tmp_path_factory.mktemp("exact")
    convert(tiny_checkpoint(), folder, "none", lambda _: None)
    return DiffusionEngine(StableAudioNetworks(folder, ONE_THREAD))


@pytest.fixture(autouse=True)
def reference_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the reference's own table of frequencies, which leaves only the rounding of the networks."""
    monkeypatch.setattr(fourier_features, "frequencies", lambda: vectors("sa3_small/seconds")["frequencies"])


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, engine: DiffusionEngine) -> Recorded:
    return Recorded(monkeypatch, engine)


class Recorded:
    """Runs of the reference, made again with its noise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: DiffusionEngine) -> None:
        self._monkeypatch = monkeypatch
        self._engine = engine

    def run(self, name: str, task: Task = "text", source: str | None = None, **walk: Any) -> tuple[Array, Array]:
        """Return our samples and the reference's, (2, n)."""
        file, settings = vectors(f"sa3_small/{name}"), facts(f"sa3_small/{name}")
        self._monkeypatch.setattr(latent_writer, "noise_source", _noise(rows(file["noise"])))
        num_samples = samples_of(settings["duration"], RATE)
        regions: tuple[SampleRegion, ...] = ()
        if "inpaint_mask_start_seconds" in settings:
            edges = (settings[f"inpaint_mask_{edge}_seconds"] for edge in ("start", "end"))
            regions = (SampleRegion(*(samples_of(edge, RATE) for edge in edges)),)
        request = DiffusionRequest(
            task, self._engine.tokenizer.encode(settings["prompt"]).ids, None,
            WalkSettings(1, settings["steps"], 1.0, **walk), num_samples,
            settings.get("duration_padding_sec", HEADROOM_SECONDS),
            None if source is None else SourceAudio(Audio(file[source], RATE)), regions,
        )  # fmt: skip
        return np.concatenate(list(self._engine.generate(request, SILENT)), axis=1), file["audio"][0]


def _noise(steps: Array) -> Any:
    def source(_seed: int, num_latents: int, _channels: int, _run: int) -> NoiseSource:
        return lambda step: np.asarray(steps[step][:num_latents])

    return source


@pytest.mark.parametrize("name", ["generate_exact", "generate_ends"])
def test_a_prompt_becomes_the_references_samples(recorded: Recorded, name: str) -> None:
    samples, expected = recorded.run(name)
    assert relative_error(samples, expected) < 1e-4


def test_a_padded_run_has_the_length_of_the_references_without_its_padding(recorded: Recorded) -> None:
    # The recording is of torch on a CPU, where padding keeps attention; the model was trained without, as ours runs.
    samples, expected = recorded.run("generate_odd")
    assert samples.shape == expected.shape
    assert 1e-3 < relative_error(samples, expected) < 0.5


def test_audio_is_made_anew_as_by_the_reference(recorded: Recorded) -> None:
    samples, expected = recorded.run(
        "audio_to_audio", "audio_to_audio", "init_audio", strength=0.6, schedule="reference"
    )
    assert relative_error(samples, expected) < 1e-4


@pytest.mark.parametrize(("name", "task"), [("inpaint", "repaint"), ("continuation", "continuation")])
def test_inside_a_region_the_samples_are_the_references(recorded: Recorded, name: str, task: Task) -> None:
    samples, expected = recorded.run(name, task, "inpaint_audio")
    source, settings = vectors(f"sa3_small/{name}")["inpaint_audio"], facts(f"sa3_small/{name}")
    first, last = (samples_of(settings[f"inpaint_mask_{edge}_seconds"], RATE) for edge in ("start", "end"))
    # The reference does not paste the source back, and has no fades at the edges.
    faded = slice(first + 10, last - 10 * (task == "repaint"))
    assert relative_error(samples[:, faded], expected[:, faded]) < 1e-4
    assert samples[:, :first].tobytes() == source[:, :first].tobytes()
    assert samples[:, last:].tobytes() == source[:, last : samples.shape[1]].tobytes()


def test_a_long_piece_continues_itself(engine: DiffusionEngine) -> None:
    ids = engine.tokenizer.encode("calm piano").ids
    # The longest run has 200 latents of a tenth of a second.
    request = DiffusionRequest("text", ids, None, WalkSettings(1, 4, 1.0), 60 * RATE, HEADROOM_SECONDS)
    samples = np.concatenate(list(engine.generate(request, SILENT)), axis=1)
    assert samples.shape == (2, 60 * RATE)
    assert np.isfinite(samples).all()
