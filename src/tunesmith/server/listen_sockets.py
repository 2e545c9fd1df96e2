"""Listening sockets: the address is bound before anything else starts, with a one-line error if it cannot be."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Mapping

from tunesmith.errors import InvalidRequest

BACKLOG = 2048
PROBLEMS: Mapping[int, tuple[str, str]] = {
    errno.EADDRINUSE: (
        "port", "{port} at {host} is in use by another program; stop it, or choose another port with --port (0 for any)"
    ),
    errno.EACCES: ("port", "{port} is not permitted for this user; choose one above 1023"),
    errno.EADDRNOTAVAIL: ("host", "{host} is not an address of this machine"),
}  # fmt: skip
"""The option at fault and the problem, by the system's error number."""


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of the host. Raises InvalidRequest that names the option.

    With port 0, the first socket takes any free port, and the others the same one.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            port = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (address, port)))
    except OSError as error:
        for one in sockets:
            one.close()
        raise _bind_error(error, host, port) from None
    return sockets


def urls_of(sockets: Iterable[socket.socket]) -> list[str]:
    """Return the URLs that the sockets serve."""
    names = (one.getsockname()[:2] for one in sockets)
    return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}" for host, port in names]


def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    """Resolve the host; IPv6 addresses only if this machine supports IPv6, as a name may have both."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise InvalidRequest("host", f"{host[:80]!r} is neither an address nor a host name") from None
    addresses = list(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))
    spoken = [one for one in addresses if one[0] != socket.AF_INET6 or _speaks_ipv6()]
    # IPv4 sorts first.
    return sorted(spoken or addresses)


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


def _bound(family: int, address: tuple[str, int]) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only on sockets that say they are TCP: otherwise
    # every response on a kept connection waits 40 ms for the peer's delayed acknowledgement.
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows the option would let two programs share one port.
        if os.name == "posix":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Otherwise an IPv6 socket would also take the IPv4 port, which has a socket of its own.
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one


def _bind_error(error: OSError, host: str, port: int) -> InvalidRequest:
    option, problem = PROBLEMS.get(error.errno or 0, ("host", f"cannot listen on {{host}}: {error.strerror}"))
    return InvalidRequest(option, problem.format(host=host, port=port))
