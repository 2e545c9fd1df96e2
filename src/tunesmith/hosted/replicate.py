"""Replicate: create a prediction, wait or poll for it, and download its file.

https://replicate.com/docs/reference/http
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.client.reply import Reply
from tunesmith.errors import ApiError, GenerationFailed, NotFound, TunesmithError
from tunesmith.hosted.audio_response import InvalidAudioResponse, data_of, read_sound
from tunesmith.hosted.capabilities import Capabilities
from tunesmith.hosted.clip import ClipRequest, HostedClip, TellShare
from tunesmith.hosted.connection import ServiceConnection
from tunesmith.hosted.http_client import USUAL_PATIENCE, RetryTiming, ServiceClient, ServiceRequest
from tunesmith.hosted.model_names import HostedName

# The longest that Replicate holds a request that says Prefer: wait.
WAIT_SECONDS = 60
POLL_SECONDS = 0.5
CLEAR_UP_SECONDS = 5.0
WHOLE_NUMBERS = ("classifier_free_guidance",)
"""Inputs that the services take as integers."""
_PERCENT = re.compile(r"(\d{1,3})%\|")
_LICENCE_SHOWN = 300


# No repr: it would show the callbacks of the connection, and what they hold.
@dataclass(frozen=True, slots=True, repr=False)
class Replicate:
    """One model at Replicate."""

    name: HostedName
    facts: Capabilities
    access: ServiceConnection
    patience: RetryTiming = USUAL_PATIENCE

    async def clip(self, clip_request: ClipRequest, tell: TellShare) -> HostedClip:
        """Generate a clip; see ClipService. Cancellation also cancels the prediction, which would cost money."""
        caller = ServiceClient(self.name, self.access, lambda stage: tell(stage, 0.0), self.patience)
        try:
            tell("asking Replicate", 0.0)
            address = await self._uploaded(caller, clip_request.recording) if clip_request.recording else None
            prediction = await self._created(caller, _input(clip_request, self.facts, address))
            prediction = await self._finished(caller, prediction, tell)
            return HostedClip(
                await self._output(caller, prediction),
                seed=clip_request.seed,
                version=str(prediction.get("version") or "") or self.name.version,
                about={"prediction": prediction["id"], **(prediction.get("metrics") or {})},
            )
        finally:
            await caller.close()

    def _url(self, path: str) -> str:
        return f"{self.access.base_url}/v1/{path}"

    async def _created(self, caller: ServiceClient, given: Mapping[str, Any]) -> dict[str, Any]:
        """Create a prediction: of the given version, else of an official model, else of the model's latest version."""
        if self.name.version:
            return await self._create(caller, "predictions", {"version": self.name.version, "input": given})
        try:
            return await self._create(caller, f"models/{self.name.id}/predictions", {"input": given})
        # Only official models have this route.
        except NotFound as refused:
            reply = await caller.reply_to(ServiceRequest("GET", self._url(f"models/{self.name.id}")))
            body = reply.json()
            latest = body.get("latest_version") if isinstance(body, dict) else None
            if not isinstance(latest, dict):
                raise refused from None
            return await self._create(caller, "predictions", {"version": latest["id"], "input": given})

    async def _create(self, caller: ServiceClient, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        # Stay below our own deadline, so that the reply arrives before the client gives up.
        wait = max(1, min(WAIT_SECONDS, int(self.access.seconds) - 1))
        ask = ServiceRequest("POST", self._url(path), body, {"Prefer": f"wait={wait}"}, costs=True)
        return _prediction(await caller.reply_to(ask, _check))

    async def _finished(self, caller: ServiceClient, prediction: dict[str, Any], tell: TellShare) -> dict[str, Any]:
        """Poll until the prediction has succeeded. Raises GenerationFailed if it failed."""
        try:
            while prediction["status"] in ("starting", "processing", "queued"):
                stage = (
                    "Replicate is starting the model"
                    if prediction["status"] == "starting"
                    else "generating at Replicate"
                )
                tell(stage, _share(prediction.get("logs")))
                await caller.pause(POLL_SECONDS)
                reply = await caller.reply_to(
                    ServiceRequest("GET", self._url(f"predictions/{prediction['id']}")), _check
                )
                prediction = _prediction(reply)
        # Replicate bills a prediction until it ends, so stop it whatever interrupts the wait.
        except (asyncio.CancelledError, TunesmithError):
            await self._cancelled(prediction)
            raise
        if prediction["status"] != "succeeded":
            why = str(prediction.get("error") or prediction["status"])
            raise GenerationFailed(
                "PredictionFailed", f"Replicate could not generate it: {' '.join(why.split())[:_LICENCE_SHOWN]}"
            )
        return prediction

    async def _cancelled(self, prediction: Mapping[str, Any]) -> None:
        """Cancel a prediction, best effort, with a client of its own: the other's deadline may have passed."""
        access = ServiceConnection(self.access.base_url, self.access.token, CLEAR_UP_SECONDS)
        caller = ServiceClient(self.name, access, lambda _: None, self.patience)
        with suppress(TunesmithError, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_SECONDS):
                await caller.reply_to(ServiceRequest("POST", self._url(f"predictions/{prediction['id']}/cancel")))
        await caller.close()

    async def _output(self, caller: ServiceClient, prediction: Mapping[str, Any]) -> Audio:
        address = _first_address(prediction.get("output"))
        if address is None:
            raise GenerationFailed("NoOutput", "Replicate's prediction succeeded without an output that is a file")
        if address.startswith("data:"):
            try:
                return read_sound(data_of(address))
            except InvalidAudioResponse as problem:
                raise GenerationFailed("NoOutput", f"Replicate: {problem}") from None
        found: list[Audio] = []
        # The check decodes the file, so that a truncated download is retried.
        await caller.reply_to(ServiceRequest("GET", address), lambda reply: found.append(read_sound(reply.content)))
        return found[-1]

    async def _uploaded(self, caller: ServiceClient, recording: Audio) -> str:
        """Upload a recording as a file and return its URL at Replicate."""
        with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
            content = write_audio(recording, Path(folder) / "recording.wav").read_bytes()
        files = {"content": ("recording.wav", content, "audio/wav")}
        reply = await caller.reply_to(ServiceRequest("POST", self._url("files"), files=files))
        body = reply.json()
        address = body.get("urls", {}).get("get") if isinstance(body, dict) else None
        if not isinstance(address, str):
            raise ApiError("Replicate accepted a file but returned no URL", status=reply.status)
        return address


def _input(clip_request: ClipRequest, facts: Capabilities, address: str | None) -> dict[str, Any]:
    # A clip may be cut to its length, but not be prolonged.
    seconds = min(ceil(clip_request.seconds), int(facts.longest))
    given: dict[str, Any] = {"prompt": clip_request.text, facts.inputs["duration"]: seconds, "seed": clip_request.seed}
    given |= {**facts.constants, **facts.input_fields(clip_request.request)}
    given |= {name: round(given[name]) for name in WHOLE_NUMBERS if name in given}
    if address:
        given |= {"input_audio": address, "continuation": clip_request.continues}
    return given


def _check(reply: Reply) -> None:
    body = reply.json()
    if not (isinstance(body, dict) and isinstance(body.get("id"), str) and isinstance(body.get("status"), str)):
        raise InvalidAudioResponse("the response is not a prediction")


def _prediction(reply: Reply) -> dict[str, Any]:
    body: dict[str, Any] = reply.json()
    return body


def _share(logs: Any) -> float:
    """Return the share of the last progress bar in the logs, 0 to 1."""
    found = _PERCENT.findall(logs) if isinstance(logs, str) else []
    return min(100, int(found[-1])) / 100 if found else 0.0


def _first_address(output: Any) -> str | None:
    if isinstance(output, str):
        return output if output.startswith(("https://", "http://", "data:")) else None
    items = output.values() if isinstance(output, dict) else output if isinstance(output, list) else ()
    return next((address for address in map(_first_address, items) if address), None)
