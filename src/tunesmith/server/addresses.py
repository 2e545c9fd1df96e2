"""Addresses: which clients count as one, because they share an address or a household's network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

NETWORK_BITS = 64
"""The prefix of an IPv6 address that identifies a client: a household has the rest to itself."""

UNKNOWN = "unknown"
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_group(host: str) -> str:
    """Return an IPv4 address unchanged and an IPv6 address as its network; ``unknown`` for anything else."""
    address = _parsed(host)
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((address, NETWORK_BITS), strict=False))


def is_local_or_in(host: str, networks: Iterable[IpNetwork]) -> bool:
    """Return whether an address is loopback or in one of the networks."""
    address = _parsed(host)
    return address is not None and (address.is_loopback or any(address in network for network in networks))


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # A zone such as %eth0 is not part of the address.
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # The same client must not count twice, as IPv4 and as IPv4 mapped into IPv6.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
