"""Tunesmith and AsyncTunesmith: the same client, waiting or for asyncio."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from tunesmith.client.api import Api
from tunesmith.client.sync_async import AsyncMethod, SyncMethod
from tunesmith.client.transport import shown
from tunesmith.errors import InvalidRequest

DEFAULT_URL = "http://127.0.0.1:8765"
DEADLINE_SECONDS = 120.0
"""How long a call may take in all, with every retry: enough for a model's cold start."""

MAX_PORT = 65_535
ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "ssl_cert_file", "ssl_cert_dir")
"""Variables that httpx goes by."""

URL_VARIABLE, TOKEN_VARIABLE = "TUNESMITH_URL", "TUNESMITH_TOKEN"


class _Client(Api):
    def __init__(self, base_url: str | None, token: str | None, deadline: float) -> None:
        self.base_url = _checked(base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self._token = _checked_token(token or os.environ.get(TOKEN_VARIABLE))
        self._deadline_seconds = deadline

    def __repr__(self) -> str:
        """Leave the token out, and a password of the address."""
        return f"{type(self).__name__}({shown(httpx.URL(self.base_url))!r})"

    def _options(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        host = httpx.URL(self.base_url).host
        pattern = f"all://[{host}]" if ":" in host else f"all://{host}"
        direct: dict[str, Any] = {pattern: None} if _is_here(host) else {}  # a proxy's loopback is not ours
        return {"base_url": self.base_url, "headers": headers, "mounts": direct}


def _checked(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as problem:
        raise InvalidRequest("base_url", f"{problem}, got {base_url!r:.200}") from None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 1) > MAX_PORT:
        raise InvalidRequest("base_url", f"must be an address such as {DEFAULT_URL}, got {base_url!r:.200}")
    if url.query or url.fragment:
        raise InvalidRequest("base_url", f"must end where its path does, got {shown(url)!r:.200}")
    return base_url.rstrip("/")


def _checked_token(token: str | None) -> str | None:
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):  # httpx would refuse it too, and quote it in the error
        raise InvalidRequest("token", "must be printable characters without spaces")
    return token


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _in_this_environment() -> Iterator[None]:
    """Say what is to blame where a client cannot be made: what else it is made of has been checked."""
    try:
        yield
    except (ValueError, ImportError, OSError) as problem:
        found = sorted(name for name in os.environ if name.lower() in ENVIRONMENT)
        raise InvalidRequest(" or ".join(found) or "environment", str(problem)) from None


class Tunesmith(SyncMethod, _Client):
    """A client whose calls return when they are done. Threads may share it; close it, or use it in a ``with``.

    ``base_url`` and ``token`` come from TUNESMITH_URL and TUNESMITH_TOKEN where left out. A call may take ``deadline``
    seconds in all: what may pass by itself is tried again, when the server says or after growing pauses.
    """

    def __init__(
        self, base_url: str | None = None, token: str | None = None, *, deadline: float = DEADLINE_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        super().__init__(base_url, token, deadline)
        with _in_this_environment():
            self._http = httpx.Client(**self._options(), transport=transport)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTunesmith(AsyncMethod, _Client):
    """What Tunesmith is, with calls to be awaited within asyncio; a task that is cancelled cancels its job."""

    def __init__(
        self, base_url: str | None = None, token: str | None = None, *, deadline: float = DEADLINE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        super().__init__(base_url, token, deadline)
        with _in_this_environment():
            self._http = httpx.AsyncClient(**self._options(), transport=transport)

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
