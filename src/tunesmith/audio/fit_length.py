"""Length fitting: bars are removed or repeated where it is least noticeable, and the end is cut to the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.audio.analysis.analyse import Analysis, analyse_with_metadata
from tunesmith.audio.analysis.rhythm import FRAMES_A_SECOND
from tunesmith.audio.buffer import Audio
from tunesmith.audio.crossfade import Stretch, aligned, copy_stretch, splice, stretched
from tunesmith.audio.edit import fade_curve
from tunesmith.audio.retiming import keep_loops_between, retimed
from tunesmith.audio.spool import Spool
from tunesmith.audio.timeline import timeline_of, with_timeline
from tunesmith.errors import InvalidRequest
from tunesmith.request import MAX_DURATION_SECONDS

OVERLAP_SECONDS = 0.05
PLAIN_OVERLAP_SECONDS = 2.0
SHORTEST_SECONDS = 0.5
LONGEST_FADE_SECONDS = 3.0
UNNOTICED_SECONDS = 0.02
KEPT_RING_SECONDS = 0.5
"""The shortest ring of the last note. If a cut leaves less, other bars or beats are cut and the ring is stretched."""
# The tail is added at most twice more: three times its length.
LONGEST_STRETCH = 2
ATTACK_SECONDS = 0.15
# A last note counts as dead below 0.02 (-34 dBFS); onsets count from these shares of a usual one.
END_SECONDS, DIED_AWAY, STRONG, WEAK = 0.05, 0.02, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class Fit:
    """A sound of the requested length, and a short description of the change."""

    audio: Audio
    done: str


def fit(audio: Audio, duration: float) -> Fit:
    """Return the sound fitted to ``duration`` seconds, exact to the sample; raise InvalidRequest if it cannot be."""
    if not UNNOTICED_SECONDS < duration <= MAX_DURATION_SECONDS:
        raise InvalidRequest("duration", f"must be at most {MAX_DURATION_SECONDS:g} s and above 0, got {duration:g}")
    analysis = analyse_with_metadata(audio)
    wanted = duration - audio.duration
    if analysis.rhythm is None:
        joined, done = _without_beats(audio, wanted)
    elif wanted > 0:
        joined, done = _longer(audio, analysis, wanted)
    else:
        joined, done = _shorter(audio, analysis, -wanted)
    return Fit(_exactly(joined, duration), done)


def _shorter(audio: Audio, analysis: Analysis, excess: float) -> tuple[Audio, str]:
    """Remove whole beats, as many bars as fit into the excess, where the jump is least noticeable."""
    assert analysis.rhythm is not None
    beats, bar = analysis.rhythm.beats, analysis.rhythm.beats_a_bar
    beat = 60 / analysis.rhythm.tempo_bpm
    # The margin keeps rounding from losing a beat where the excess is a whole number of them.
    fitting = int(excess / beat + 1e-6)
    fitting -= fitting % bar if fitting >= bar else 0
    choices = [fitting, fitting + bar, *(fitting + more for more in range(1, bar))]
    possible = [count for count in choices if count + 2 * bar <= len(beats)]
    ending = _Ending.of(audio, analysis)
    count = ending.choose({count: excess - count * beat for count in possible})
    if not count:
        return audio, "cut at the end"
    likeness = analysis.beat_similarity()
    leaving = max(range(bar, len(beats) - count), key=lambda at: likeness.jump(at, at + count))
    rate = audio.sample_rate
    cut = round(beats[leaving] * rate)
    arriving = aligned(audio, cut, round(beats[leaving + count] * rate))
    stretches = [Stretch(0, cut), Stretch(arriving, audio.num_samples)]
    done = f"{_bars(count, bar)} removed at {beats[leaving]:.2f} s"
    joined = splice(audio, stretches, round(OVERLAP_SECONDS * rate))
    return ending.lengthened(joined, count * beat - excess), done


def _longer(audio: Audio, analysis: Analysis, missing: float) -> tuple[Audio, str]:
    """Repeat whole bars until the sound is long enough, jumping back where it is least noticeable."""
    assert analysis.rhythm is not None
    beats, bar = analysis.rhythm.beats, analysis.rhythm.beats_a_bar
    beat = 60 / analysis.rhythm.tempo_bpm
    needed = -int(-missing // (bar * beat))
    ending = _Ending.of(audio, analysis)
    choices = [needed * bar, (needed - 1) * bar, *range(needed * bar - 1, (needed - 1) * bar, -1)]
    count = ending.choose({count: count * beat - missing for count in choices})
    if not count:
        return ending.lengthened(audio, missing), "the last note rings longer"
    # A repeat cannot be longer than the sound itself.
    most = (len(beats) - 2) // bar
    if most < 1:
        return _without_beats(audio, missing)
    sizes = _sizes(count, bar, most)
    likeness = analysis.beat_similarity()
    leaving = max(range(max(sizes), len(beats)), key=lambda at: likeness.jump(at, at - sizes[0]))
    rate = audio.sample_rate
    arriving = [round(beats[leaving - size] * rate) for size in sizes]
    leaves = [aligned(audio, place, round(beats[leaving] * rate)) for place in arriving]
    stretches = [Stretch(*ends) for ends in zip([0, *arriving], [*leaves, audio.num_samples], strict=True)]
    what = f"{'' if sizes[0] == sizes[-1] else 'up to '}{_bars(sizes[0], bar)} before {beats[leaving]:.2f} s"
    done = f"{what} repeated" + (f" {len(sizes)} times" if len(sizes) > 1 else "")
    joined = splice(audio, stretches, round(OVERLAP_SECONDS * rate))
    return ending.lengthened(joined, missing - count * beat), done


def _sizes(count: int, bar: int, most: int) -> list[int]:
    """Return the beats of each repeat, at most ``most`` bars at once; beats that make no whole bar come last."""
    bars, rest = divmod(count, bar)
    times = -(-bars // most)
    sizes = [(bars // times + (number < bars % times)) * bar for number in range(times)]
    return [*sizes, rest] if rest else sizes


@dataclass(frozen=True, slots=True)
class _Ending:
    """The end of a sound: the seconds that the last strong note rings until it dies away (``ring``), else 0.

    The last ``tail`` seconds have no onset at all.
    """

    ring: float
    tail: float

    @classmethod
    def of(cls, audio: Audio, analysis: Analysis) -> _Ending:
        end = audio.between(audio.num_samples - round(END_SECONDS * audio.sample_rate), audio.num_samples)
        # The sound is still on at its very end, so no note dies away.
        if float(np.abs(end).max()) > DIED_AWAY:
            return cls(0.0, 0.0)
        onsets = analysis.features.onsets
        # Not the maximum, so that one loud hit does not hide all other onsets.
        usual = np.percentile(onsets, 98)
        lasts = [np.flatnonzero(onsets > share * usual)[-1] / FRAMES_A_SECOND for share in (STRONG, WEAK)]
        ring, tail = (max(0.0, audio.duration - float(last)) for last in lasts)
        return cls(ring, tail)

    def bears(self, lost: float) -> bool:
        """Tell whether the end tolerates a cut of ``lost`` seconds, or, if negative, a ring that much longer."""
        if lost >= 0:
            return self.ring == 0 or self.ring - lost >= min(KEPT_RING_SECONDS, self.ring)
        return -lost <= LONGEST_STRETCH * self.tail

    def choose(self, lost: Mapping[int, float]) -> int:
        """Return the first number of beats whose cut the end tolerates, else the one that leaves least to fill."""
        for count, seconds in lost.items():
            if self.bears(seconds):
                return count
        short = [count for count, seconds in lost.items() if seconds < 0]
        return max(short, key=lambda count: lost[count]) if short else next(iter(lost), 0)

    def lengthened(self, audio: Audio, missing: float) -> Audio:
        """Time-stretch the ring of the last note by ``missing`` seconds."""
        if missing <= 0 or self.ring == 0:
            return audio
        rate = audio.sample_rate
        # Leave out the attack, which stretching would smear.
        ring = round(max(self.tail - ATTACK_SECONDS, END_SECONDS) * rate)
        begins = audio.num_samples - ring
        spool = Spool(audio.channels)
        copy_stretch(audio, spool, Stretch(0, begins))
        spool.append(stretched(audio, Stretch(begins, audio.num_samples), ring + round(missing * rate)))
        timeline = timeline_of(audio.metadata, audio.duration)
        lasting = None if timeline is None else replace(timeline, duration=len(spool) / rate)
        return audio.with_samples(spool, metadata=with_timeline(audio.metadata, lasting, len(spool) / rate))


def _without_beats(audio: Audio, wanted: float) -> tuple[Audio, str]:
    if wanted <= 0:
        return audio, "no beat found: cut at the end"
    if audio.duration < SHORTEST_SECONDS:
        problem = f"{audio.duration:g} s are too short to be repeated, which needs {SHORTEST_SECONDS:g} s"
        raise InvalidRequest("file", problem)
    rate = audio.sample_rate
    overlap = round(min(PLAIN_OVERLAP_SECONDS, audio.duration / 4) * rate)
    times = -(-round(wanted * rate) // (audio.num_samples - 2 * overlap))
    middle = [Stretch(overlap, audio.num_samples - overlap)] * (times - 1)
    stretches = [Stretch(0, audio.num_samples - overlap), *middle, Stretch(overlap, audio.num_samples)]
    return splice(audio, stretches, overlap), f"no beat found: repeated {times} times with crossfades"


def _exactly(audio: Audio, duration: float) -> Audio:
    """Cut the end to ``duration``, with a fade-out if more than an unnoticeable part is lost."""
    length = round(duration * audio.sample_rate)
    lost = (audio.num_samples - length) / audio.sample_rate
    spool = Spool(audio.channels)
    copy_stretch(audio, spool, Stretch(0, length))
    exact = audio.with_samples(spool, metadata=retimed(audio, [(0, length)]))
    # A cut this short needs no fade.
    if lost <= UNNOTICED_SECONDS:
        return exact
    size = round(min(LONGEST_FADE_SECONDS, duration / 4, 0.3 + lost) * audio.sample_rate)
    spool.write(length - size, spool.read(length - size) * fade_curve(size, "smooth")[::-1])
    return keep_loops_between(exact, 0, length - size)


def _bars(beats: int, bar: int) -> str:
    if beats % bar:
        return f"{beats} beats"
    return f"{beats // bar} bar" + ("s" if beats > bar else "")
