"""Loading: a model's folder becomes an engine that is ready for requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.musicgen.codec import OnnxCodec
from tunesmith.musicgen.engine import Engine, EngineLimits
from tunesmith.musicgen.model_folder import TOKENIZER, read_architecture
from tunesmith.musicgen.onnx_runner import OnnxRunner
from tunesmith.musicgen.sessions import ALL_CORES, SessionOptions
from tunesmith.musicgen.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """``num_rows`` bounds how many sequences run at once (a guided one takes two rows).

    ``keep_text_encoder`` is for a server: texts come all the time, and memory is there for the whole model.
    """

    num_rows: int = 2
    sessions: SessionOptions = ALL_CORES
    limits: EngineLimits = field(default_factory=EngineLimits)
    keep_text_encoder: bool = False


ONE_AT_A_TIME = EngineOptions()


def open_engine(folder: Path, options: EngineOptions = ONE_AT_A_TIME) -> Engine:
    """Open a model's folder; raises ModelFileError for a file that is missing or broken."""
    architecture = read_architecture(folder)
    tokenizer = Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size)
    runner = OnnxRunner(
        folder, architecture, num_rows=options.num_rows, options=options.sessions,
        keep_text_encoder=options.keep_text_encoder,
    )  # fmt: skip
    return Engine(runner, OnnxCodec(folder, architecture, options.sessions), tokenizer, options.limits)
