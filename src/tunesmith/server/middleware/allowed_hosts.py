"""Allowed hosts and origins: by which names the server may be called, and from which web pages."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest

EVERYTHING = "*"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_proxies(settings: Settings) -> list[str]:
    """Return the proxies trusted to state a caller's address. Raises InvalidRequest for an invalid address."""
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            problem = f"must be addresses or networks such as 10.0.0.0/8, got {proxy[:80]!r}"
            raise InvalidRequest("setting trusted_proxies", problem) from None
    return list(settings.trusted_proxies)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The host names of a server, and the origins of pages that may call it; ``*`` allows all."""

    hosts: frozenset[str]
    origins: frozenset[str]
    is_local: bool

    @classmethod
    def of(cls, settings: Settings, listening: str | None) -> AllowedHosts:
        """Return the names for a listening address; None if it is unknown, as inside another app."""
        local = listening is not None and is_loopback(listening)
        public = settings.public_url or ""
        own = {name for name in (_name(public), (listening or "").lower()) if name}
        # A public server is called by any name; only a local one is worth a DNS rebinding attack.
        checks = local or bool(settings.allowed_hosts)
        hosts = own | {host.lower() for host in settings.allowed_hosts} if checks else {EVERYTHING}
        origins = {origin.rstrip("/") for origin in (*settings.cors_origins, _origin(public)) if origin}
        return cls(frozenset(hosts), frozenset(origins), local)

    def has_host(self, header: str) -> bool:
        """Return whether a Host header is allowed; names of this machine always are."""
        if EVERYTHING in self.hosts:
            return True
        name = _name(f"//{header}")
        return bool(name) and (name in self.hosts or is_loopback(name))

    def has_origin(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may change things here."""
        # A server that is not local relies on tokens, which a foreign page does not have.
        if not self.is_local or EVERYTHING in self.origins or origin in self.origins:
            return True
        parts = urlsplit(origin) if _name(origin) else None
        return parts is not None and (parts.netloc.lower() == host.lower() or is_loopback(parts.hostname or ""))


def _name(url: str) -> str:
    """Return the host of a URL in lower case, empty if there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
