"""What every frame is conditioned on: 144 numbers, and the source vector that the model attends to.

columns   number                what
0         NUM_STYLE_LEVELS      style codes, one a level of the quantizer
12        NUM_PITCHES           state of each MIDI pitch, see NoteState
140       1                     drums, 0 or 1
141       2                     guidance of style and notes, in steps of 0.2 from -1 on
143       1                     guidance of drums, in steps of 1 from -1 on

Everywhere -1 means that nothing is said, and the model chooses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest

NUM_STYLE_LEVELS, NUM_PITCHES = 12, 128
UNSAID = -1
RESERVED = 7
"""What is added to every number: six ids that the model keeps for itself, and one for -1."""
NOTE_STATES, DRUM_STATES, FINE_STEPS, COARSE_STEPS = 4, 2, 40, 8
"""The numbers of a slot beside the reserved ones; the last step of a scale is left out: it would be the next slot's."""
LEAST_SCALE, MOST_SCALE, MOST_DRUMS_SCALE = -1.0, 6.8, 6.0
FINE_STEP = 0.2
EPSILON = 1e-6
FRAMES_AT_ONCE = 32
"""The frames whose vectors are summed together: 132 vectors of 256 numbers each, 4 MB."""

TABLE_PREFIX, TABLES = "source.", ("style", "controls", "scale", "bias")

Vectors = NDArray[np.float32]
Weights = Mapping[str, NDArray[np.float32]]
_BODY = "params/depthformer/encoder/body/"
STYLE_TABLE = f"{_BODY}layers_1/branched_mulan_embedder/mulan_embedder/mulan_dequantizer/embedding"
STYLE_PROJECTION = f"{_BODY}layers_1/branched_mulan_embedder/mulan_embedder/depth_input_adapter/kernel"
CONTROL_TABLE = f"{_BODY}layers_1/branched_regular_embedder/regular_embedder/embedding"
NORM_SCALE, NORM_BIAS = f"{_BODY}encoder_ln/scale", f"{_BODY}encoder_ln/bias"


class NoteState(IntEnum):
    """The state of a pitch in a frame; ONSET is the first frame of a note, FREE sounds as the model chooses."""

    UNSAID = -1
    OFF = 0
    HELD = 1
    ONSET = 2
    FREE = 3


