"""The ring of the last sound: it holds as much as it may, in order, and survives a full disk."""

from __future__ import annotations

import errno
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import DiskFull
from tunesmith.jobs.sound_ring import SoundRing

SOUND = np.random.default_rng(1).bytes(5_000)


def test_the_last_bytes_are_those_that_were_appended_last() -> None:
    ring = SoundRing(1_000)
    for start in range(0, len(SOUND), 170):
        ring.append(SOUND[start : start + 170])
        end = min(len(SOUND), start + 170)
        for wanted in (0, 10, 500, 1_000, 2_000):
            length = min(wanted, 1_000, end)
            assert ring.last(wanted) == SOUND[end - length : end]
    ring.close()


def test_a_full_disk_costs_what_was_before_and_neither_the_stream_nor_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = SoundRing(1_000)
    ring.append(SOUND[:100])

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ring, "_write", full)
        ring.append(SOUND[100:200])
        with pytest.raises(DiskFull, match="the live stream could not be recorded"):
            ring.last(10)
    ring.append(SOUND[200:300])
    assert ring.last(100) == SOUND[200:300]
    with pytest.raises(DiskFull):
        ring.last(101)
    for start in range(300, 1_300, 100):
        ring.append(SOUND[start : start + 100])
    assert ring.last(5_000) == SOUND[300:1_300]
    ring.close()
