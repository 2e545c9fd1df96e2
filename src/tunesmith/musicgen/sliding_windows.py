"""The schedule beyond the trained window: windows that overlap, each continued from the end of the one before.

With a window of 30 s and a stride of 18 s, 60 s are written like this (= known already, - new)::

    0 s       18        30     36        48        60
    |--------------------|
              |==========|--------|
                                |==========|--------|      (shorter where the piece ends)
"""

from __future__ import annotations

from dataclasses import dataclass

STRIDE_SECONDS = 18.0
LARGEST_STRIDE = 0.6  # of a window


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How long a window is and how far it moves on, in frames."""

    length: int
    stride: int

    def __post_init__(self) -> None:
        if not 0 < self.stride < self.length:
            raise ValueError(f"a stride lies between 0 and the window's {self.length} frames, got {self.stride}")

    @classmethod
    def of(cls, window_frames: int, window_seconds: float) -> WindowRule:
        """Return the rule of a model: the stride is 18 s of 30 s, and in proportion where the window is another."""
        return cls(window_frames, round(window_frames * min(STRIDE_SECONDS / window_seconds, LARGEST_STRIDE)))


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """One run of the model: ``length`` frames from frame ``start`` of the piece, of which the first are ``known``."""

    start: int
    known: int
    length: int

    @property
    def stop(self) -> int:
        """The frame of the piece behind the window."""
        return self.start + self.length


def plan_windows(total: int, given: int, rule: WindowRule) -> tuple[SlidingWindow, ...]:
    """Return the windows that write a piece of ``total`` frames of which the first ``given`` are known.

    A given part as long as a window or longer is continued from its end, as any window is from the one before.
    """
    if not 0 <= given < total:
        raise ValueError(f"the given frames must be fewer than {total}, got {given}")
    overlap = rule.length - rule.stride
    start = given - overlap if given >= rule.length else 0
    windows = [SlidingWindow(start, given - start, min(total - start, rule.length))]
    while (last := windows[-1]).stop < total:
        start = last.start + rule.stride
        windows.append(SlidingWindow(start, last.stop - start, min(total - start, rule.length)))
    return tuple(windows)
