"""Sliding windows beyond the trained length: each window continues the end of the one before.

With a window of 30 s and a stride of 18 s, 60 s look like this (= already known, - new)::

    0 s       18        30     36        48        60
    |--------------------|
              |==========|--------|
                                |==========|--------|      (shorter at the end of the track)
"""

from __future__ import annotations

from dataclasses import dataclass

# The extend_stride of audiocraft: 12 of 30 seconds are given again.
STRIDE_SECONDS = 18.0
# As a share of the window.
LARGEST_STRIDE = 0.6


@dataclass(frozen=True, slots=True)
class WindowRule:
    """The length and the stride of windows, in frames. Raises ValueError unless 0 < stride < length."""

    length: int
    stride: int

    def __post_init__(self) -> None:
        if not 0 < self.stride < self.length:
            raise ValueError(f"a stride lies between 0 and the window's {self.length} frames, got {self.stride}")

    @classmethod
    def of(cls, window_frames: int, window_seconds: float) -> WindowRule:
        """Return the rule of a model: a stride of 18 s, or 60 % of a window shorter than 30 s."""
        # A window shorter than 30 s still keeps 40 % of its length as context.
        return cls(window_frames, round(window_frames * min(STRIDE_SECONDS / window_seconds, LARGEST_STRIDE)))


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """One run of the model: ``length`` frames from frame ``start`` of the track, the first ``known`` of them given."""

    start: int
    known: int
    length: int

    @property
    def stop(self) -> int:
        """The frame after the window."""
        return self.start + self.length


def plan_windows(total: int, given: int, rule: WindowRule) -> tuple[SlidingWindow, ...]:
    """Return the windows of a track of ``total`` frames whose first ``given`` are known.

    A given part as long as a window or longer is continued from its end, like any earlier window. Raises ValueError
    unless 0 <= given < total.
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
