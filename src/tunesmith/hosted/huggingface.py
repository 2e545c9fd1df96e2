"""Hugging Face: the Inference API, its router, Inference Endpoints and compatible servers.

https://huggingface.co/docs/inference-providers/tasks/text-to-audio
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.audio import Audio
from tunesmith.client.reply import Reply
from tunesmith.errors import InvalidRequest
from tunesmith.hosted.audio_response import sound_in
from tunesmith.hosted.capabilities import Capabilities
from tunesmith.hosted.clip import ClipRequest, HostedClip, TellShare
from tunesmith.hosted.connection import ServiceConnection
from tunesmith.hosted.http_client import USUAL_PATIENCE, RetryTiming, ServiceClient, ServiceRequest
from tunesmith.hosted.model_names import HostedName

DELAY_FRAMES = 3
"""Extra tokens for MusicGen's delay pattern, which produce no audio."""
ACCEPT = "audio/wav, audio/flac;q=0.9, audio/*;q=0.8, application/json;q=0.5"


# No repr: it would show the callbacks of the connection, and what they hold.
@dataclass(frozen=True, slots=True, repr=False)
class HuggingFace:
    """One model at Hugging Face."""

    name: HostedName
    facts: Capabilities
    access: ServiceConnection
    patience: RetryTiming = USUAL_PATIENCE

    async def clip(self, clip_request: ClipRequest, tell: TellShare) -> HostedClip:
        """Generate a clip; see ClipService."""
        if clip_request.recording:
            raise InvalidRequest("audio", f"{self.name} does not support recordings")
        url = self.name.url or f"{self.access.base_url}/models/{self.name.id}"
        # Wait for a model that loads instead of a 503, and never get a cached clip for the same text.
        headers = {"Accept": ACCEPT, "x-wait-for-model": "true", "x-use-cache": "false"}
        ask = ServiceRequest("POST", url, _body(clip_request, self.facts), headers, costs=True)
        caller = ServiceClient(self.name, self.access, lambda stage: tell(stage, 0.0), self.patience)
        tell(f"asking {self.name.service_name}", 0.0)
        found: list[Audio | str] = []
        try:
            # The check decodes the audio, so that a truncated response is retried.
            reply = await caller.reply_to(ask, lambda reply: found.append(sound_in(reply.content)))
            # Some handlers return the URL of the file.
            if isinstance(found[-1], str):
                await caller.reply_to(
                    ServiceRequest("GET", found[-1]), lambda reply: found.append(sound_in(reply.content))
                )
        finally:
            await caller.close()
        audio = found[-1]
        assert isinstance(audio, Audio)
        return _clip(audio, reply)


def _body(clip_request: ClipRequest, facts: Capabilities) -> dict[str, Any]:
    parameters = facts.input_fields(clip_request.request)
    if "duration" in facts.inputs:
        parameters[facts.inputs["duration"]] = clip_request.seconds
    if facts.tokens:
        parameters["max_new_tokens"] = round(clip_request.seconds * facts.tokens) + DELAY_FRAMES
    return {"inputs": clip_request.text, **({"parameters": parameters} if parameters else {})}


def _clip(audio: Audio, reply: Reply) -> HostedClip:
    """Return the clip with what the headers state: our servers send seed and licence, the Hub the model's commit."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    seed = headers.get("x-tunesmith-seed", "")
    names = ("x-request-id", "x-compute-type", "x-compute-time", "x-tunesmith-model")
    return HostedClip(
        audio,
        int(seed) if seed.isdecimal() else None,
        headers.get("x-repo-commit"),
        headers.get("x-tunesmith-license"),
        {name.removeprefix("x-").replace("-", "_"): headers[name] for name in names if name in headers},
    )
