"""Self-check: how far the quantized transformer is from float32, and the form of each layer that keeps it close.

reference in float32 -> errors of each layer's forms; reference in bfloat16 -> the yardstick; the model -> its error

The yardstick is the error of a run in bfloat16, as the reference implementation makes it. The latents of the float32
reference stay beside the model, so that the check can be repeated later and on another processor.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import LINEAR_FORMS, ROWS_CORRECTED, LayerForms, LinearForm
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.quantization_error import (
    RELATIVE_TIMES,
    LayerErrors,
    choose_forms,
    measure_layer,
    relative_error,
)
from tunesmith.neural.reference_graph import OBSERVED, SHARE, Precision, ReferenceGraphBuilder
from tunesmith.neural.reference_results import read_reference_results, write_reference_results
from tunesmith.neural.sessions import SessionOptions, open_session
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.audio_to_audio import noise_levels
from tunesmith.stable_audio.conditions import Conditioning
from tunesmith.stable_audio.conversion import graphs_of
from tunesmith.stable_audio.model_folder import TRANSFORMER
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.noise import noise_source
from tunesmith.stable_audio.prompt_tokens import open_tokenizer
from tunesmith.stable_audio.samplers import VelocityFunction, sample

Array = NDArray[np.float32]
Weights = Mapping[str, NDArray[np.float32]]

PROMPTS = ("lofi hip hop with rain sounds, 90 bpm", "epic orchestral trailer with choir")
# Short, so that a check takes seconds; 2.6 s are 28 latents of Stable Audio 3.
SECONDS, STEPS, SEED = 2.6, 8, 1
NUM_LATENTS = 28
OBSERVED_STEPS = (1, 5)
"""The steps whose activations the layers are measured on: one of mostly noise, one of mostly music."""
FORMS: Mapping[str, LinearForm] = {name: LINEAR_FORMS[name] for name in RELATIVE_TIMES}
"""The forms to choose from; the first is that of every layer as converted."""
ROUNDS, MARGIN = 5, 0.98
"""At most so many choices of forms, each of which aims at this share of the yardstick."""


def quantize_within_bfloat16(
    folder: Path, architecture: StableAudioArchitecture, weights: Weights, progress: Callable[[float], None]
) -> QuantizationCheck:
    """Choose the form of every layer of a converted model, and build its transformer again if that changes any.

    The model in ``folder`` is complete, with every layer in the fastest form. Raises ModelFileError if it
    computes NaN.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="reference-") as scratch:
        networks = StableAudioNetworks(folder)
        # The prompts are encoded once: only the transformer changes from one measurement to the next.
        conditionings = _conditionings(networks)
        reference = _Reference(Path(scratch), networks, conditionings, weights)
        exact, errors = reference.observed()
        progress(0.3)
        yardstick = relative_error(reference.latents("bfloat16"), exact)
        progress(0.5)
    write_reference_results(folder, latents=exact, bfloat16_error=yardstick)
    # Each model that is measured is closed again, so that no two of them are in memory.
    del reference, networks
    forms: dict[str, LinearForm] = dict.fromkeys(errors, ROWS_CORRECTED)
    error, share = measure_error(StableAudioNetworks(folder), conditionings, exact), 1.0
    for attempt in range(ROUNDS):
        if error <= yardstick:
            break
        # What the estimate promised and the run did not keep is asked of the next choice.
        share *= MARGIN * yardstick / error
        forms = choose_forms(errors, share)
        with GraphBuilder(folder / TRANSFORMER, LayerForms(by_layer=forms)) as builder:
            graphs_of(architecture)[TRANSFORMER](builder, architecture, weights)
        error = measure_error(StableAudioNetworks(folder), conditionings, exact)
        progress(0.5 + 0.5 * (attempt + 1) / ROUNDS)
    progress(1.0)
    return QuantizationCheck(error, yardstick, _counted(forms))


def repeat_check(folder: Path, forms: Mapping[str, int]) -> QuantizationCheck:
    """Measure an installed model again, on this processor; ``forms`` are those of its manifest.

    Raises ModelFileError if the model has no reference latents, or computes NaN.
    """
    exact, yardstick = read_reference_results(folder, "latents", "bfloat16_error")
    networks = StableAudioNetworks(folder)
    return QuantizationCheck(measure_error(networks, _conditionings(networks), exact), float(yardstick), forms)


