"""Audio of any length from clips: one clip, or several that are continued or stitched on the beat."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.edit import fade_curve, trim
from tunesmith.audio.resample import resample
from tunesmith.audio.spool import Samples, Spool
from tunesmith.audio.stitch import stitch
from tunesmith.errors import GenerationFailed
from tunesmith.hosted.capabilities import Capabilities
from tunesmith.hosted.clip import ClipRequest, ClipService, HostedClip, TellShare

TAIL_SECONDS = 8.0
"""How much of the end of the audio goes to the service for it to continue."""
JOINT_SECONDS = 0.05
STITCH_SECONDS = 2.0
LOST_SECONDS = 6.0
"""The most audio a stitched joint costs: the crossfade, plus what is cut to meet on a beat."""
# A share of the requested length: a clip above it counts as complete.
TOO_SHORT = 0.9
MOST_CLIPS = 400


@dataclass(frozen=True, slots=True)
class AssembledAudio:
    """The assembled audio, the clips it consists of, and notes for the metadata."""

    audio: Audio
    clips: tuple[HostedClip, ...]
    notes: tuple[str, ...] = ()


class ClipAssembler:
    """An assembler of audio of any length from the clips of one service."""

    def __init__(self, service: ClipService, facts: Capabilities, tell: TellShare) -> None:
        self._service = service
        self._facts = facts
        self._tell = tell

    async def make(self, request: ClipRequest) -> AssembledAudio:
        """Return audio of the requested length, perhaps a little longer.

        Raises the service's errors, and GenerationFailed if its clips are too short to make progress.
        """
        if request.continues:
            return await self._continued(request)
        if request.seconds <= self._facts.longest:
            return await self._at_once(request)
        return await (self._continued(request) if self._facts.continues else self._stitched(request))

    async def _at_once(self, request: ClipRequest) -> AssembledAudio:
        # Replicate takes whole seconds; the generator cuts the rest.
        request = replace(request, seconds=float(math.ceil(request.seconds)))
        clip = await self._service.clip(request, self._tell)
        if clip.audio.duration >= request.seconds * TOO_SHORT:
            return AssembledAudio(clip.audio, (clip,), _short(clip.audio, request.seconds))
        return await self._stitched(request, clip)

    async def _continued(self, request: ClipRequest) -> AssembledAudio:
        """Send the end of the audio with each call, and append the new part of each clip."""
        clips: list[HostedClip] = []
        so_far = request.recording if request.continues else None
        while so_far is None or so_far.duration < request.seconds:
            done = so_far.duration if so_far else 0.0
            tail = trim(so_far, max(0.0, done - TAIL_SECONDS)) if so_far else None
            known = tail.duration if tail else 0.0
            seconds = min(self._facts.longest, math.ceil(known + request.seconds - done))
            # The next seed for each clip: the same seed would tend to repeat the same music.
            part = replace(
                request, seconds=float(seconds), seed=request.seed + len(clips), continues=tail is not None,
                recording=tail or request.recording,
            )  # fmt: skip
            clip = await self._service.clip(part, self._telling(done, seconds - known, request.seconds))
            clips.append(clip)
            _check_progress(clip.audio.duration - known, len(clips))
            so_far = _joined(so_far, clip.audio, known) if so_far else clip.audio
        many = f"generated as {len(clips)} clips, each continuing the previous one" if len(clips) > 1 else ""
        return AssembledAudio(so_far, tuple(clips), _notes(many, self._facts))

    async def _stitched(self, request: ClipRequest, first: HostedClip | None = None) -> AssembledAudio:
        """Generate clips until they are long enough when stitched."""
        clips = [first] if first else []
        audio = first.audio if first else None
        while audio is None or audio.duration < request.seconds:
            done = audio.duration if audio else 0.0
            missing = request.seconds - done + (LOST_SECONDS if audio else 0.0)
            wanted = [min(self._facts.longest, max(missing, 2 * LOST_SECONDS))]
            part = replace(request, seconds=float(math.ceil(wanted[0])), seed=request.seed + len(clips))
            clip = await self._service.clip(part, self._telling(done, wanted[0], request.seconds))
            clips.append(clip)
            before = done
            audio = clip.audio if len(clips) == 1 else _stitched([one.audio for one in clips])
            _check_progress(audio.duration - before, len(clips))
        return AssembledAudio(
            audio, tuple(clips), _notes(f"generated as {len(clips)} clips, stitched on the beat", self._facts)
        )

    def _telling(self, done: float, adds: float, whole: float) -> TellShare:
        return lambda stage, share: self._tell(stage, min(1.0, (done + share * adds) / whole))


def _stitched(clips: list[Audio]) -> Audio:
    shortest = min(clip.duration for clip in clips)
    return stitch(clips, min(STITCH_SECONDS, shortest / 4))[0]


def _joined(before: Audio, clip: Audio, known: float) -> Audio:
    """Append the new part of a clip, with a crossfade inside the part that both have."""
    new = resample(clip, before.sample_rate)
    samples = _channels(new.samples, before.channels)
    start = round(known * before.sample_rate)
    overlap = min(round(JOINT_SECONDS * before.sample_rate), start, before.num_samples)
    rise = fade_curve(overlap, "smooth")
    # A spool keeps long audio out of memory.
    spool = Spool(before.channels)
    for block in before.blocks():
        spool.append(block)
    end = len(spool) - overlap
    spool.write(
        end,
        (before.between(end, len(spool)) * rise[::-1] + samples[:, start - overlap : start] * rise).astype(np.float32),
    )
    spool.append(np.ascontiguousarray(samples[:, start:]))
    return Audio.from_spool(spool, before.sample_rate)


def _channels(samples: Samples, channels: int) -> Samples:
    if samples.shape[0] == channels:
        return samples
    mono = samples.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=0)


def _check_progress(gained: float, num_clips: int) -> None:
    # A service that returns next to nothing must not cost one paid call after the other.
    if gained < 1.0 or num_clips >= MOST_CLIPS:
        raise GenerationFailed(
            "TooShort", f"the service's clips are too short for a longer piece ({gained:.1f} s more)"
        )


def _short(audio: Audio, seconds: float) -> tuple[str, ...]:
    missing = seconds - audio.duration
    return (f"duration: the service returned {audio.duration:.1f} s of {seconds:g} s",) if missing > 0.05 else ()


def _notes(how: str, facts: Capabilities) -> tuple[str, ...]:
    return (f"duration: the model generates at most {facts.longest:g} s at once; {how}",) if how else ()
