"""Self-check: how far the quantized language model's logits are from float32, and finer forms if they are too far.

codes that the model draws for built-in prompts -> logits of every level: in float32, in bfloat16, and by the model

The yardstick is the error of a run in bfloat16, as the reference implementation computes. The reference's logits stay
beside the model, so that the check can be repeated later and on another processor.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.checkpoint.checkpoint import MagentaCheckpoint
from tunesmith.magenta_rt.conditioning import FrameControls, SourceTables
from tunesmith.magenta_rt.conversion import QUANTIZATIONS, build_language_model
from tunesmith.magenta_rt.graph.tables import TABLES
from tunesmith.magenta_rt.model_folder import STYLE_TABLES, TEMPORAL, read_architecture
from tunesmith.magenta_rt.networks import START, LanguageModel
from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.magenta_rt.text_encoder_check import AS_BUILT, AS_INSTALLED, PROMPTS, bring_text_within
from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.quantization import BLOCKWISE_32, LINEAR_FORMS, LayerForms
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.quantization_error import relative_error
from tunesmith.neural.reference_graph import ROUNDED_OPERATIONS, Precision, ReferenceGraphBuilder
from tunesmith.neural.reference_results import read_reference_results, write_reference_results
from tunesmith.neural.sessions import SessionOptions

Array = NDArray[np.float32]
Codes = NDArray[np.int64]
Weights = Mapping[str, Array]

NUM_ROWS, FRAMES, SEED = 2, 24, 1
LIMIT = 5.0
"""The largest accepted error of the logits, in errors of bfloat16: eight bits in blocks have about three of them."""
ROUNDED = ROUNDED_OPERATIONS | {"FastGelu", "GroupQueryAttention", "LayerNormalization"}


def quantize_within_limit(
    folder: Path, checkpoint: MagentaCheckpoint, quantization: str, progress: Callable[[float], None]
) -> QuantizationCheck:
    """Measure a converted model, and build its language model again in finer forms while it is above the limit.

    The model in ``folder`` is complete, in ``quantization``, which is not "none". The text encoder is measured first,
    because the language model is measured on what it says. Raises ModelFileError if the logits are NaN, or stay above
    the limit.
    """
    architecture, weights = checkpoint.architecture, checkpoint.weights
    with tempfile.TemporaryDirectory(dir=folder, prefix="reference-") as scratch:
        text_forms = bring_text_within(LIMIT, folder, Path(scratch), checkpoint.text_shape, checkpoint.text)
        progress(0.2)
        sources = _sources(folder)
        _, codes = run_frames(folder, architecture, sources, None, AS_INSTALLED)
        exact = _reference(Path(scratch), folder, weights, sources, codes, "float32")
        progress(0.5)
        yardstick = relative_error(_reference(Path(scratch), folder, weights, sources, codes, "bfloat16"), exact)
    progress(0.6)
    write_reference_results(folder, logits=exact, codes=codes, bfloat16_error=yardstick)
    tried = finer_forms(architecture, quantization)
    for number, forms in enumerate(tried):
        if number:
            build_language_model(folder, architecture, weights, forms)
        error = _model_error(folder, architecture, sources, codes, exact)
        check = QuantizationCheck(error, yardstick, count_forms(architecture, forms) | text_forms, LIMIT)
        progress(0.6 + 0.4 * (number + 1) / len(tried))
        if check.is_within:
            return check
    raise ModelFileError(TEMPORAL, f"its logits cannot be computed in finer forms either: {str(check).splitlines()[0]}")


def repeat_check(folder: Path, stored: QuantizationCheck) -> QuantizationCheck:
    """Measure an installed model again, on this processor; ``stored`` is the check of its manifest.

    Raises ModelFileError if the model has no reference logits, or computes NaN.
    """
    exact, codes, yardstick = read_reference_results(folder, "logits", "codes", "bfloat16_error")
    error = _model_error(folder, read_architecture(folder), _sources(folder), codes, exact)
    return QuantizationCheck(error, float(yardstick), stored.forms, stored.limit)


def finer_forms(architecture: MagentaArchitecture, quantization: str) -> tuple[LayerForms, ...]:
    """Return the forms to try in turn: as converted, in finer blocks, with exact attention outputs, in float32.

    The outputs of attention grow before their norm, so that eight bits lose most there.
    """
    exact_outputs = {layer: None for layer in language_model_layers(architecture) if layer.endswith("/output")}
    first = QUANTIZATIONS[quantization]
    finer = [] if first.default == BLOCKWISE_32 else [LayerForms.all(BLOCKWISE_32)]
    return (first, *finer, LayerForms(BLOCKWISE_32, BLOCKWISE_32, exact_outputs), LayerForms())


def count_forms(architecture: MagentaArchitecture, forms: LayerForms) -> dict[str, int]:
    """Return how many layers of the language model have each form."""
    names = {form: name for name, form in LINEAR_FORMS.items()}
    layers = language_model_layers(architecture)
    return dict(Counter(names[forms.by_layer.get(layer, forms.default)] for layer in layers))


def language_model_layers(architecture: MagentaArchitecture) -> list[str]:
    """Return the names of all linear layers that may be quantized; both transformers call their layers alike."""
    attention, forward = ("self_attention/qkv", "self_attention/output"), ("ffn/ffn_layer1", "ffn/ffn_layer2")
    crossing = tuple(f"cross_attention/{name}" for name in ("query", "kv", "output"))
    stacks = (architecture.temporal, (*attention, *crossing, *forward)), (architecture.depth, (*attention, *forward))
    layers = [f"x_layers_{k}/{part}" for stack, parts in stacks for k in range(stack.num_layers) for part in parts]
    return layers + [f"head_{level}" for level in range(architecture.num_codebooks)]


def run_frames(
    folder: Path, architecture: MagentaArchitecture, sources: Array, codes: Codes | None, options: SessionOptions
) -> tuple[Array, Codes]:
    """Return the logits (frames, rows, levels, codes of a level) for sources (rows, width), and the codes between them.

    ``codes`` (frames, rows, levels) are those to go on from; without them, they are drawn. Raises ModelFileError for
    logits that are NaN.
    """
    rows, levels = len(sources), architecture.num_codebooks
    model = LanguageModel(folder, architecture, num_rows=rows, options=options)
    for row in range(rows):
        model.open_row(row)
    noise = np.random.default_rng(SEED)
    written = np.full((FRAMES, rows, levels), START)
    logits = np.empty((FRAMES, rows, levels, architecture.codebook_size), np.float32)
    for frame in range(FRAMES):
        model.start_frame(written[frame - 1] if frame else written[frame], sources, np.ones(rows, np.bool_))
        for level in range(levels):
            found = model.logits(level, written[frame, :, level - 1] if level else None)
            logits[frame, :, level] = found
            drawn = (found + noise.gumbel(size=found.shape)).argmax(axis=1)
            written[frame, :, level] = drawn if codes is None else codes[frame, :, level]
    if not np.isfinite(logits).all():
        raise ModelFileError(TEMPORAL, "its logits are NaN or infinite")
    return logits, written


def _sources(folder: Path) -> Array:
    """Return the source vectors of the prompts: (prompts, width)."""
    encoder = StyleEncoder(folder, AS_INSTALLED)
    tables = SourceTables.stored(read_gpu_weights(folder / STYLE_TABLES))
    controls = [FrameControls(style=encoder.encode([(prompt, 1.0)], SEED)) for prompt in PROMPTS[:NUM_ROWS]]
    return tables.source(np.stack([one.numbers() for one in controls]))


def _reference(
    scratch: Path, folder: Path, weights: Weights, sources: Array, codes: Codes, precision: Precision
) -> Array:
    """Return the logits at the codes in this precision."""
    architecture = read_architecture(folder)
    build_language_model(
        scratch, architecture, weights, LayerForms(),
        lambda path, _: ReferenceGraphBuilder(path, precision, rounded=ROUNDED),
    )  # fmt: skip
    for name in TABLES:
        shutil.copyfile(folder / name, scratch / name)
    return run_frames(scratch, architecture, sources, codes, AS_BUILT)[0]


def _model_error(folder: Path, architecture: MagentaArchitecture, sources: Array, codes: Codes, exact: Array) -> float:
    return relative_error(run_frames(folder, architecture, sources, codes, AS_INSTALLED)[0], exact)
