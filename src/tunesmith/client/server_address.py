"""ServerAddress: where a client's server is, and how httpx reaches it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tunesmith.client.transport import without_userinfo
from tunesmith.errors import InvalidRequest

DEFAULT_URL = "http://127.0.0.1:8765"
URL_VARIABLE, TOKEN_VARIABLE = "TUNESMITH_URL", "TUNESMITH_TOKEN"
MAX_PORT = 65_535
ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "ssl_cert_file", "ssl_cert_dir")
"""The environment variables that httpx reads."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The checked address of a server, and the token to send there."""

    url: str
    token: str | None

    @classmethod
    def checked(cls, base_url: str | None, token: str | None) -> ServerAddress:
        """Return the checked address and token, from the environment if None; raises InvalidRequest."""
        url = base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        return cls(_checked_url(url), _checked_token(token or os.environ.get(TOKEN_VARIABLE)))

    def __str__(self) -> str:
        """Return the address without a password."""
        return without_userinfo(httpx.URL(self.url))

    @property
    def host(self) -> str:
        """The host of the server."""
        return httpx.URL(self.url).host

    def httpx_options(self) -> dict[str, Any]:
        """Return the arguments for a client of httpx."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        host = httpx.URL(self.url).host
        # httpx wants an IPv6 address in brackets.
        pattern = f"all://[{host}]" if ":" in host else f"all://{host}"
        # No proxy for a loopback address: to the proxy it would mean the proxy's own machine.
        direct: dict[str, Any] = {pattern: None} if is_loopback(host) else {}
        return {"base_url": self.url, "headers": headers, "mounts": direct}


def _checked_url(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as problem:
        raise InvalidRequest("base_url", f"{problem}, got {base_url!r:.200}") from None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 1) > MAX_PORT:
        raise InvalidRequest("base_url", f"must be a URL such as {DEFAULT_URL}, got {base_url!r:.200}")
    if url.query or url.fragment:
        raise InvalidRequest("base_url", f"must have no query or fragment, got {without_userinfo(url)!r:.200}")
    return base_url.rstrip("/")


def _checked_token(token: str | None) -> str | None:
    # httpx would reject it, too, but quote the secret in the error.
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise InvalidRequest("token", "must be printable characters without spaces")
    return token


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def blame_environment() -> Iterator[None]:
    """Raise InvalidRequest for environment variables if httpx cannot create a client: the rest is checked."""
    try:
        yield
    except (ValueError, ImportError, OSError) as problem:
        found = sorted(name for name in os.environ if name.lower() in ENVIRONMENT)
        raise InvalidRequest(" or ".join(found) or "environment", str(problem)) from None