def measure_error(networks: StableAudioNetworks, conditionings: Sequence[Conditioning], exact: Array) -> float:
    """Return the relative error of the model's latents; ``exact`` (prompts, latents, channels) are the reference's."""
    return relative_error(np.stack([_sampled_by(networks, conditioning) for conditioning in conditionings]), exact)


class _Reference:
    """The transformer as reference graphs in the folder ``scratch``, beside the other networks of the model."""

    def __init__(
        self, scratch: Path, networks: StableAudioNetworks, conditionings: Sequence[Conditioning], weights: Weights
    ) -> None:
        self._scratch = scratch
        self._networks = networks
        self._conditionings = conditionings
        self._weights = weights

    def latents(self, precision: Precision) -> Array:
        """Return the latents of every prompt in this precision: (prompts, latents, channels)."""
        return np.stack([latents for latents, _ in self._runs(precision)])

    def observed(self) -> tuple[Array, dict[str, LayerErrors]]:
        """Return the latents in float32, and the errors of each layer's forms on its inputs there."""
        runs = list(self._runs("float32"))
        seen = {name: [array for _, found in runs for array in found[name]] for name in runs[0][1]}
        shares = {name: float(np.mean(found)) for name, found in seen.items() if name.startswith(SHARE)}
        # The last update has no norm behind it, which would measure it.
        usual = float(np.median(list(shares.values())))
        errors = {}
        for layer in (name.removeprefix(OBSERVED) for name in seen if name.startswith(OBSERVED)):
            inputs, weight = np.stack(seen[f"{OBSERVED}{layer}"]), self._weights[f"{layer}.weight"]
            errors[layer] = measure_layer(inputs, weight, FORMS, shares.get(f"{SHARE}{layer}", usual))
        return np.stack([latents for latents, _ in runs]), errors

    def _runs(self, precision: Precision) -> Iterator[tuple[Array, dict[str, list[Array]]]]:
        """Yield the latents of each prompt, and in float32 what is observed of each layer at the observed steps."""
        path = self._scratch / f"{precision}.onnx"
        is_exact = precision == "float32"
        with ReferenceGraphBuilder(path, precision, observe=is_exact, shares=is_exact) as builder:
            architecture = self._networks.architecture
            graphs_of(architecture)[TRANSFORMER](builder, architecture, self._weights)
        session = open_session(path, SessionOptions(spinning=False, optimize=False))
        names = [output.name for output in session.get_outputs() if output.name.startswith((OBSERVED, SHARE))]
        for conditioning in self._conditionings:
            seen: dict[str, list[Array]] = {name: [] for name in names}
            step = 0

            def velocity(latents: Array, sigma: float) -> Array:
                nonlocal step
                wanted = ["velocity", *(names if step in OBSERVED_STEPS else ())]
                inputs = self._networks.transformer_inputs(latents, sigma, conditioning)  # noqa: B023  called in turn
                found = dict(zip(wanted, session.run(wanted, inputs), strict=True))
                for name in wanted[1:]:
                    seen[name].append(found[name])  # noqa: B023  called in turn
                step += 1
                return np.asarray(found["velocity"][0], np.float32)

            yield _sampled(self._networks, velocity), seen


def _conditionings(networks: StableAudioNetworks) -> list[Conditioning]:
    tokenizer = open_tokenizer(networks.tokenizer, networks.architecture)
    numbers = networks.architecture.numbers_for(SECONDS)
    return [networks.condition(networks.encode_text(tokenizer.encode(prompt).ids), numbers) for prompt in PROMPTS]


def _sampled_by(networks: StableAudioNetworks, conditioning: Conditioning) -> Array:
    return _sampled(networks, lambda latents, sigma: networks.velocity(latents, sigma, conditioning))


def _sampled(networks: StableAudioNetworks, velocity: VelocityFunction) -> Array:
    architecture = networks.architecture
    length = min(NUM_LATENTS, architecture.max_latents)
    noise = noise_source(SEED, length, architecture.diffusion.latent_channels)

    def finite(latents: Array, sigma: float) -> Array:
        found = velocity(latents, sigma)
        if not np.isfinite(found).all():
            raise ModelFileError(TRANSFORMER, f"its velocity at noise level {sigma:.2f} has NaN or infinite numbers")
        return found

    *_, last = sample(architecture.objective, finite, noise_levels(architecture, STEPS), noise)
    return last


def _counted(forms: Mapping[str, LinearForm]) -> dict[str, int]:
    names = {form: name for name, form in LINEAR_FORMS.items()}
    return dict(Counter(names[form] for form in forms.values()))
