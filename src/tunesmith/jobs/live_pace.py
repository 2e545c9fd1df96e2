"""LivePace: when the next block of a live stream may be made, so that a listener has a small stock and no more.

A model may be faster than its music. Without a pace the sound would run ahead, and changes would be heard late.
"""

from __future__ import annotations

import time

from tunesmith.library.clock import Clock

AHEAD_SECONDS = 0.15
"""The usual stock of a listener: with it, a change is heard within 0.3 s, that of a prompt too."""

LATE_SECONDS = 0.02
"""A gap that is shorter is within what listeners have in stock before they begin."""


class LivePace:
    """The stock of a listener who plays what it gets from the first block on; all times are in seconds.

    ``ahead`` is the largest stock: sound that was granted and is not played yet.
    """

    def __init__(self, ahead: float, clock: Clock = time.monotonic) -> None:
        self.ahead = ahead
        self.granted = self.sent = 0.0
        self._clock = clock
        # When the listener would have begun to play had it never run dry.
        self._began_at: float | None = None

    def wait(self, block: float) -> float:
        """Return in how many seconds a block of this length may be granted: 0 for at once."""
        played = 0.0 if self._began_at is None else self._clock() - self._began_at
        return max(0.0, self.granted + block - self.ahead - played)

    def is_late(self) -> bool:
        """Return whether a listener has nothing to play: the block that has just come is too late."""
        return self._began_at is not None and self._clock() - self._began_at > self.sent + LATE_SECONDS

    def grant(self, block: float) -> None:
        """Count a block that is being made; its length may be estimated."""
        self.granted += block

    def send(self, block: float, estimated: float) -> None:
        """Count a block that was sent, and was granted with its estimated length."""
        now = self._clock()
        # A listener that ran dry, or did not read, plays on from now: what it missed is not made up for.
        if self._began_at is None or now - self._began_at > self.sent:
            self._began_at = now - self.sent
        self.sent += block
        self.granted += block - estimated
