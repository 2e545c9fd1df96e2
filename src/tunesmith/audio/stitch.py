"""Stitching: joins sounds on the beat, at equal loudness, with crossfades of a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.audio.analysis.analyse import Analysis, analyse_with_metadata
from tunesmith.audio.buffer import Audio
from tunesmith.audio.credits import licence_of
from tunesmith.audio.crossfade import Stretch, copy_stretch, crossfaded
from tunesmith.audio.edit import gain
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.resample import resample
from tunesmith.audio.sample_format import SampleFormat
from tunesmith.audio.spool import Samples, Spool
from tunesmith.audio.tags.own import foreign_tags
from tunesmith.audio.true_peak import true_peak_of
from tunesmith.errors import InvalidRequest

# The crossfade where no beat gives a bar.
PLAIN_SECONDS = 2.0
LONGEST_SECONDS = 8.0
LATEST_ENTRY_SECONDS = 4.0
LOOKED_BACK, STEP_SECONDS = 6, 1.0
UNHEARD_DB, QUIETEST = 0.8, 1e-7
# The highest true peak that EBU R 128 allows.
CEILING_DBTP = -1.0
OF_ONE_FILE = frozenset({"markers"})
OF_ONE_WORK = frozenset({"title", "artist", "license", "copyright", "tracknumber", "tracktotal", "isrc"})
"""Tags of one work, which the metadata of the parts and the licence of the whole keep."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A crossfade at ``at`` seconds of the result, ``seconds`` long, with tempo and key before and after it.

    Unknown tempos and keys are None.
    """

    at: float
    seconds: float
    tempo_bpm: tuple[float | None, float | None]
    key: tuple[str | None, str | None]
    on_the_beat: bool


def stitch(sounds: Sequence[Audio], crossfade: float | None = None) -> tuple[Audio, tuple[Transition, ...]]:
    """Join sounds at the sample rate and loudness of the first; ``crossfade`` is in seconds, None for a bar.

    Raises InvalidRequest for fewer than two sounds, for a crossfade out of range or longer than a sound, and for
    channel counts that cannot be joined.
    """
    if len(sounds) < 2:
        raise InvalidRequest("files", f"must be at least two, got {len(sounds)}")
    if crossfade is not None and not 0 <= crossfade <= LONGEST_SECONDS * 4:
        raise InvalidRequest("crossfade", f"must be 0 to {LONGEST_SECONDS * 4:g} s, got {crossfade:g}")
    alike = _match_formats(sounds)
    analyses = [analyse_with_metadata(sound) for sound in alike]
    rate = alike[0].sample_rate
    spool = Spool(alike[0].channels)
    transitions: list[Transition] = []
    entry = 0
    for number, sound in enumerate(alike[:-1]):
        following, size = alike[number + 1], _size(analyses[number], crossfade, rate)
        leave, enter, on_the_beat = _joint(analyses[number : number + 2], (sound, following), size)
        _check_room(sound, following, entry, leave, enter, size)
        copy_stretch(sound, spool, Stretch(entry, leave))
        transitions.append(_transition(len(spool) / rate, size / rate, analyses[number : number + 2], on_the_beat))
        spool.append(crossfaded(sound.between(leave, leave + size), following.between(enter, enter + size)))
        entry = enter + size
    copy_stretch(alike[-1], spool, Stretch(entry, alike[-1].num_samples))
    joined = Audio(spool, rate, _metadata(sounds), SampleFormat.joined(sound.sample_format for sound in alike))
    # Equal loudness can push peaks above the ceiling: turn down the whole, so that the parts stay equally loud.
    over = true_peak_of(joined) - CEILING_DBTP
    return gain(joined, -over) if over > 0 else joined, tuple(transitions)


def _metadata(sounds: Sequence[Audio]) -> dict[str, Any]:
    """Return the metadata of the whole: its parts, their licences, and the tags that they share."""
    parts = [{name: value for name, value in sound.metadata.items() if name not in OF_ONE_FILE} for sound in sounds]
    first, *others = [dict(foreign_tags(part)) for part in parts]
    shared = {
        name: values
        for name, values in first.items()
        if name not in OF_ONE_WORK and all(other.get(name) == values for other in others)
    }
    whole = {"title": "Stitched", "stitched": parts, **({"tags": shared} if shared else {})}
    return {**whole, "licence": licence_of(whole)}


def _match_formats(sounds: Sequence[Audio]) -> list[Audio]:
    """Convert all to the sample rate and loudness of the first and to the largest number of channels."""
    rate, channels = sounds[0].sample_rate, max(sound.channels for sound in sounds)
    same = [_with_channels(resample(sound, rate), channels) for sound in sounds]
    wanted, *others = [loudness_of(one) for one in same]
    # Silence has no loudness to match.
    if not np.isfinite(wanted):
        return same
    pairs = zip(same[1:], others, strict=True)
    return [same[0], *(gain(one, wanted - measured) if np.isfinite(measured) else one for one, measured in pairs)]


def _with_channels(audio: Audio, channels: int) -> Audio:
    if audio.channels == channels:
        return audio
    # Only mono can be spread over other channels without a choice of mix.
    if audio.channels != 1:
        raise InvalidRequest("files", f"must have equal channel counts, got {audio.channels} and {channels}")
    spool = Spool(channels)
    for block in audio.blocks():
        spool.append(np.repeat(block, channels, axis=0))
    return audio.with_samples(spool)


def _size(analysis: Analysis, crossfade: float | None, rate: int) -> int:
    if crossfade is not None:
        return round(crossfade * rate)
    bar = analysis.rhythm.beats_a_bar * 60 / analysis.rhythm.tempo_bpm if analysis.rhythm else PLAIN_SECONDS
    return round(min(bar, LONGEST_SECONDS) * rate)


def _joint(analysessis: Sequence[Analysis], sounds: tuple[Audio, Audio], size: int) -> tuple[int, int, bool]:
    """Return the sample to leave the first sound at and to enter the second at, and whether both are downbeats.

    An ending that dies away is skipped if it would leave a gap between the two.
    """
    rate = sounds[0].sample_rate
    latest = sounds[0].num_samples - size
    leaving = [round(time * rate) for time in analysessis[0].rhythm.downbeats] if analysessis[0].rhythm else []
    entering = [round(time * rate) for time in analysessis[1].rhythm.downbeats] if analysessis[1].rhythm else []
    # A later downbeat would cut off too much of the beginning.
    enter = next((at for at in entering if at <= LATEST_ENTRY_SECONDS * rate), None)
    # Latest first, to keep as much of the sound as possible.
    bars = [at for at in leaving if 0 <= at <= latest][::-1]
    places = bars or list(range(latest, 0, -round(STEP_SECONDS * rate))) or [latest]
    leave = _loudest_crossfade(sounds, places[:LOOKED_BACK], enter or 0, size)
    return leave, enter or 0, bool(bars) and enter is not None


def _loudest_crossfade(sounds: tuple[Audio, Audio], places: Sequence[int], enter: int, size: int) -> int:
    """Return the first place whose crossfade is about as loud as its surroundings, else the best."""
    # Without a crossfade there is no level to compare.
    if size == 0:
        return places[0]
    arriving = sounds[1].between(enter, enter + size)
    after = _level(sounds[1].between(enter + size, enter + 2 * size))
    dips = []
    for leave in places:
        before = _level(sounds[0].between(leave - size, leave))
        joint = _level(crossfaded(sounds[0].between(leave, leave + size), arriving))
        dips.append(min(before, after) - joint)
        if dips[-1] <= UNHEARD_DB:
            return leave
    return places[int(np.argmin(dips))]


def _level(samples: Samples) -> float:
    return 10 * float(np.log10(np.square(samples, dtype=np.float64).mean() + QUIETEST))


def _check_room(sound: Audio, following: Audio, entry: int, leave: int, enter: int, size: int) -> None:
    if leave < entry or following.num_samples < enter + size:
        shortest = min(sound.duration, following.duration)
        seconds = size / sound.sample_rate
        raise InvalidRequest("crossfade", f"must fit into every file, got {seconds:g} s for one of {shortest:g} s")


def _transition(at: float, seconds: float, analysessis: Sequence[Analysis], on_the_beat: bool) -> Transition:
    before, after = analysessis
    return Transition(
        round(at, 3),
        round(seconds, 3),
        (_tempo(before), _tempo(after)),
        (before.key.name if before.key else None, after.key.name if after.key else None),
        on_the_beat,
    )


def _tempo(analysis: Analysis) -> float | None:
    return analysis.rhythm.tempo_bpm if analysis.rhythm else None
