"""Opening of a model folder: the engine, and what turns prompts and notes into the sources of its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.codec_stream import SpectroStreamDecoder
from tunesmith.magenta_rt.conditioning import SourceTables
from tunesmith.magenta_rt.engine import FrameEngine
from tunesmith.magenta_rt.frame_sources import FrameSources, Masked, Numbers
from tunesmith.magenta_rt.model_folder import STYLE_TABLES, read_architecture
from tunesmith.magenta_rt.networks import LanguageModel
from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.malloc_trim import release_free_memory
from tunesmith.neural.sessions import ALL_CORES, SessionOptions, usable_cores

MOST_ROWS_A_STREAM = 3
"""The rows of a guided stream: as it is, without its style, and without its notes."""


@dataclass(frozen=True, slots=True)
class MagentaModel:
    """An open model."""

    architecture: MagentaArchitecture
    engine: FrameEngine
    style: StyleEncoder
    tables: SourceTables

    def encode_prompt(self, prompt: str, seed: int) -> tuple[int, ...]:
        """Return the style codes of a prompt."""
        return self.style.encode([(prompt, 1.0)], seed)

    def sources(self, numbers_of: Callable[[int], Numbers], masked: Sequence[Masked] = ()) -> FrameSources:
        """Return the sources of a stream whose frames have these numbers; see FrameSources."""
        return FrameSources(self.tables, numbers_of, masked)


def open_model(folder: Path, num_rows: int = 1, options: SessionOptions = ALL_CORES) -> MagentaModel:
    """Open a model folder for ``num_rows`` rows, or those of one stream if they are fewer.

    Raises ModelFileError if a file is missing or broken.
    """
    architecture = read_architecture(folder)
    threads = options.num_threads or usable_cores()
    # The language model and the codec run at the same time, each on half of the cores; spinning threads of one would
    # take the cores from the other.
    writing = replace(options, num_threads=max(1, threads - threads // 2), spinning=False)
    decoding = replace(options, num_threads=max(1, threads // 2), spinning=False)
    model = LanguageModel(folder, architecture, num_rows=max(num_rows, MOST_ROWS_A_STREAM), options=writing)
    decoder = SpectroStreamDecoder(folder, architecture, decoding)
    # Packing weights leaves gaps of 18 MB.
    release_free_memory()
    return MagentaModel(
        architecture,
        FrameEngine(model, decoder),
        StyleEncoder(folder, writing),
        SourceTables.stored(read_gpu_weights(folder / STYLE_TABLES)),
    )
