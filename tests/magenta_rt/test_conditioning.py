"""Frame controls and their source vectors, against the reference and against their own laws."""

from __future__ import annotations

import numpy as np
import pytest
from magenta_vectors import TINY_WEIGHTS, has_magenta_vectors, magenta_arrays

from tunesmith.errors import InvalidRequest
from tunesmith.magenta_rt.conditioning import (
    CONTROL_STARTS,
    NUM_PITCHES,
    NUM_STYLE_LEVELS,
    FrameControls,
    NoteState,
    SourceTables,
)
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import LazyWeights


def random_tables(codebook_size: int = 16, width: int = 8) -> SourceTables:
    random = np.random.default_rng(1)
    sizes = (NUM_STYLE_LEVELS * (codebook_size + 7), width), (1536, width), (width,), (width,)
    return SourceTables(*(random.standard_normal(size).astype(np.float32) for size in sizes))


@has_magenta_vectors
def test_source_vectors_are_those_of_the_reference() -> None:
    expected = magenta_arrays("mrt2_tiny/encoder")
    tables = SourceTables.from_weights(LazyWeights(read_safetensors(TINY_WEIGHTS)))
    computed = tables.source(expected["conditioning"])
    assert tables.codebook_size == 16
    assert np.abs(computed - expected["source"][0]).max() <= 1e-5


def test_a_frame_has_the_same_vector_whatever_is_beside_it() -> None:
    tables, random = random_tables(), np.random.default_rng(2)
    notes = random.integers(-1, 4, (70, NUM_PITCHES))
    numbers = FrameControls(style=tuple(range(12))).frames(notes, random.integers(-1, 2, 70))
    together = tables.source(numbers)
    assert together.dtype == np.float32
    for k in (0, 31, 32, 69):
        assert np.array_equal(tables.source(numbers[k : k + 1])[0], together[k])
    assert tables.source(numbers[:0]).shape == (0, 8)


def test_the_numbers_of_a_frame_lie_in_their_order() -> None:
    notes = [-1] * NUM_PITCHES
    notes[60], notes[61] = NoteState.ONSET, NoteState.OFF
    controls = FrameControls((5,) * 12, tuple(notes), 1, style_scale=-1.0, notes_scale=6.8, drums_scale=6.0)
    numbers = controls.numbers()
    assert numbers.shape == (144,)
    assert numbers[:12].tolist() == [5] * 12
    assert numbers[12:][[59, 60, 61]].tolist() == [-1, 2, 0]
    assert numbers[140:].tolist() == [1, 0, 39, 7]
    assert FrameControls().numbers()[140:].tolist() == [-1, 13, 17, 5]


def test_every_number_stays_within_its_own_slot() -> None:
    most = FrameControls((15,) * 12, (3,) * 128, 1, 6.8, 6.8, 6.0).numbers()[12:] + 7 + CONTROL_STARTS
    ends = np.append(CONTROL_STARTS[1:], CONTROL_STARTS[-1] + 15)
    assert (most < ends).all()
    assert ends[-1] == 1526
    least = FrameControls(style_scale=-1, notes_scale=-1, drums_scale=-1).numbers()[12:] + 7 + CONTROL_STARTS
    assert (least >= CONTROL_STARTS).all()


def test_a_roll_of_notes_replaces_the_notes_of_every_frame() -> None:
    roll = np.full((3, NUM_PITCHES), -1)
    roll[1, 64] = 2
    numbers = FrameControls(drums=0).frames(roll, np.array([0, 1, -1]))
    assert numbers[:, 12 + 64].tolist() == [-1, 2, -1]
    assert numbers[:, 140].tolist() == [0, 1, -1]


@pytest.mark.parametrize(("fields", "words"), [
    ({"style": (0,) * 11}, "style: must have 12 numbers, got 11"),
    ({"style": (-2,) * 12}, "style: must be whole numbers of -1 or more, got -2"),
    ({"notes": (4,) * 128}, "notes: must be whole numbers from -1 to 3, got 4"),
    ({"notes": (0.5,) * 128}, "notes: must be whole numbers from -1 to 3, got 0.5"),
    ({"drums": 2}, "drums: must be whole numbers from -1 to 1, got 2"),
    ({"notes_scale": 7.0}, "notes_scale: must be -1 to 6.8, got 7"),
    ({"drums_scale": 6.5}, "drums_scale: must be -1 to 6, got 6.5"),
    ({"style_scale": float("nan")}, "style_scale: must be a number, got nan"),
])  # fmt: skip
def test_a_wrong_control_is_named(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        FrameControls(**fields)  # type: ignore[arg-type]
    assert str(caught.value) == words


def test_wrong_rolls_and_codes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"notes: must have the shape \(frames, 128\), got \(2, 127\)"):
        FrameControls().frames(np.zeros((2, 127), np.int64))
    with pytest.raises(InvalidRequest, match="notes: must be whole numbers from -1 to 3, got 9"):
        FrameControls().frames(np.full((2, 128), 9))
    with pytest.raises(InvalidRequest, match=r"drums: must have the shape \(2,\), got \(3,\)"):
        FrameControls().frames(np.zeros((2, 128), np.int64), np.zeros(3, np.int64))
    with pytest.raises(InvalidRequest, match="style: must be whole numbers from -1 to 15, got 16"):
        random_tables().source(FrameControls((16,) * 12).numbers()[None])
