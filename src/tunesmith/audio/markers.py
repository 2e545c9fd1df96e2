"""Markers: loop points and cue points in samples, as samplers, games and audio workstations use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tunesmith.audio.resampled_length import resampled_length

LOOP_KINDS = ("forward", "alternating", "backward")
# A foreign file may state any number of them.
MAX_MARKERS = 1_000
MIDDLE_C = 60


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of ``length`` samples from sample ``start``; ``plays`` is 0 for an endless loop."""

    start: int
    length: int
    kind: str = "forward"
    plays: int = 0

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Cue:
    """A marked sample with its label."""

    at: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Markers:
    """The markers of a sound; ``unity_note`` is the MIDI note at which a sampler plays it as recorded."""

    sample_rate: int
    loops: tuple[Loop, ...] = ()
    cues: tuple[Cue, ...] = ()
    unity_note: int = MIDDLE_C

    def __bool__(self) -> bool:
        """Return True if there is any marker."""
        return bool(self.loops or self.cues)

    @property
    def is_plain(self) -> bool:
        """Whether there is at most one endless forward loop, which every format can store."""
        loops = self.loops[:1]
        return self == Markers(self.sample_rate, loops) and all(one == Loop(one.start, one.length) for one in loops)

    def at_rate(self, sample_rate: int) -> Markers:
        """Return the markers of the same sound at another sample rate in Hz."""
        if sample_rate == self.sample_rate:
            return self
        moved = [(one, self._moved(one.start, sample_rate), self._moved(one.end, sample_rate)) for one in self.loops]
        # Convert both ends, not the length: a loop to the end must still end with the sound.
        loops = tuple(replace(one, start=start, length=max(1, end - start)) for one, start, end in moved)
        cues = tuple(replace(one, at=self._moved(one.at, sample_rate)) for one in self.cues)
        return Markers(sample_rate, loops, cues, self.unity_note)

    def _moved(self, at: int, sample_rate: int) -> int:
        """Return a position at another sample rate, rounded as the length of a resampled sound is."""
        return resampled_length(at, self.sample_rate, sample_rate)

    def of_stretches(self, stretches: Sequence[tuple[int, int]], faded: int = 0) -> Markers:
        """Return the markers after the stretches, from sample to sample, are joined.

        A loop stays if it lies whole in one stretch and outside the ``faded`` samples beside a joint; a cue stays where
        it is first played.
        """
        loops: list[Loop] = []
        cues: dict[Cue, Cue] = {}
        begins = 0
        for number, (first, last) in enumerate(stretches):
            move = begins - first
            after, before = faded * (number > 0), faded * (number < len(stretches) - 1)
            kept = (one for one in self.loops if first + after <= one.start and one.end <= last - before)
            loops += [replace(one, start=one.start + move) for one in kept]
            for one in self.cues:
                if first <= one.at < last:
                    cues.setdefault(one, replace(one, at=one.at + move))
            begins += last - first
        return Markers(self.sample_rate, tuple(loops), tuple(cues.values()), self.unity_note)

    def within(self, num_samples: int) -> Markers:
        """Return the markers that lie inside a sound of ``num_samples``."""
        loops = tuple(one for one in self.loops if one.start >= 0 and one.length > 0 and one.end <= num_samples)
        return replace(self, loops=loops, cues=tuple(one for one in self.cues if 0 <= one.at <= num_samples))

    def as_json(self) -> dict[str, Any]:
        """Return the markers as plain JSON values."""
        values: dict[str, Any] = {"sample_rate": self.sample_rate}
        if self.loops:
            values["loops"] = [asdict(one) for one in self.loops]
        if self.cues:
            values["cues"] = [asdict(one) for one in self.cues]
        return values if self.unity_note == MIDDLE_C else {**values, "unity_note": self.unity_note}


def whole_loop(num_samples: int, sample_rate: int) -> Markers:
    """Return the markers of a sound that loops from its first to its last sample."""
    return Markers(sample_rate, (Loop(0, num_samples),))


def markers_of(metadata: Mapping[str, Any], sample_rate: int) -> Markers:
    """Return the markers in the metadata, at ``sample_rate`` in Hz; empty if there are none or they are malformed."""
    try:
        stored = metadata["markers"]
        loops = tuple(Loop(**one) for one in stored.get("loops", ())[:MAX_MARKERS])
        cues = tuple(Cue(**one) for one in stored.get("cues", ())[:MAX_MARKERS])
        return Markers(stored["sample_rate"], loops, cues, stored.get("unity_note", MIDDLE_C)).at_rate(sample_rate)
    # The metadata may come from a foreign file, whose sound must be readable all the same.
    except (KeyError, TypeError, AttributeError, ZeroDivisionError):
        return Markers(sample_rate)


def with_markers(metadata: Mapping[str, Any], markers: Markers) -> dict[str, Any]:
    """Return the metadata with these markers in place of its own."""
    rest = {name: value for name, value in metadata.items() if name != "markers"}
    return {**rest, "markers": markers.as_json()} if markers else rest


def loop_points_json(metadata: Mapping[str, Any], sample_rate: int) -> list[dict[str, Any]] | None:
    """Return the loop points as JSON values for output, in samples and in seconds; None if there are none.

    ``end`` is the last sample of the loop, inclusive.
    """
    loops = markers_of(metadata, sample_rate).loops
    return [
        {
            "start": one.start, "end": one.end - 1, "length": one.length, "kind": one.kind,
            "start_seconds": round(one.start / sample_rate, 6), "end_seconds": round(one.end / sample_rate, 6),
            "length_seconds": round(one.length / sample_rate, 6),
        }
        for one in loops
    ] or None  # fmt: skip


def stored_loop_points_json(metadata: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the loop points in the metadata at the sample rate stored with them; None if there are none."""
    stored = metadata.get("markers")
    rate = stored.get("sample_rate") if isinstance(stored, Mapping) else None
    return loop_points_json(metadata, rate) if isinstance(rate, int) else None
