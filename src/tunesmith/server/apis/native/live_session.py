"""LiveSession: one live stream of one listener: its sound, its changes, its recordings and its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.fields import checked, shown
from tunesmith.jobs.live_pace import LivePace
from tunesmith.jobs.live_service import LiveService
from tunesmith.jobs.runners.live_channel import LiveChannel, LiveOpening
from tunesmith.jobs.sound_ring import SoundRing
from tunesmith.live_stream import MAX_BLOCK_SECONDS, LiveSettings, SoundEncoding
from tunesmith.server.apis.native.live_messages import (
    LiveRecord,
    LiveStart,
    block_header,
    read_message,
    valid_changes,
)
from tunesmith.server.apis.native.schemas import detail_of
from tunesmith.server.apis.native.track_files import check_format

MOST_GRANTED = 2
"""How many blocks are being made at once: one on its way while the next is made."""

MESSAGE_SECONDS = 0.002
"""The least time between two messages that are read."""

LATE_NOTICE_SECONDS = 1.0
"""The least time between two notices of sound that came too late."""

MOST_CHANGES = 32
"""How many changes may wait to be passed on."""

SPARE_SECONDS = 5.0
"""How much longer the ring is than a recording, so that the stream can go on while one is read."""

KEEP_SECONDS = 30.0
"""How long a recording may take after its stream has ended."""


class Keep(Protocol):
    """Keeps a recording as a track."""

    def __call__(self, sound: bytes, shape: SoundShape, settings: LiveSettings, form: str) -> Awaitable[Any]:
        """Keep interleaved sound in a format; return what its listener is told. Raises TunesmithError."""
        ...


class LiveFinished(Exception):
    """The end of a live stream for one of few reasons: stopped, duration, idle, server."""


@dataclass(frozen=True, slots=True)
class SoundShape:
    """The shape of a stream's sound: Hz, channels, and how samples are written."""

    sample_rate: int
    channels: int
    encoding: SoundEncoding

    @property
    def frame_bytes(self) -> int:
        """The bytes of one sample of all channels."""
        return self.channels * (2 if self.encoding == "pcm16" else 4)


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A change of some settings; ``number`` counts the changes of a stream, from 1 on."""

    number: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a session is made with: the model's name and seed, what its listener is told of it, and where to keep."""

    live: LiveService
    start: LiveStart
    model: str
    seed: int
    about: Mapping[str, Any]
    keep: Keep


