"""Laws of the fall of notes: from the onset on it only falls, by as much as said, whatever the length of the note."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composer.instruments import instrument
from tunesmith.composer.render.note_fall import FALLS, LONGEST, fall_of, fallen


@pytest.mark.parametrize("role", FALLS)
@pytest.mark.parametrize("length", [1, 1000, LONGEST + 1000])
def test_a_note_falls_steadily_by_the_decibels_of_its_role(role: str, length: int) -> None:
    sound = np.broadcast_to(np.ones(length, np.float32), (2, length))
    left, right = fallen(sound, FALLS[role])
    assert left[0] == 1
    np.testing.assert_array_equal(left, right)
    assert np.all(np.diff(left) <= 0)
    if length > LONGEST:
        assert 20 * np.log10(left[-1]) == pytest.approx(-FALLS[role].decibels, abs=0.2)


def test_bass_drums_and_machines_do_not_fall() -> None:
    assert fall_of("bass", instrument("finger_bass")) is None
    assert fall_of("chords", instrument("room_kit")) is None
    assert fall_of("melody", instrument("chip_pulse")) is None
    assert fall_of("melody", instrument("violin")) == FALLS["melody"]


def test_what_rings_out_by_itself_falls_less() -> None:
    struck, bowed, held = (fall_of("chords", instrument(name)) for name in ("piano", "strings", "organ"))
    assert struck is not None
    assert bowed is not None
    assert struck.decibels < bowed.decibels
    assert held == bowed
