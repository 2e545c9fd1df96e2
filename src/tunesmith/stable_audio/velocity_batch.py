"""VelocityBatch: runs of one length class, each in a thread of its own, whose steps are rows of one call.

    run 1  sampler ── latents ──┐             ┌── velocity ── sampler …
    run 2  sampler ── latents ──┼─ networks ──┼── velocity ── sampler …
    run 3  cancelled: leaves, and the others go on

A call runs in the thread whose latents come last.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.stable_audio.network_protocol import DiffusionNetworks
from tunesmith.stable_audio.noise import Latents


@dataclass(slots=True, eq=False)
class _Row:
    """The latents of a run at a step, and then their velocity or the error in its place."""

    latents: Latents
    sigma: float
    conditioning: Any
    local: Any
    velocity: Latents | None = None
    error: BaseException | None = None


class VelocityBatch:
    """A batch of ``num_runs`` runs that ask for as many velocities at the same noise levels, until they leave."""

    def __init__(self, networks: DiffusionNetworks, num_runs: int) -> None:
        self._networks = networks
        self._num_runs = num_runs
        self._rows: list[_Row] = []
        self._changed = threading.Condition()

    def velocity(self, latents: Latents, sigma: float, conditioning: Any, local: Any = None) -> Latents:
        """Wait for the other runs and return the velocity of these latents (latents, channels).

        Raises the error of the networks, in every run.
        """
        row = _Row(latents, sigma, conditioning, local)
        with self._changed:
            self._rows.append(row)
            try:
                while row.velocity is None and row.error is None:
                    if len(self._rows) == self._num_runs:
                        self._run()
                        self._changed.notify_all()
                    else:
                        self._changed.wait()
            finally:
                # Still there only if the wait was interrupted.
                if row in self._rows:
                    self._rows.remove(row)
        if row.error is not None:
            raise row.error
        assert row.velocity is not None
        return row.velocity

    def leave(self) -> None:
        """Leave the batch; the other runs no longer wait for this one."""
        with self._changed:
            self._num_runs -= 1
            self._changed.notify_all()

    def _run(self) -> None:
        rows, self._rows = self._rows, []
        # Runs of a length class walk the same noise levels, and wait for each other at every step.
        assert len({row.sigma for row in rows}) == 1
        try:
            found = self._networks.velocities(
                np.stack([row.latents for row in rows]), rows[0].sigma,
                [row.conditioning for row in rows], [row.local for row in rows],
            )  # fmt: skip
        # A failure of the device is no single run's fault: every run raises it in its own thread.
        except BaseException as error:
            for row in rows:
                row.error = error
            return
        for row, velocity in zip(rows, found, strict=True):
            row.velocity = velocity