class LiveSession:
    """The conversation about a live stream: ``seconds`` of its sound were sent, with ``gaps`` where it was late."""

    def __init__(self, socket: WebSocket, parts: SessionParts) -> None:
        self.seconds = 0.0
        self.gaps = 0
        self._told_late_at = float("-inf")
        self._socket = socket
        self._parts = parts
        # What the model plays by.
        self._settings = parts.start.settings
        self._num_changes = 0
        self._changes: asyncio.Queue[SettingsChange] = asyncio.Queue(MOST_CHANGES)
        # Known once the stream is open.
        self._shape: SoundShape | None = None
        self._ring: SoundRing | None = None
        self._recording: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Play until something ends it. Raises LiveFinished, WebSocketDisconnect and what the channel raises."""
        await first_of(self._perform(), self._listen(), self._end_with_server())

    async def close(self) -> None:
        """Finish a recording, and free what the stream held."""
        if self._recording is not None:
            await asyncio.wait([self._recording], timeout=KEEP_SECONDS)
        if self._ring is not None:
            self._ring.close()

    async def _end_with_server(self) -> None:
        await self._parts.live.stopped()
        raise LiveFinished("server")

    async def _perform(self) -> None:
        """Open the stream and play it, while changes are passed on."""
        parts, start = self._parts, self._parts.start
        if not parts.live.is_loaded(parts.model):
            await self._send("loading", model=parts.model)
        opening = LiveOpening(start.settings, parts.seed, start.encoding)
        async with parts.live.play(parts.model, opening) as channel:
            shape = self._shape = SoundShape(channel.sample_rate, channel.channels, start.encoding)
            most = parts.live.limits.record_seconds + SPARE_SECONDS
            self._ring = SoundRing(round(most * shape.sample_rate) * shape.frame_bytes)
            await self._send("started", **parts.about, sample_rate=shape.sample_rate, channels=shape.channels,
                             encoding=shape.encoding, settings=start.settings.model_dump(mode="json"))  # fmt: skip
            await first_of(self._play(channel, shape, self._ring), self._pass_changes(channel))

    async def _play(self, channel: LiveChannel, shape: SoundShape, ring: SoundRing) -> None:
        """Send the blocks at the pace of the listener."""
        start, limits = self._parts.start, self._parts.live.limits
        pace, usual = LivePace(start.ahead), MAX_BLOCK_SECONDS
        left = round(min(start.duration or limits.seconds, limits.seconds) * shape.sample_rate)
        waiting = number = position = 0
        while left:
            while waiting < MOST_GRANTED and not pace.wait(usual):
                pace.grant(usual)
                waiting += 1
                await channel.grant()
            if not waiting:
                await asyncio.sleep(pace.wait(usual))
                continue
            block = await channel.next_block()
            waiting -= 1
            if pace.is_late():
                await self._note_gap()
            sound = block.sound[: left * shape.frame_bytes]
            frames = len(sound) // shape.frame_bytes
            await self._socket.send_bytes(block_header(number, block.change, position) + sound)
            ring.append(sound)
            pace.send(frames / shape.sample_rate, usual)
            number, position, left = number + 1, position + frames, left - frames
            self.seconds = position / shape.sample_rate
        raise LiveFinished("duration")

    async def _note_gap(self) -> None:
        """Count a gap, and tell the listener of it, once in a while."""
        self.gaps += 1
        now = time.monotonic()
        if now - self._told_late_at >= LATE_NOTICE_SECONDS:
            self._told_late_at = now
            await self._send("late", gaps=self.gaps)

    async def _listen(self) -> None:
        """Read the listener's messages; a bad one is answered, and the stream goes on."""
        while True:
            try:
                async with asyncio.timeout(self._parts.live.limits.idle_seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                raise LiveFinished("idle") from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            # However fast messages come, the server has other callers.
            await asyncio.sleep(MESSAGE_SECONDS)
            try:
                if message.get("text") is None:
                    raise InvalidRequest("message", "must be JSON text, got bytes")
                await self._take(*read_message(message["text"]))
            except TunesmithError as error:
                await self._send_error(error)

    async def _take(self, kind: str, fields: dict[str, Any]) -> None:
        match kind:
            case "change":
                await self._change(fields)
            case "record":
                self._record(checked(LiveRecord, fields))
            case "ping":
                await self._send("pong")
            case "stop":
                raise LiveFinished("stopped")
            case _:
                raise InvalidRequest("type", f"must be change, record, ping or stop, got {shown(kind)}")

    async def _change(self, fields: dict[str, Any]) -> None:
        valid, problems = valid_changes(self._settings, fields)
        for problem in problems:
            await self._send_error(problem)
        if valid and self._changes.full():
            raise InvalidRequest("type", f"at most {MOST_CHANGES} changes wait for the model; this one is lost")
        if valid:
            self._num_changes += 1
            self._changes.put_nowait(SettingsChange(self._num_changes, valid))

    async def _pass_changes(self, channel: LiveChannel) -> None:
        """Pass changes on; those that come while one is on its way go together, or one by one if that is refused."""
        while True:
            changes = [await self._changes.get()]
            while not self._changes.empty():
                changes.append(self._changes.get_nowait())
            together = SettingsChange(changes[-1].number, {k: v for one in changes for k, v in one.fields.items()})
            if len(changes) > 1 and await self._try(channel, together) is None:
                continue
            for change in changes:
                if problem := await self._try(channel, change):
                    await self._send_error(problem, change=change.number)

    async def _try(self, channel: LiveChannel, change: SettingsChange) -> InvalidRequest | None:
        """Pass a change on and tell the listener of it; return why the model does not take it."""
        settings = self._settings.changed(change.fields)
        try:
            await channel.change(change.number, settings)
        except InvalidRequest as error:
            return error
        self._settings = settings
        await self._send("changed", change=change.number, settings=settings.model_dump(mode="json"))
        return None

    def _record(self, wanted: LiveRecord) -> None:
        if self._recording is not None and not self._recording.done():
            raise InvalidRequest("type", "record is at work already")
        most = self._parts.live.limits.record_seconds
        if wanted.seconds > most:
            raise InvalidRequest("seconds", f"must be at most {most:g} (live_record_seconds), got {wanted.seconds:g}")
        if self._shape is None or self._ring is None or self.seconds < 1:
            raise InvalidRequest("seconds", f"must be at least 1 s of sound to keep, got {self.seconds:.2f} s so far")
        num_bytes = round(wanted.seconds * self._shape.sample_rate) * self._shape.frame_bytes
        form = check_format(wanted.format)
        self._recording = asyncio.create_task(self._keep(self._ring, num_bytes, self._shape, form))

    async def _keep(self, ring: SoundRing, num_bytes: int, shape: SoundShape, form: str) -> None:
        settings = self._settings
        # A listener that has left still gets its track.
        with contextlib.suppress(WebSocketDisconnect):
            try:
                sound = await asyncio.to_thread(ring.last, num_bytes)
                track = await self._parts.keep(sound, shape, settings, form)
            except TunesmithError as error:
                await self._send_error(error)
            else:
                await self._send("recorded", track=track)

    async def _send_error(self, error: TunesmithError, **about: Any) -> None:
        await send_error(self._socket, error, **about)

    async def _send(self, kind: str, **fields: Any) -> None:
        await send_message(self._socket, kind, **fields)


async def send_message(socket: WebSocket, kind: str, **fields: Any) -> None:
    """Send a JSON message. Raises WebSocketDisconnect."""
    await socket.send_json({"type": kind, **fields})


async def send_error(socket: WebSocket, error: TunesmithError, **about: Any) -> None:
    """Send an error, and what it is about. Raises WebSocketDisconnect."""
    await send_message(socket, "error", error=detail_of(error).model_dump(exclude_none=True), **about)


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines at once until the first one ends, and cancel the others. Raises what that one raises."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
