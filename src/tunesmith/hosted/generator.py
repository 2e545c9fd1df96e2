"""HostedGenerator: a hosted model behind the Generator protocol."""

from __future__ import annotations

import secrets
from typing import Any, Literal

from tunesmith.audio import Audio
from tunesmith.audio.credits import licence_of
from tunesmith.audio.edit import trim
from tunesmith.audio.reader import read_audio
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback
from tunesmith.hosted.assemble import AssembledAudio, ClipAssembler
from tunesmith.hosted.capabilities import Capabilities, facts_of
from tunesmith.hosted.clip import ClipRequest, ClipService, HostedClip
from tunesmith.hosted.connection import ServiceConnection
from tunesmith.hosted.http_client import USUAL_PATIENCE, RetryTiming
from tunesmith.hosted.huggingface import HuggingFace
from tunesmith.hosted.model_names import HostedName
from tunesmith.hosted.replicate import Replicate
from tunesmith.hosted.run_in_thread import run_cancellable
from tunesmith.licences import UNKNOWN_LICENCE
from tunesmith.postprocess import postprocess
from tunesmith.request import GenerationRequest
from tunesmith.source_recordings import model_metadata
from tunesmith.text_prompt import prompt_text, reject_composer_only_fields

DEFAULT_SECONDS = 10.0
MAKING_ENDS = 0.97
MAX_SEED = 2**31 - 1
"""The largest seed that the services accept."""
ROWS_A_CALL = 2


class HostedGenerator:
    """A generator for a hosted model. Safe to use from several threads, whose calls run concurrently."""

    def __init__(self, name: HostedName, access: ServiceConnection, patience: RetryTiming = USUAL_PATIENCE) -> None:
        self._name = name
        self._facts = facts_of(name)
        self._service: ClipService = (
            HuggingFace(name, self._facts, access, patience)
            if name.service == "hf"
            else Replicate(name, self._facts, access, patience)
        )

    @property
    def guide_field(self) -> Literal["melody"] | None:
        """The field of a recording to follow, where the service takes a melody; see GuidableGenerator."""
        return "melody" if self._facts.melody else None

    @property
    def longest_guide(self) -> float:
        """The longest melody to follow, in seconds: that of one call, because later calls continue the first."""
        return self._facts.longest

    def load(self, num_rows: int) -> int:
        """Load nothing: the model is hosted. Return how many requests may run at once; see BatchingGenerator."""
        return max(1, num_rows // ROWS_A_CALL)

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Generate the audio of a request; see Generator.

        Raises ApiError, GenerationFailed, ServerUnreachable and DeadlineExceeded.
        """
        clip_request = _clip_request(request, self._name, self._facts)
        if cancelled():
            raise GenerationCancelled
        progress(Progress(f"asking {self._name.service_name}", 0.0))
        assembler = ClipAssembler(self._service, self._facts, _MonotonicProgress(progress))
        assembled = run_cancellable(assembler.make(clip_request), cancelled)
        audio, warnings = postprocess(_cut(assembled.audio, clip_request.seconds), request)
        progress(Progress("done", 1.0))
        # The tags of a service's file must not mix with ours.
        return audio.without_metadata().with_metadata(**self._metadata(request, assembled, warnings))

    def _metadata(
        self, request: GenerationRequest, assembled: AssembledAudio, warnings: tuple[str, ...]
    ) -> dict[str, Any]:
        first, notes = assembled.clips[0], list(assembled.notes)
        # Without a seed in the request, any seed the service reports is the seed of the result.
        heeded = first.seed is not None and request.seed in (first.seed, None)
        if request.seed is not None and not heeded:
            notes.append(f"seed: {self._name.service_name} ignored it; the same seed will give different music")
        licence = self._licence(first, bool(request.audio or request.melody))
        if licence == UNKNOWN_LICENCE:
            notes.append(f"licence: unknown for {self._name}; see its page before you publish")
        about = {"model": str(self._name), "model_version": first.version, "licence": licence}
        calls = [{"seconds": round(clip.audio.duration, 3), **clip.about} for clip in assembled.clips]
        settings = {"service": self._name.service_name, "seed_heeded": heeded, "calls": calls}
        seed = request.seed if request.seed is not None else first.seed
        return model_metadata(request, about, seed=seed, settings=settings, warnings=(*notes, *warnings))

    def _licence(self, clip: HostedClip, of_a_recording: bool) -> str:
        """Return the licence: stated by the service, else known for the model, else in the file's tags.

        With a recording in the request, the known licence comes first: the service may report the recording's.
        """
        known = self._facts.licence if self._facts.licence != UNKNOWN_LICENCE else None
        licence = known or clip.licence if of_a_recording else clip.licence or known
        return licence or licence_of(clip.audio.metadata)


class _MonotonicProgress:
    """A progress callback that never goes back, though a service may start again."""

    def __init__(self, progress: ProgressCallback) -> None:
        self._progress = progress
        self._reached = 0.0

    def __call__(self, stage: str, share: float) -> None:
        self._reached = max(self._reached, share * MAKING_ENDS)
        self._progress(Progress(stage, self._reached))


def _clip_request(request: GenerationRequest, name: HostedName, facts: Capabilities) -> ClipRequest:
    """Map the request to a clip request for the full length. Raises InvalidRequest for unsupported options."""
    reject_composer_only_fields(request)
    facts.reject_other_fields(request, name)
    if request.audio and not facts.continues:
        raise InvalidRequest("audio", f"continuing a recording is not supported by {name}")
    if request.melody and not facts.melody:
        raise InvalidRequest("melody", f"is not supported by {name}")
    if request.audio and request.melody:
        raise InvalidRequest("melody", f"{name} accepts one recording, not audio and melody together")
    # Read the recording before the first call, so that a broken file costs nothing.
    recording = read_audio(request.audio or request.melody) if request.audio or request.melody else None  # type: ignore[arg-type]
    seconds = request.duration if request.duration is not None else min(DEFAULT_SECONDS, facts.longest)
    if request.audio and recording and seconds <= recording.duration:
        raise InvalidRequest(
            "duration", f"must be longer than the recording's {recording.duration:g} s, got {seconds:g} s"
        )
    return ClipRequest(
        prompt_text(request), seconds, _seed(request), request, recording,
        continues=bool(request.audio),
    )  # fmt: skip


def _seed(request: GenerationRequest) -> int:
    """Return the seed in the services' range, in which 0 means "random"."""
    return secrets.randbelow(MAX_SEED) + 1 if request.seed is None else request.seed % MAX_SEED or MAX_SEED


def _cut(audio: Audio, seconds: float) -> Audio:
    return trim(audio, 0.0, seconds) if audio.duration > seconds else audio
