"""AsyncTransport: requests over httpx within asyncio."""

from __future__ import annotations

import asyncio
import contextlib

import httpx

from tunesmith.client.reply import Reply
from tunesmith.client.transport import TOO_SLOW, ApiRequest, build_request, error_text, without_userinfo
from tunesmith.errors import ServerUnreachable


class AsyncTransport:
    """Sends requests over an ``httpx.AsyncClient``."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(self, request: ApiRequest, seconds: float) -> Reply:
        """Send a request once; see Transport."""
        prepared = build_request(self._http, request, seconds)
        try:
            # httpx limits each read, but not the time of the whole reply.
            async with asyncio.timeout(seconds):
                response = await self._http.send(prepared, stream=True, follow_redirects=request.follows_redirects)
                if request.streams and response.is_success:
                    return Reply(response.status_code, response.headers, body=AsyncBody(response))
                async with contextlib.aclosing(response):
                    return Reply(response.status_code, response.headers, await response.aread())
        except httpx.HTTPError as error:
            return Reply(0, problem=error_text(error))
        except TimeoutError:
            return Reply(0, problem=f"{without_userinfo(prepared.url)}: {TOO_SLOW}")

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(seconds)


class AsyncBody:
    """The open body of a response; see ReplyBody."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._response = response
        # Created once, because httpx lets a body be iterated only once.
        self._lines, self._chunks = response.aiter_lines(), response.aiter_bytes()

    async def next_line(self) -> str | None:
        """Return the next line, or None at the end."""
        try:
            return await anext(self._lines, None)
        except httpx.HTTPError as error:
            raise ServerUnreachable(error_text(error)) from None

    async def next_chunk(self, seconds: float) -> bytes | None:
        """Return the next bytes within ``seconds``, or None at the end."""
        try:
            async with asyncio.timeout(seconds):
                return await anext(self._chunks, None)
        except httpx.HTTPError as error:
            raise ServerUnreachable(error_text(error)) from None
        except TimeoutError:
            raise ServerUnreachable(TOO_SLOW) from None

    async def aclose(self) -> None:
        """Release the connection."""
        await self._response.aclose()
