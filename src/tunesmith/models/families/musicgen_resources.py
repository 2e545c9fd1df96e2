"""The memory that a MusicGen model takes, and the batch that fits into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.models.manifest import Manifest
from tunesmith.models.resource_checks import PROCESS_BYTES
from tunesmith.musicgen.architecture import GUIDED_ROWS, Architecture

FLOAT_BYTES = 4


def memory_needed(manifest: Manifest, architecture: Architecture, rows: int = GUIDED_ROWS) -> int:
    """Return a lower bound of the bytes that a model takes to generate one window in ``rows`` rows.

    It sums the largest graph, the KV cache of the rows, and the process; smaller graphs are open only while they run.
    """
    return _lower_bound(manifest.largest_file, architecture, rows)


def memory_of_folder(folder: Path, architecture: Architecture) -> int:
    """Return the same bound for one guided sequence and a converted model that has no manifest yet."""
    return _lower_bound(max(path.stat().st_size for path in folder.iterdir()), architecture, GUIDED_ROWS)


def _lower_bound(largest_file: int, architecture: Architecture, rows: int) -> int:
    return largest_file + rows * row_memory(architecture) + PROCESS_BYTES


def row_memory(architecture: Architecture) -> int:
    """Return the bytes of the KV cache of one row for a whole window."""
    decoder = architecture.decoder
    prefix = architecture.chroma.num_frames if architecture.chroma else 0
    positions = architecture.window_frames + prefix
    # Keys and values.
    return 2 * decoder.num_layers * decoder.hidden_size * positions * FLOAT_BYTES


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The plan for opening a model for many callers: batch rows, and whether the small graphs stay in memory."""

    num_rows: int
    keep_text_encoder: bool


def plan_batch(manifest: Manifest, architecture: Architecture, wanted_rows: int, available: int) -> BatchPlan:
    """Plan a batch of up to ``wanted_rows`` rows, at least 2, in half of the memory that the model leaves.

    ``available`` is in bytes; the other half is for other models and for the audio.
    """
    spare = max(0, available - memory_needed(manifest, architecture)) // 2
    small_graphs = manifest.bytes - manifest.largest_file
    keep = small_graphs <= spare
    more = (spare - small_graphs * keep) // row_memory(architecture)
    rows = min(wanted_rows, GUIDED_ROWS + more)
    # Guided sequences take rows in pairs, so the number must be even.
    return BatchPlan(max(GUIDED_ROWS, rows - rows % GUIDED_ROWS), keep)


def decoder_parameters(architecture: Architecture) -> int:
    """Return the number of parameters of the decoder, by which model sizes are known."""
    decoder, text = architecture.decoder, architecture.text_encoder
    hidden = decoder.hidden_size
    # A melody model has no cross-attention: its condition is a prefix of the sequence.
    attentions = 1 if architecture.chroma else 2
    layer = attentions * (4 * hidden**2 + 2 * hidden) + 2 * hidden * decoder.ffn_size + 2 * hidden
    ends = decoder.num_codebooks * hidden * (2 * decoder.codebook_size + 1) + 2 * hidden
    projections = (text.hidden_size + 1) * hidden
    if architecture.chroma:
        projections += (architecture.chroma.num_chroma + 1) * hidden
    return decoder.num_layers * layer + ends + projections
