"""RemoteLive and AsyncRemoteLive: live streams of a server, which their listener steers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tunesmith.client.live import LiveFrame, LiveState, message_of, socket_errors, socket_options
from tunesmith.client.server_address import ServerAddress

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection as AsyncSocket
    from websockets.sync.client import ClientConnection as SyncSocket


class RemoteLive(LiveState):
    """A live stream: iterate over it for its blocks, and change it meanwhile, also from other threads.

    It opens with its ``with`` block, and ends with it. Iterating raises GenerationFailed and ServerUnreachable.
    """

    def __init__(self, address: ServerAddress, fields: dict[str, Any]) -> None:
        super().__init__()
        self._address = address
        self._fields = fields
        self._socket: SyncSocket | None = None

    def change(self, **settings: Any) -> None:
        """Change settings, and keep the others; None sets one back. What is refused is added to ``problems``."""
        self._send("change", settings)

    def record(self, seconds: float = 30.0, format: str = "wav") -> None:  # noqa: A002
        """Keep the last ``seconds`` as a track, which is added to ``tracks``."""
        self._send("record", {"seconds": seconds, "format": format})

    def stop(self) -> None:
        """Ask for the end: the blocks that are on their way still come."""
        self._send("stop", {})

    def close(self) -> None:
        """End the stream at once; closing twice is harmless."""
        if self._socket is not None:
            self._socket.close()

    def __iter__(self) -> Iterator[LiveFrame]:
        while self.reason is None:
            frame = self._next()
            if frame is not None:
                yield frame

    def __enter__(self) -> Self:
        """Open the stream and wait until it plays. Raises ApiError and ServerUnreachable."""
        from websockets.sync.client import connect

        with socket_errors(self._address):
            self._socket = connect(**socket_options(self._address)).__enter__()
        try:
            self._send("start", self._fields)
            while not self.started:
                self._next()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> LiveFrame | None:
        assert self._socket is not None
        with socket_errors(self._address):
            message = self._socket.recv()
        return self.take(message)

    def _send(self, kind: str, fields: dict[str, Any]) -> None:
        assert self._socket is not None
        with socket_errors(self._address):
            self._socket.send(message_of(kind, fields))


class AsyncRemoteLive(LiveState):
    """A live stream for asyncio; see RemoteLive."""

    def __init__(self, address: ServerAddress, fields: dict[str, Any]) -> None:
        super().__init__()
        self._address = address
        self._fields = fields
        self._socket: AsyncSocket | None = None

    async def change(self, **settings: Any) -> None:
        """Change settings, and keep the others; None sets one back. What is refused is added to ``problems``."""
        await self._send("change", settings)

    async def record(self, seconds: float = 30.0, format: str = "wav") -> None:  # noqa: A002
        """Keep the last ``seconds`` as a track, which is added to ``tracks``."""
        await self._send("record", {"seconds": seconds, "format": format})

    async def stop(self) -> None:
        """Ask for the end: the blocks that are on their way still come."""
        await self._send("stop", {})

    async def close(self) -> None:
        """End the stream at once; closing twice is harmless."""
        if self._socket is not None:
            await self._socket.close()

    async def __aenter__(self) -> Self:
        """Open the stream and wait until it plays. Raises ApiError and ServerUnreachable."""
        from websockets.asyncio.client import connect

        with socket_errors(self._address):
            self._socket = await connect(**socket_options(self._address)).__aenter__()
        try:
            await self._send("start", self._fields)
            while not self.started:
                await self._next()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[LiveFrame]:
        while self.reason is None:
            frame = await self._next()
            if frame is not None:
                yield frame

    async def _next(self) -> LiveFrame | None:
        assert self._socket is not None
        with socket_errors(self._address):
            message = await self._socket.recv()
        return self.take(message)

    async def _send(self, kind: str, fields: dict[str, Any]) -> None:
        assert self._socket is not None
        with socket_errors(self._address):
            await self._socket.send(message_of(kind, fields))
