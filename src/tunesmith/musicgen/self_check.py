"""Self-check: how far the quantized decoder's logits are from float32, and finer forms for the layers that are too far.

codes that the model writes for built-in prompts -> logits after them: in float32, in bfloat16, and by the model

The yardstick is the error of a run in bfloat16. Eight bits in blocks have about three times that error, four bits
thirty times, so each quantization has a multiple of it as its limit, of every layer and of the logits. A healthy
checkpoint keeps the form it was converted to; a layer whose outliers spoil its blocks takes a finer one.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.musicgen.conversion import decoder_graphs
from tunesmith.musicgen.forced_logits import ForcedRows
from tunesmith.musicgen.graph.decoder import layer_weight
from tunesmith.musicgen.model_folder import DECODER, TEXT_ENCODER, TOKENIZER, read_architecture
from tunesmith.musicgen.open_engine import EngineOptions, open_engine
from tunesmith.musicgen.runner import Codes, Logits, States
from tunesmith.musicgen.sequence import SequenceRequest
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import QUANTIZATIONS, LayerForms, LinearForm
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.quantization_error import bfloat16_error, measure_layer, relative_error
from tunesmith.neural.reference_graph import OBSERVED, ROUNDED_OPERATIONS, Precision, ReferenceGraphBuilder
from tunesmith.neural.reference_results import read_reference_results, write_reference_results
from tunesmith.neural.sessions import LazySession, SessionOptions
from tunesmith.neural.t5_tokenizer import Tokenizer

PROMPTS = (
    "lofi hip hop with rain sounds, 90 bpm", "epic orchestral trailer with choir", "solo piano, slow and sad",
    "fast techno with a deep bass",
)  # fmt: skip
FRAMES, SEED = 24, 1
LIMITS: Mapping[str, float] = {"int8": 10.0, "int8-32": 8.0, "int4": 80.0}
"""The largest accepted error of a layer by its form, in errors of bfloat16 on the same layer.

Three times what the forms have on normal numbers (3, 2.6 and 30): loud channels of real activations stay below.
"""
LOGITS_SHARE = 0.5
"""The limit of the logits, as a share of that of a layer: their own errors are 2.7, 2.1 and 25 on normal numbers."""
FLOAT32_NAME = "float32"
FINER: Mapping[str, tuple[str, ...]] = {
    "int8": ("int8", "int8-32"), "int8-32": ("int8-32",), "int4": ("int4", "int8", "int8-32"),
}  # fmt: skip
"""The forms of a layer by quantization, from the fastest to the most exact; after them comes float32."""
SHRINKING = (1.0, 0.5, 0.25, 0.0)
"""The shares of the layers' limits that are tried in turn until the logits are within theirs; the last is float32."""
ROUNDED = ROUNDED_OPERATIONS | {"GroupQueryAttention", "LayerNormalization", "SkipLayerNormalization"}
AS_BUILT = SessionOptions(spinning=False, optimize=False)
AS_INSTALLED = SessionOptions(spinning=False)


class _MeasuredLayer:
    """The errors of a layer's forms, and the error of bfloat16, on what the layer gets in float32."""

    def __init__(self, inputs: NDArray[np.float32], weight: NDArray[np.float32], names: tuple[str, ...]) -> None:
        self.yardstick = bfloat16_error(inputs, weight)
        self.errors = measure_layer(inputs, weight, {name: form_of(name) for name in names}).by_form

    def within(self, share: float) -> str:
        """Return the first form whose error is at most this share of its own limit."""
        near = (name for name, error in self.errors.items() if error <= share * LIMITS[name] * self.yardstick)
        return next(near, FLOAT32_NAME)


