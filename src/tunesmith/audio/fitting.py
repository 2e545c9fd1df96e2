"""Fitting: a sound as long as asked: bars are taken out or repeated where it is least noticed, the end is cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio.analysis.hearing import Heard, hear_knowing
from tunesmith.audio.analysis.rhythm import FRAMES_A_SECOND
from tunesmith.audio.buffer import Audio
from tunesmith.audio.edit import fade_curve
from tunesmith.audio.splice import Stretch, aligned, copy_stretch, spliced
from tunesmith.audio.spool import Spool
from tunesmith.errors import InvalidRequest
from tunesmith.request import MAX_DURATION_SECONDS

OVERLAP_SECONDS = 0.05
PLAIN_OVERLAP_SECONDS = 2.0
SHORTEST_SECONDS = 0.5
LONGEST_FADE_SECONDS = 3.0
UNNOTICED_SECONDS = 0.02
KEPT_RING_SECONDS = 0.5
"""How long the last note must sound; where the cut leaves less, a bar less is played and silence follows."""
END_SECONDS, DIED_AWAY, STRONG = 0.05, 0.02, 0.5


@dataclass(frozen=True, slots=True)
class Fit:
    """A sound of the length asked for, and what was done to it in a few words."""

    audio: Audio
    done: str


def fit(audio: Audio, duration: float) -> Fit:
    """Return the sound ``duration`` seconds long, to the sample."""
    if not UNNOTICED_SECONDS < duration <= MAX_DURATION_SECONDS:
        raise InvalidRequest("duration", f"must be at most {MAX_DURATION_SECONDS:g} s and above 0, got {duration:g}")
    heard = hear_knowing(audio)
    wanted = duration - audio.duration
    if heard.rhythm is None:
        joined, done = _without_beats(audio, wanted)
    elif wanted > 0:
        joined, done = _longer(audio, heard, wanted)
    else:
        joined, done = _shorter(audio, heard, -wanted)
    return Fit(_exactly(joined, duration), done)


def _shorter(audio: Audio, heard: Heard, excess: float) -> tuple[Audio, str]:
    """Take out whole beats, as many bars as fit into what is too much, where the jump is least noticed."""
    assert heard.rhythm is not None
    beats, bar = heard.rhythm.beats, heard.rhythm.beats_a_bar
    beat = 60 / heard.rhythm.tempo_bpm
    count = int(excess / beat + 1e-6)
    count -= count % bar if count >= bar else 0
    if _chops_ending(audio, heard, excess - count * beat) and count + 3 * bar <= len(beats):
        count += bar
    if count == 0 or count + 2 * bar > len(beats):
        return audio, "cut at its end"
    likeness = heard.likeness()
    leaving = max(range(bar, len(beats) - count), key=lambda at: likeness.jump(at, at + count))
    rate = audio.sample_rate
    cut = round(beats[leaving] * rate)
    arriving = aligned(audio, cut, round(beats[leaving + count] * rate))
    stretches = [Stretch(0, cut), Stretch(arriving, audio.num_samples)]
    done = f"{_bars(count, bar)} taken out at {beats[leaving]:.2f} s"
    return spliced(audio, stretches, round(OVERLAP_SECONDS * rate)), done


def _longer(audio: Audio, heard: Heard, missing: float) -> tuple[Audio, str]:
    """Repeat whole bars, as often as it takes, going back where the jump is least noticed."""
    assert heard.rhythm is not None
    beats, bar = heard.rhythm.beats, heard.rhythm.beats_a_bar
    bar_seconds = bar * 60 / heard.rhythm.tempo_bpm
    needed = -int(-missing // bar_seconds)
    if _chops_ending(audio, heard, needed * bar_seconds - missing):
        needed -= 1
    if needed == 0:
        return audio, "silence put behind it"
    most = (len(beats) - 2) // bar
    if most < 1:
        return _without_beats(audio, missing)
    times = -(-needed // most)
    sizes = [(needed // times + (number < needed % times)) * bar for number in range(times)]
    likeness = heard.likeness()
    leaving = max(range(sizes[0], len(beats)), key=lambda at: likeness.jump(at, at - sizes[0]))
    rate = audio.sample_rate
    arriving = [round(beats[leaving - size] * rate) for size in sizes]
    leaves = [aligned(audio, place, round(beats[leaving] * rate)) for place in arriving]
    stretches = [Stretch(*ends) for ends in zip([0, *arriving], [*leaves, audio.num_samples], strict=True)]
    what = f"{'' if sizes[0] == sizes[-1] else 'up to '}{_bars(sizes[0], bar)} before {beats[leaving]:.2f} s"
    done = f"{what} repeated" + (f" {times} times" if times > 1 else "")
    return spliced(audio, stretches, round(OVERLAP_SECONDS * rate)), done


def _chops_ending(audio: Audio, heard: Heard, lost: float) -> bool:
    """Whether a sound that dies away would lose its last note when so many seconds of its end are cut."""
    end = audio.between(audio.num_samples - round(END_SECONDS * audio.sample_rate), audio.num_samples)
    if float(np.abs(end).max()) > DIED_AWAY:
        return False
    onsets = heard.features.onsets
    last = np.flatnonzero(onsets > STRONG * np.percentile(onsets, 98))[-1] / FRAMES_A_SECOND
    ring = audio.duration - float(last)
    return ring - lost < min(KEPT_RING_SECONDS, ring)


def _without_beats(audio: Audio, wanted: float) -> tuple[Audio, str]:
    if wanted <= 0:
        return audio, "no beat found: cut at its end"
    if audio.duration < SHORTEST_SECONDS:
        problem = f"{audio.duration:g} s are too short to be repeated, which needs {SHORTEST_SECONDS:g} s"
        raise InvalidRequest("file", problem)
    rate = audio.sample_rate
    overlap = round(min(PLAIN_OVERLAP_SECONDS, audio.duration / 4) * rate)
    times = -(-round(wanted * rate) // (audio.num_samples - 2 * overlap))
    middle = [Stretch(overlap, audio.num_samples - overlap)] * (times - 1)
    stretches = [Stretch(0, audio.num_samples - overlap), *middle, Stretch(overlap, audio.num_samples)]
    return spliced(audio, stretches, overlap), f"no beat found: repeated {times} times with crossfades"


def _exactly(audio: Audio, duration: float) -> Audio:
    """Cut the end, faded where sound is lost."""
    length = round(duration * audio.sample_rate)
    lost = (audio.num_samples - length) / audio.sample_rate
    spool = Spool(audio.channels)
    copy_stretch(audio, spool, Stretch(0, length))
    if lost > UNNOTICED_SECONDS:
        size = round(min(LONGEST_FADE_SECONDS, duration / 4, 0.3 + lost) * audio.sample_rate)
        spool.write(length - size, spool.read(length - size) * fade_curve(size, "smooth")[::-1])
    return audio.with_samples(spool)


def _bars(beats: int, bar: int) -> str:
    if beats % bar:
        return f"{beats} beats"
    return f"{beats // bar} bar" + ("s" if beats > bar else "")
