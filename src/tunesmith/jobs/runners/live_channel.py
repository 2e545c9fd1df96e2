"""LiveChannel: a live stream in a runner's process, as the server sees it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tunesmith.errors import InvalidRequest, RunnerCrashed, TaskFailed, TunesmithError
from tunesmith.jobs.runners.protocol import (
    ChangeRefused,
    ChangeTaken,
    InvalidMessage,
    LiveBlock,
    LiveOpened,
    LiveReport,
    encode,
)
from tunesmith.live_stream import LiveSettings, SoundEncoding


@dataclass(frozen=True, slots=True)
class LiveOpening:
    """What a live stream begins with; ``encoding`` is that of its blocks."""

    settings: LiveSettings
    seed: int
    encoding: SoundEncoding = "pcm16"


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """A block of sound, interleaved; ``change`` is the number of the last change before it was begun, 0 for none."""

    change: int
    sound: bytes


class LiveChannel:
    """A live stream of a runner. Used from one event loop.

    The runner makes one block for each grant, so a caller that grants no more than it can use bounds the memory.
    """

    def __init__(self, name: str, send: Callable[[bytes], Awaitable[None]]) -> None:
        self.name = name
        # Known once the stream is open.
        self.sample_rate = self.channels = 0
        self._send = send
        self._blocks: asyncio.Queue[SoundBlock | None] = asyncio.Queue()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._is_open = False
        # What ended the stream.
        self._end: asyncio.Future[TunesmithError | None] = asyncio.get_running_loop().create_future()

    @property
    def has_ended(self) -> bool:
        """Whether the process makes no more of it."""
        return not self._is_open or self._end.done()

    async def open(self, opening: LiveOpening) -> None:
        """Open the stream. Raises TaskFailed and RunnerCrashed."""
        settings = _as_json(opening.settings)
        message = {"live": self.name, "settings": settings, "seed": opening.seed, "encoding": opening.encoding}
        self._is_open = True
        await self._send(encode(message))
        await self._opened

    async def grant(self) -> None:
        """Let one block more be made."""
        await self._send(encode({"grant": self.name}))

    async def next_block(self) -> SoundBlock:
        """Return the next block that was granted. Raises TaskFailed and RunnerCrashed once the stream has ended."""
        block = await self._blocks.get()
        if block is None:
            # For a second call.
            self._blocks.put_nowait(None)
            raise self._end.result() or RunnerCrashed("the live stream has ended")
        return block

    async def change(self, number: int, settings: LiveSettings) -> None:
        """Play by other settings; return once the runner has taken them. ``number`` counts the changes, from 1 on.

        Raises InvalidRequest for settings that the model does not take; TaskFailed and RunnerCrashed.
        """
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(encode({"change": self.name, "number": number, "settings": _as_json(settings)}))
            await answer
        finally:
            del self._answers[number]

    async def close(self, seconds: float) -> None:
        """End the stream, and wait for that for at most ``seconds``."""
        if self.has_ended:
            return
        with contextlib.suppress(RunnerCrashed, TimeoutError):
            await self._send(encode({"cancel": self.name}))
            await asyncio.wait_for(asyncio.shield(self._end), seconds)

    def take(self, message: LiveReport) -> None:
        """Take a message of the process. Raises InvalidMessage."""
        match message:
            case LiveOpened():
                self.sample_rate, self.channels = message.sample_rate, message.channels
                if not self._opened.done():
                    self._opened.set_result(None)
            case LiveBlock():
                self._blocks.put_nowait(SoundBlock(message.change, _decoded(message.sound)))
            case ChangeTaken():
                self._answer(message.change, None)
            case ChangeRefused():
                self._answer(message.change, InvalidRequest(message.field, message.problem))
            case _:
                self.end(None)

    def end(self, error: TaskFailed | RunnerCrashed | None) -> None:
        """Record the end of the stream; ``error`` is None if it was asked to."""
        if self._end.done():
            return
        self._end.set_result(error)
        fault = error or RunnerCrashed("the live stream has ended")
        for waiting in (self._opened, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(fault)
                # Retrieved, or asyncio would warn where nobody waits.
                waiting.exception()
        self._blocks.put_nowait(None)

    def _answer(self, number: int, error: InvalidRequest | None) -> None:
        answer = self._answers.get(number)
        # Nobody waits for one whose caller was cancelled.
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)


def _as_json(settings: LiveSettings) -> dict[str, object]:
    return settings.model_dump(mode="json", exclude_unset=True)


def _decoded(sound: str) -> bytes:
    try:
        return base64.b64decode(sound, validate=True)
    except binascii.Error:
        raise InvalidMessage("has a block that is not base64") from None