def quantize_within_limit(
    folder: Path, architecture: Architecture, weights: Weights, quantization: str, progress: Callable[[float], None]
) -> QuantizationCheck:
    """Measure a converted model, and build its decoder again with finer layers if any is off by more than the limit.

    The model in ``folder`` is complete, with every layer in ``quantization``, one of LIMITS. Raises ModelFileError if
    its logits are NaN or stay above the limit.
    """
    rows = ForcedRows(folder, architecture, *_written(folder, architecture))
    progress(0.1)
    with tempfile.TemporaryDirectory(dir=folder, prefix="reference-") as scratch:
        exact, inputs = _reference(Path(scratch), rows, weights, "float32")
        progress(0.3)
        names = FINER[quantization]
        layers = {layer: _MeasuredLayer(seen, layer_weight(layer, weights), names) for layer, seen in inputs.items()}
        del inputs
        progress(0.5)
        yardstick = relative_error(_reference(Path(scratch), rows, weights, "bfloat16")[0], exact)
    progress(0.7)
    write_reference_results(folder, logits=exact, codes=rows.codes, bfloat16_error=yardstick)
    chosen = dict.fromkeys(layers, quantization)
    for done, share in enumerate(SHRINKING, start=1):
        wanted = {layer: measured.within(share) for layer, measured in layers.items()}
        if wanted != chosen:
            _build(folder, architecture, weights, quantization, wanted)
            chosen = wanted
        forms = dict(Counter(chosen.values()))
        check = QuantizationCheck(_model_error(rows, exact), yardstick, forms, LOGITS_SHARE * LIMITS[quantization])
        progress(0.7 + 0.3 * done / len(SHRINKING))
        if check.is_within:
            return check
    raise ModelFileError(DECODER, f"its logits cannot be computed in finer forms either: {str(check).splitlines()[0]}")


def repeat_check(folder: Path, stored: QuantizationCheck) -> QuantizationCheck:
    """Measure an installed model again, on this processor; ``stored`` is the check of its manifest.

    Raises ModelFileError if the model has no reference logits, or computes NaN.
    """
    exact, codes, yardstick = read_reference_results(folder, "logits", "codes", "bfloat16_error")
    architecture = read_architecture(folder)
    rows = ForcedRows(folder, architecture, _encoded(folder, _tokens(folder, architecture)), codes)
    return QuantizationCheck(_model_error(rows, exact), float(yardstick), stored.forms, stored.limit)


def form_of(name: str) -> LinearForm:
    """Return the form of this name: a quantization, or float32."""
    return None if name == FLOAT32_NAME else QUANTIZATIONS[name]


def _written(folder: Path, architecture: Architecture) -> tuple[tuple[States, ...], Codes]:
    """Return the text states of the prompts, and the codes (prompts, codebooks, positions) that the model draws."""
    tokens, engine = _tokens(folder, architecture), open_engine(folder, EngineOptions(sessions=AS_INSTALLED))
    written = []
    for ids in tokens:
        sequence = engine.submit(SequenceRequest(ids, FRAMES, SEED))
        engine.run(sequence, lambda *_: None, lambda: False)
        # With the delays, but without the last columns, where some codebooks have ended.
        written.append(sequence.inputs[:, : FRAMES + 1])
    return _encoded(folder, tokens), np.stack(written)


def _tokens(folder: Path, architecture: Architecture) -> list[tuple[int, ...]]:
    tokenizer = Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size)
    return [tokenizer.encode(prompt).ids for prompt in PROMPTS]


def _encoded(folder: Path, tokens: list[tuple[int, ...]]) -> tuple[States, ...]:
    encoder = LazySession(folder / TEXT_ENCODER, AS_INSTALLED, keep=True)
    return tuple(encoder.run({"token_ids": np.array([ids], np.int64)}) for ids in tokens)


def _reference(
    scratch: Path, rows: ForcedRows, weights: Weights, precision: Precision
) -> tuple[Logits, dict[str, NDArray[np.float32]]]:
    """Return the logits in this precision, and in float32 each layer's inputs (rows, inputs) at the codes."""
    observe = precision == "float32"
    for name, build in decoder_graphs(rows.architecture):
        with ReferenceGraphBuilder(scratch / name, precision, observe=observe, last=FRAMES, rounded=ROUNDED) as builder:
            build(builder, rows.architecture, weights)
    logits, observed = rows.logits(scratch, AS_BUILT)
    return logits, {name.removeprefix(OBSERVED): inputs for name, inputs in observed.items()}


def _build(
    folder: Path, architecture: Architecture, weights: Weights, quantization: str, chosen: Mapping[str, str]
) -> None:
    default = form_of(quantization)
    forms = LayerForms(default, default, {layer: form_of(name) for layer, name in chosen.items()})
    for name, build in decoder_graphs(architecture):
        with GraphBuilder(folder / name, forms) as builder:
            build(builder, architecture, weights)


def _model_error(rows: ForcedRows, exact: Logits) -> float:
    return relative_error(rows.logits(rows.folder, AS_INSTALLED)[0], exact)
