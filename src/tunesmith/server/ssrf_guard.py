"""SSRF guard: requests to URLs that callers supply go only to public addresses that were checked.

A name is resolved once, all its addresses are checked, and the connection goes to a checked address, so that a name
that changes between check and connection (DNS rebinding) gains nothing. Redirects, if followed, pass the same check.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from tunesmith.server.errors import PrivateAddressError

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Awaitable[list[str]]]

RESOLVE_SECONDS, RESOLVE_THREADS = 5.0, 8
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_INSIDE = tuple(
    ipaddress.IPv4Network(network)
    # The last one is the service address of every Azure machine.
    for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
"""Networks outside the open internet that the library counts as global, at least in part."""


class HostResolver:
    """A resolver with its own threads, so that slow name servers block nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVE_THREADS, "resolve")

    async def __call__(self, host: str) -> list[str]:
        """Return the addresses of a host. Raises OSError if it has none."""
        look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Return whether an address is on the open internet, also for IPv6 addresses that embed an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        is_routed = address in _GLOBAL_UNICAST or address in _NAT64
        # NAT64, 6to4 and Teredo would tunnel to the private IPv4 address inside.
        return is_routed and address.is_global and all(is_public(inner) for inner in _wrapped(address))
    return address.is_global and not address.is_multicast and not any(address in network for network in _INSIDE)


def _wrapped(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in inner if one is not None]


class AddressGuard:
    """A guard that decides where requests may go; ``allow_private`` allows all addresses."""

    def __init__(self, allow_private: bool = False, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or HostResolver()

    async def address_for(self, url: httpx.URL, field: str) -> str:
        """Return a checked address to connect to. Raises PrivateAddressError that names the field."""
        if url.scheme not in ("http", "https") or not url.host:
            raise PrivateAddressError(field, f"must be an http or https address, got {str(url)[:80]!r}")
        try:
            found = await asyncio.wait_for(self._resolve(url.host), RESOLVE_SECONDS)
        except (OSError, UnicodeError, TimeoutError):
            found = []
        if not found:
            raise PrivateAddressError(field, f"the host {url.host[:80]!r} cannot be found")
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
        # One private address is enough to refuse: an honest public name has none.
        if not self._allow_private and not all(is_public(one) for one in addresses):
            raise PrivateAddressError(field, f"the host {url.host[:80]!r} is not on the public internet")
        return found[0]

    async def check(self, text: str, field: str) -> None:
        """Raise PrivateAddressError unless requests may go to this URL."""
        await load_http_client()
        await self.address_for(parse_url(text, field), field)


async def load_http_client() -> None:
    """Import the HTTP client, in a thread: a server that calls nobody starts sooner, and no import stalls its loop."""
    await asyncio.to_thread(import_module, "tunesmith.server.guarded_client")


def parse_url(text: str, field: str) -> httpx.URL:
    """Parse a URL. Raises PrivateAddressError for invalid text."""
    import httpx

    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise PrivateAddressError(field, f"must be an http or https address, got {text[:80]!r}") from None
