"""The runs of pieces longer than one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tiny_stable_audio import REAL_THIRD

from tunesmith.stable_audio.lengths import HEADROOM_SECONDS, latent_lengths
from tunesmith.stable_audio.long_form import KEPT_SECONDS, RUN_SECONDS, RunSpan, plan_runs

LATENT_SECONDS = REAL_THIRD.hop_size / REAL_THIRD.sample_rate


def test_a_piece_of_the_models_longest_is_one_run() -> None:
    assert plan_runs(REAL_THIRD, 1292) == (RunSpan(0, 0, 1292),)


@pytest.mark.parametrize("seconds", [120.1, 121, 200, 599, 600, 1_800])
def test_runs_follow_each_other_and_each_keeps_twenty_seconds(seconds: float) -> None:
    held = latent_lengths(REAL_THIRD, seconds, 0).held
    runs = plan_runs(REAL_THIRD, held)
    assert (runs[0].first, runs[0].start, runs[-1].last) == (0, 0, held)
    for before, after in pairwise(runs):
        assert after.start == before.last
        assert (after.start - after.first) * LATENT_SECONDS == pytest.approx(KEPT_SECONDS, abs=0.2)
        assert before.last % 2 == after.first % 2 == 0
    assert all(run.last - run.start > 0 and run.last - run.first <= RUN_SECONDS / LATENT_SECONDS for run in runs)
    # Runs that go on need their headroom.
    longest = max(run.last - run.first for run in runs) * LATENT_SECONDS
    length = latent_lengths(REAL_THIRD, longest, HEADROOM_SECONDS)
    assert length.written - length.held == 64


def test_runs_are_about_equally_long() -> None:
    sizes = [run.last - run.start for run in plan_runs(REAL_THIRD, 5_000)][1:]
    assert max(sizes) - min(sizes) < 20
