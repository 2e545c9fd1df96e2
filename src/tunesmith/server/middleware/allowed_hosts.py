"""Listening: who can reach an address, and by which names the server may be called there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest

EVERYTHING = "*"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_proxies(settings: Settings) -> list[str]:
    """Return the proxies whose word is taken for a caller's address; raises InvalidRequest for what is no address."""
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            problem = f"must be addresses or networks such as 10.0.0.0/8, got {proxy[:80]!r}"
            raise InvalidRequest("setting trusted_proxies", problem) from None
    return list(settings.trusted_proxies)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The names that a server may be called by, and the origins of pages that may call it; ``*`` stands for all."""

    hosts: frozenset[str]
    origins: frozenset[str]
    is_local: bool

    @classmethod
    def of(cls, settings: Settings, listening: str | None) -> AllowedHosts:
        """Return those for a server that listens at an address; None where it is not known, as inside another app."""
        local = listening is not None and is_loopback(listening)
        public = settings.public_url or ""
        own = {name for name in (_name(public), (listening or "").lower()) if name}
        checks = local or bool(settings.allowed_hosts)
        hosts = own | {host.lower() for host in settings.allowed_hosts} if checks else {EVERYTHING}
        origins = {origin.rstrip("/") for origin in (*settings.cors_origins, _origin(public)) if origin}
        return cls(frozenset(hosts), frozenset(origins), local)

    def has_host(self, header: str) -> bool:
        """Tell whether a request's Host is one of ours; names of this machine always are."""
        if EVERYTHING in self.hosts:
            return True
        name = _name(f"//{header}")
        return bool(name) and (name in self.hosts or is_loopback(name))

    def has_origin(self, origin: str, host: str) -> bool:
        """Tell whether a page of an origin may have things done here."""
        if not self.is_local or EVERYTHING in self.origins or origin in self.origins:
            return True
        parts = urlsplit(origin) if _name(origin) else None
        return parts is not None and (parts.netloc.lower() == host.lower() or is_loopback(parts.hostname or ""))


def _name(url: str) -> str:
    """Return the host of a URL in small letters, empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
