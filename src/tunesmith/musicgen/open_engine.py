"""Opening of a model folder: returns an engine that is ready for requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Checkpoint
from tunesmith.musicgen.engine import Engine, EngineLimits
from tunesmith.musicgen.model_folder import GPU_WEIGHTS, TOKENIZER, read_architecture
from tunesmith.musicgen.onnx.onnx_codec import OnnxCodec
from tunesmith.musicgen.onnx.onnx_runner import OnnxRunner
from tunesmith.musicgen.runner import Runner
from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.sessions import ALL_CORES, SessionOptions
from tunesmith.neural.t5_tokenizer import Tokenizer

Device = Literal["auto", "cuda", "mps", "cpu"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Options of an engine.

    ``num_rows`` bounds how many sequences run at once (a guided one takes two rows). ``device`` applies to models that
    were installed for a GPU; "auto" selects the available one. ``keep_text_encoder`` keeps the text encoder in memory,
    for servers: they encode texts all the time and reserve memory for the whole model.
    """

    num_rows: int = 2
    sessions: SessionOptions = ALL_CORES
    limits: EngineLimits = field(default_factory=EngineLimits)
    keep_text_encoder: bool = False
    device: Device = "auto"


ONE_AT_A_TIME = EngineOptions()


def open_engine(folder: Path, options: EngineOptions = ONE_AT_A_TIME) -> Engine:
    """Open a model folder. Raises ModelFileError if a file is missing or broken."""
    architecture = read_architecture(folder)
    tokenizer = Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size)
    return Engine(
        _open_runner(folder, architecture, options),
        # One codec serves all devices; only the decoder and the text encoder have a GPU runner.
        OnnxCodec(folder, architecture, options.sessions),
        tokenizer,
        options.limits,
    )


def _open_runner(folder: Path, architecture: Architecture, options: EngineOptions) -> Runner:
    """Open the runner that the model was converted for."""
    if (folder / GPU_WEIGHTS).exists():
        # PyTorch is an optional extra, and importing it takes seconds.
        from tunesmith.musicgen.torch.torch_runner import TorchRunner
        from tunesmith.neural.torch.device import find_device

        checkpoint = Checkpoint(architecture, read_gpu_weights(folder / GPU_WEIGHTS), folder / TOKENIZER)
        return TorchRunner(checkpoint, find_device(options.device), num_rows=options.num_rows)
    return OnnxRunner(
        folder, architecture, num_rows=options.num_rows, options=options.sessions,
        keep_text_encoder=options.keep_text_encoder,
    )  # fmt: skip
