"""AsyncTunesmith, the client for asyncio, and Tunesmith, its synchronous facade."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from tunesmith.client.api_client import ApiClient
from tunesmith.client.async_transport import AsyncTransport
from tunesmith.client.live_streams import AsyncRemoteLive, RemoteLive
from tunesmith.client.server_address import ServerAddress, blame_environment
from tunesmith.client.sync_transport import SyncTransport, iterate_blocking, run_blocking

DEADLINE_SECONDS = 120.0
"""How long a call may take with all its retries: enough for a model's cold start."""

P = ParamSpec("P")
T = TypeVar("T")


class AsyncTunesmith(ApiClient):
    """The client for asyncio: Tunesmith with coroutines for calls. Cancelling the task of a call cancels its job."""

    def __init__(
        self, base_url: str | None = None, token: str | None = None, *, deadline: float = DEADLINE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._address = ServerAddress.checked(base_url, token)
        self.base_url = self._address.url
        # httpx reads proxies and certificates from the environment when it creates a client.
        with blame_environment():
            self._http = httpx.AsyncClient(**self._address.httpx_options(), transport=transport)
        super().__init__(AsyncTransport(self._http), deadline)

    def __repr__(self) -> str:
        """Return the class and the address, without the token or a password."""
        return f"{type(self).__name__}({str(self._address)!r})"

    def live(self, /, prompt: str, **fields: Any) -> AsyncRemoteLive:
        """Return a live stream, to be opened by ``async with``; see Tunesmith.live."""
        return AsyncRemoteLive(self._address, {"prompt": prompt, **fields})

    async def close(self) -> None:
        """Close the connection pool."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _blocking(
    method: Callable[Concatenate[ApiClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Tunesmith, P], T]:
    """Return the method of Tunesmith that runs a coroutine method to its end."""

    @functools.wraps(method)
    def call(client: Tunesmith, /, *arguments: P.args, **options: P.kwargs) -> T:
        return run_blocking(method(client._api, *arguments, **options))

    return call


def _iterating(
    method: Callable[Concatenate[ApiClient, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[Tunesmith, P], Generator[T, None, None]]:
    """Return the method of Tunesmith that yields what an asynchronous generator method yields."""

    @functools.wraps(method)
    def call(client: Tunesmith, /, *arguments: P.args, **options: P.kwargs) -> Generator[T, None, None]:
        return iterate_blocking(method(client._api, *arguments, **options))

    return call


class Tunesmith:
    """A client whose calls block until they are done. Threads may share it; close it, or use it in a ``with``.

    ``base_url`` and ``token`` default to TUNESMITH_URL and TUNESMITH_TOKEN. A call may take ``deadline`` seconds, its
    retries included. Transient failures are retried, when the server says so or with exponential back-off. Raises
    InvalidRequest for a malformed address or token.
    """

    def __init__(
        self, base_url: str | None = None, token: str | None = None, *, deadline: float = DEADLINE_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._address = ServerAddress.checked(base_url, token)
        self.base_url = self._address.url
        with blame_environment():
            self._http = httpx.Client(**self._address.httpx_options(), transport=transport)
        self._api = ApiClient(SyncTransport(self._http), deadline)

    def __repr__(self) -> str:
        """Return the class and the address, without the token or a password."""
        return f"{type(self).__name__}({str(self._address)!r})"

    # Listed by name, so that type checkers and editors know every call with its arguments.
    generate = _blocking(ApiClient.generate)
    stream = _iterating(ApiClient.stream)
    submit = _blocking(ApiClient.submit)
    job = _blocking(ApiClient.job)
    jobs = _blocking(ApiClient.jobs)
    wait = _blocking(ApiClient.wait)
    follow = _iterating(ApiClient.follow)
    audio = _blocking(ApiClient.audio)
    download = _blocking(ApiClient.download)
    cancel = _blocking(ApiClient.cancel)
    tracks = _blocking(ApiClient.tracks)
    each_track = _iterating(ApiClient.each_track)
    track = _blocking(ApiClient.track)
    track_audio = _blocking(ApiClient.track_audio)
    score = _blocking(ApiClient.score)
    track_score = _blocking(ApiClient.track_score)
    track_peaks = _blocking(ApiClient.track_peaks)
    track_midi = _blocking(ApiClient.track_midi)
    track_stems = _blocking(ApiClient.track_stems)
    track_layers = _blocking(ApiClient.track_layers)
    mark = _blocking(ApiClient.mark)
    again = _blocking(ApiClient.again)
    understand = _blocking(ApiClient.understand)
    tree = _blocking(ApiClient.tree)
    vary = _blocking(ApiClient.vary)
    edit_score = _blocking(ApiClient.edit_score)
    forget = _blocking(ApiClient.forget)
    models = _blocking(ApiClient.models)
    pull = _iterating(ApiClient.pull)
    explain = _blocking(ApiClient.explain)
    loaded = _blocking(ApiClient.loaded)
    version = _blocking(ApiClient.version)

    def live(self, /, prompt: str, **fields: Any) -> RemoteLive:
        """Return a live stream, which plays without end once it is opened by ``with``.

        ``fields`` are ``second_prompt``, ``blend``, ``notes``, ``drums``, ``temperature``, ``model``, ``seed``,
        ``encoding``, ``ahead`` and ``duration``; see docs/live.md.
        """
        return RemoteLive(self._address, {"prompt": prompt, **fields})

    def close(self) -> None:
        """Close the connection pool."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
