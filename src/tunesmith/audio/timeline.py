"""Timeline: the beats, bars and sections of a piece, kept correct when it is cut and joined.

In metadata it is ``timeline``: the duration, the beats per bar, ranges of one tempo, and sections. Beats count from 0,
and every ``beats_a_bar``th is a downbeat.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

TIMELINE, SETTINGS = "timeline", "settings"
SAME_SECONDS = 0.05
"""The tolerance between the duration of a sound and its timeline: beyond it, another program has cut the sound."""
NEAR_SECONDS = 0.015
"""The tolerance between a joint and its beat, since ``crossfade.aligned`` moves joints by up to 12 ms."""
MAX_STRETCHES = 20_000
_METER = re.compile(r"(\d{1,2})/(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Tempo:
    """A tempo from ``at`` seconds on, where beat number ``beat`` falls."""

    at: float
    beat: float
    tempo_bpm: float

    def beat_at(self, seconds: float) -> float:
        """Return the beat at a time in seconds, in this tempo."""
        return self.beat + (seconds - self.at) * self.tempo_bpm / 60

    def seconds_of(self, beat: float) -> float:
        """Return the time of a beat in seconds, in this tempo."""
        return self.at + (beat - self.beat) * 60 / self.tempo_bpm


@dataclass(frozen=True, slots=True)
class Stage:
    """A section of the form called ``name``, from ``start`` to ``end`` seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The tempos and sections of a sound of ``duration`` seconds, in order; the first tempo begins at 0."""

    duration: float
    beats_a_bar: int
    tempos: tuple[Tempo, ...]
    sections: tuple[Stage, ...] = ()

    def beats(self) -> Iterator[tuple[float, bool]]:
        """Yield the time of each beat in seconds, and whether it is a downbeat."""
        for tempo, end in self._tempos_with_ends():
            # A beat just before a joint belongs to the next tempo, or it would count twice.
            near = NEAR_SECONDS * tempo.tempo_bpm / 60
            last = tempo.beat_at(end) - near
            for number in range(math.ceil(tempo.beat - near), math.ceil(last)):
                # A beat slightly before the joint counts at the joint.
                yield max(tempo.at, tempo.seconds_of(number)), number % self.beats_a_bar == 0

    def of_stretches(self, stretches: Sequence[tuple[float, float]]) -> Timeline:
        """Return the timeline of these stretches, from second to second, joined."""
        tempos: list[Tempo] = []
        sections: list[Stage] = []
        begins = 0.0
        for first, last in stretches:
            move = begins - first
            for tempo, end in self._tempos_with_ends():
                start = max(first, tempo.at)
                if start < min(last, end):
                    tempos.append(Tempo(start + move, tempo.beat_at(start), tempo.tempo_bpm))
            for one in self.sections:
                start, end = max(first, one.start), min(last, one.end)
                if start < end:
                    sections.append(Stage(one.name, start + move, end + move))
            begins += last - first
        return Timeline(begins, self.beats_a_bar, tuple(tempos), tuple(_merged(sections)))

    def as_json(self) -> dict[str, Any]:
        """Return the timeline as plain JSON values, rounded to microseconds."""
        return {
            "duration": round(self.duration, 6),
            "beats_a_bar": self.beats_a_bar,
            "tempos": [{name: round(value, 6) for name, value in asdict(one).items()} for one in self.tempos],
            "sections": [
                {"name": one.name, "start": round(one.start, 6), "end": round(one.end, 6)} for one in self.sections
            ],
        }

    def _tempos_with_ends(self) -> Iterator[tuple[Tempo, float]]:
        ends = [*(one.at for one in self.tempos[1:]), self.duration]
        return zip(self.tempos, ends, strict=True)


def timeline_of(metadata: Mapping[str, Any], duration: float) -> Timeline | None:
    """Return the timeline in the metadata; None if there is none or if it is not for ``duration`` seconds."""
    stored = metadata.get(TIMELINE)
    found = _read(stored) if isinstance(stored, Mapping) else _of_settings(metadata)
    return found if found is not None and abs(found.duration - duration) <= SAME_SECONDS else None


def with_timeline(metadata: Mapping[str, Any], timeline: Timeline | None, duration: float) -> dict[str, Any]:
    """Return the metadata with this timeline and duration in seconds, also in its settings."""
    changed = {name: value for name, value in metadata.items() if name != TIMELINE}
    if timeline is not None:
        changed[TIMELINE] = timeline.as_json()
    settings = metadata.get(SETTINGS)
    if isinstance(settings, Mapping):
        kept = {name: value for name, value in settings.items() if name != "bars"}
        if timeline is None and "tempo_bpm" in settings:
            # With a duration, the settings would mean that the piece is whole and begins with a bar.
            kept.pop("duration", None)
        elif "duration" in settings:
            kept["duration"] = round(duration, 6)
        if timeline is not None and "bars" in settings:
            kept["bars"] = sum(is_first for _, is_first in timeline.beats())
        changed[SETTINGS] = {name: kept[name] for name in settings if name in kept}
    return changed


def beats_of_meter(meter: str) -> int | None:
    """Return the number of beats per bar that are tapped: 2 in 6/8, 4 in 4/4; None if ``meter`` is invalid."""
    match = _METER.fullmatch(meter)
    if match is None:
        return None
    count, unit = int(match[1]), int(match[2])
    return max(1, count // 3 if unit >= 8 and count % 3 == 0 and count > 3 else count)


def _of_settings(metadata: Mapping[str, Any]) -> Timeline | None:
    """Return the timeline of a piece of version 0.1 by the tempo in its settings; None if the tempo may change."""
    settings, request = metadata.get(SETTINGS), metadata.get("request")
    if not isinstance(settings, Mapping) or not isinstance(request, Mapping) or request.get("hits"):
        return None
    tempo, beats = settings.get("tempo_bpm"), beats_of_meter(str(settings.get("meter")))
    duration = settings.get("duration")
    if beats is None or not isinstance(tempo, int | float) or not 10 <= tempo <= 400:
        return None
    return Timeline(duration, beats, (Tempo(0.0, 0.0, tempo),)) if isinstance(duration, int | float) else None


def _read(stored: Mapping[str, Any]) -> Timeline | None:
    try:
        tempos = tuple(Tempo(**one) for one in stored["tempos"][:MAX_STRETCHES])
        sections = tuple(Stage(**one) for one in stored.get("sections", ())[:MAX_STRETCHES])
        found = Timeline(float(stored["duration"]), int(stored["beats_a_bar"]), tempos, sections)
        # A foreign file may state any values, and an extreme tempo would give endless beats.
        fits = bool(tempos) and found.beats_a_bar >= 1 and all(10 <= one.tempo_bpm <= 400 for one in tempos)
        times = [one.at for one in tempos]
        return found if fits and times == sorted(times) and times[0] == 0 <= times[-1] <= found.duration else None
    # The metadata may come from a foreign file, whose sound must be readable all the same.
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _merged(sections: Sequence[Stage]) -> Iterator[Stage]:
    """Merge adjacent sections of the same name."""
    open_one: Stage | None = None
    for one in sections:
        if open_one is not None and open_one.name == one.name and abs(open_one.end - one.start) < NEAR_SECONDS:
            open_one = Stage(one.name, open_one.start, one.end)
            continue
        if open_one is not None:
            yield open_one
        open_one = one
    if open_one is not None:
        yield open_one
