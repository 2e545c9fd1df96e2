"""Types for URLs, hosts and origins in settings, validated on load: one that never matches would fail silently."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

EVERYTHING = "*"
NO_ORIGIN = "null"
"""The origin that browsers send for pages opened from disk."""


def _base_url(text: str) -> str:
    """Return the base URL of a server; raise ValueError if paths cannot be appended to it."""
    parts = _parts(text)
    if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise ValueError(f"must be the address of a server, such as https://music.example.org, got {text[:80]!r}")
    return text


def _origin(text: str) -> str:
    """Return a CORS origin in the form that browsers send; raise ValueError for anything else."""
    parts = _parts(text)
    named = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment)
    if not named and text not in (EVERYTHING, NO_ORIGIN):
        raise ValueError(f"must be origins such as https://app.example.org, or {EVERYTHING}, got {text[:80]!r}")
    # Origins are compared as text, and browsers send them in lower case without a final slash.
    return text.rstrip("/").lower()


def _host(text: str) -> str:
    """Return a host name or IP address in lower case; raise ValueError for anything else."""
    if text == EVERYTHING or _is_address(text):
        return text.lower()
    parts = _parts(f"http://{text}")
    if parts is None or parts.netloc != text or parts.port is not None or text.endswith(":"):
        raise ValueError(f"must be names such as music.example.org, without scheme or port, got {text[:80]!r}")
    return str(parts.hostname)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL with a host and without credentials; None for anything else."""
    try:
        parts = urlsplit(url)
        # Reading the port raises ValueError unless it is a valid number.
        fits = bool(parts.scheme and parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return None
    return parts if fits and not any(sign.isspace() for sign in url) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Origin = Annotated[str, AfterValidator(_origin)]
Host = Annotated[str, AfterValidator(_host)]