@dataclass(frozen=True, slots=True)
class FrameControls:
    """What one frame is conditioned on.

    ``style`` are 12 codes from 0 on, ``notes`` 128 values of NoteState by MIDI pitch, ``drums`` 0 (none) or 1 (play);
    -1 says nothing. The scales say how strictly the model follows: -1 to 6.8 for style and notes, to 6 for drums.
    Raises InvalidRequest, which names the field.
    """

    style: tuple[int, ...] = (UNSAID,) * NUM_STYLE_LEVELS
    notes: tuple[int, ...] = (UNSAID,) * NUM_PITCHES
    drums: int = UNSAID
    # The scales of the published apps; the published Python code has 3, 1 and 1.
    style_scale: float = 1.6
    notes_scale: float = 2.4
    drums_scale: float = 4.0

    def __post_init__(self) -> None:
        _check_integers("style", self.style, NUM_STYLE_LEVELS, None)
        _check_integers("notes", self.notes, NUM_PITCHES, NOTE_STATES - 1)
        _check_integers("drums", (self.drums,), 1, DRUM_STATES - 1)
        _check_scale("style_scale", self.style_scale, MOST_SCALE)
        _check_scale("notes_scale", self.notes_scale, MOST_SCALE)
        _check_scale("drums_scale", self.drums_scale, MOST_DRUMS_SCALE)

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the frame: (144,)."""
        scales = (_steps(self.style_scale, FINE_STEP), _steps(self.notes_scale, FINE_STEP), _steps(self.drums_scale, 1))
        return np.array((*self.style, *self.notes, self.drums, *scales), np.int64)

    def frames(
        self, notes: NDArray[np.integer[Any]], drums: NDArray[np.integer[Any]] | None = None
    ) -> NDArray[np.int64]:
        """Return the numbers of many frames: (frames, 144).

        ``notes`` (frames, 128) are their values of NoteState, ``drums`` (frames,) their drums if not all are alike.
        Raises InvalidRequest for another shape or other values.
        """
        if notes.ndim != 2 or notes.shape[1] != NUM_PITCHES:
            raise InvalidRequest("notes", f"must have the shape (frames, {NUM_PITCHES}), got {notes.shape}")
        _check_range("notes", notes, NOTE_STATES - 1)
        numbers = np.tile(self.numbers(), (len(notes), 1))
        numbers[:, NUM_STYLE_LEVELS : NUM_STYLE_LEVELS + NUM_PITCHES] = notes
        if drums is not None:
            if drums.shape != (len(notes),):
                raise InvalidRequest("drums", f"must have the shape ({len(notes)},), got {drums.shape}")
            _check_range("drums", drums, DRUM_STATES - 1)
            numbers[:, NUM_STYLE_LEVELS + NUM_PITCHES] = drums
        return numbers


@dataclass(frozen=True, slots=True)
class SourceTables:
    """The tables from numbers to source vectors of one width.

    ``style`` (12 x ids of a level, width) has the projection of the style's own table folded in; ``controls`` (ids,
    width) is that of the other 132 numbers, slot after slot; ``scale`` and ``bias`` (width,) are the norm's.
    """

    style: Vectors
    controls: Vectors
    scale: Vectors
    bias: Vectors

    @classmethod
    def from_weights(cls, weights: Weights) -> SourceTables:
        """Read the tables from the weights of a checkpoint, by their published names."""
        style = weights[STYLE_TABLE] @ weights[STYLE_PROJECTION]
        return cls(style, weights[CONTROL_TABLE], weights[NORM_SCALE], weights[NORM_BIAS])

    @classmethod
    def stored(cls, tables: Weights) -> SourceTables:
        """Return the tables of a model folder, which ``named`` gave their names."""
        return cls(*(tables[f"{TABLE_PREFIX}{name}"] for name in TABLES))

    def named(self) -> dict[str, Vectors]:
        """Return the tables by the names under which a model folder keeps them."""
        return {f"{TABLE_PREFIX}{name}": getattr(self, name) for name in TABLES}

    @property
    def codebook_size(self) -> int:
        """The number of style codes of a level."""
        return len(self.style) // NUM_STYLE_LEVELS - RESERVED

    def source(self, numbers: NDArray[np.int64]) -> Vectors:
        """Return the source vectors (frames, width) of frames (frames, 144): each the same whatever is beside it.

        Raises InvalidRequest for a style code that the model does not have.
        """
        _check_range("style", numbers[:, :NUM_STYLE_LEVELS], self.codebook_size - 1)
        parts = range(0, len(numbers), FRAMES_AT_ONCE)
        found = [self._source(numbers[start : start + FRAMES_AT_ONCE]) for start in parts]
        return np.concatenate(found) if found else np.zeros((0, len(self.scale)), np.float32)

    def _source(self, numbers: NDArray[np.int64]) -> Vectors:
        ids = numbers + RESERVED
        starts = np.arange(NUM_STYLE_LEVELS) * (self.codebook_size + RESERVED)
        style = self.style[ids[:, :NUM_STYLE_LEVELS] + starts].sum(axis=1)
        # The reference adds up the levels of the style, and averages the other numbers.
        controls = self.controls[ids[:, NUM_STYLE_LEVELS:] + CONTROL_STARTS].mean(axis=1)
        mixed = (style + controls) / np.float32(2)
        centred = mixed - mixed.mean(axis=1, keepdims=True)
        variance = np.square(centred).mean(axis=1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + np.float32(EPSILON)) * self.scale + self.bias, np.float32)


def _starts() -> NDArray[np.int64]:
    slots = [NOTE_STATES + RESERVED] * NUM_PITCHES + [DRUM_STATES + RESERVED]
    # A scale has no id for "not said", but its numbers are shifted as if it had.
    slots += [FINE_STEPS + RESERVED] * 2 + [COARSE_STEPS + RESERVED]
    return np.cumsum([0, *slots[:-1]])


CONTROL_STARTS = _starts()
"""The first id of each of the 132 numbers behind the style: (132,)."""


def _steps(scale: float, step: float) -> int:
    return round((scale - LEAST_SCALE) / step)


def _check_integers(field: str, values: Iterable[int], count: int, most: int | None) -> None:
    numbers = tuple(values)
    if len(numbers) != count:
        raise InvalidRequest(field, f"must have {count} numbers, got {len(numbers)}")
    # By type(), because a bool is an instance of int.
    wrong = next((one for one in numbers if type(one) not in (int, NoteState) or one < UNSAID), None)
    if wrong is None and most is not None:
        wrong = next((one for one in numbers if one > most), None)
    if wrong is not None:
        limit = f"from {UNSAID} to {most}" if most is not None else f"of {UNSAID} or more"
        raise InvalidRequest(field, f"must be whole numbers {limit}, got {wrong!r}")


def _check_range(field: str, values: NDArray[np.integer[Any]], most: int) -> None:
    if not np.issubdtype(values.dtype, np.integer):
        raise InvalidRequest(field, f"must be whole numbers, got {values.dtype}")
    wrong = values[(values < UNSAID) | (values > most)]
    if wrong.size:
        raise InvalidRequest(field, f"must be whole numbers from {UNSAID} to {most}, got {wrong[0]}")


def _check_scale(field: str, value: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidRequest(field, f"must be a number, got {value!r}")
    if not LEAST_SCALE <= value <= most:
        raise InvalidRequest(field, f"must be {LEAST_SCALE:g} to {most:g}, got {value:g}")
