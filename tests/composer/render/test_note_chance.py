"""Laws of a note's chance: even, independent, and untouched by other notes."""

from __future__ import annotations

import numpy as np

from tunesmith.composer.render.note_chance import note_chances
from tunesmith.composer.rng import SHARES, share
from tunesmith.composer.score import Note

NOTES = [Note(index / 4, 0.25, 50 + index % 12, 90) for index in range(2_000)]


def test_a_note_keeps_its_chance_when_others_come_and_go() -> None:
    whole = note_chances(7, "lead", NOTES).tolist()
    assert note_chances(7, "lead", NOTES[::3]).tolist() == whole[::3]
    assert len(set(whole)) == len(NOTES)


def test_seed_and_part_change_every_chance() -> None:
    whole = note_chances(7, "lead", NOTES)
    assert not np.any(whole == note_chances(8, "lead", NOTES))
    assert not np.any(whole == note_chances(7, "bass", NOTES))


def test_shares_are_even_and_independent() -> None:
    shares = np.array(
        [[share(chance, index) for index in range(SHARES)] for chance in note_chances(1, "p", NOTES).tolist()]
    )
    assert shares.min() >= 0
    assert shares.max() < 1
    np.testing.assert_allclose(shares.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(np.corrcoef(shares.T), np.eye(SHARES), atol=0.08)
    assert abs(float(np.corrcoef(shares[1:, 0], shares[:-1, 0])[0, 1])) < 0.08


def test_a_part_without_notes_needs_no_chance() -> None:
    assert note_chances(1, "p", []).size == 0
