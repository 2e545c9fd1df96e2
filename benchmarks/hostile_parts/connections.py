"""Connections that never finish what they began."""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter

from server_parts.running_server import RunningServer

CONNECTIONS = 500
OPEN_SECONDS = 60.0
"""How long the server has to let all of them go."""

HALF_HEADERS = b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_BODY = b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"


def half_headers(server: RunningServer) -> Counter[str]:
    """Connections that never end their headers."""
    return _hold(server.port, HALF_HEADERS)


def half_bodies(server: RunningServer) -> Counter[str]:
    """Connections that never end their body."""
    return _hold(server.port, HALF_BODY)


def silence(server: RunningServer) -> Counter[str]:
    """Connections that send nothing."""
    return _hold(server.port, b"")


def _hold(port: int, beginning: bytes) -> Counter[str]:
    """Open the connections, send a beginning on each, and count how many are let go in time."""
    held = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(CONNECTIONS)]
    for one in held:
        with contextlib.suppress(OSError):
            one.sendall(beginning)
    deadline, let_go = time.monotonic() + OPEN_SECONDS, 0
    for one in held:
        one.settimeout(max(0.01, deadline - time.monotonic()))
        let_go += _ends(one)
        one.close()
    return Counter({"let go": let_go, "held": len(held) - let_go})


def _ends(connection: socket.socket) -> bool:
    """Read until the server closes the connection; False where it does not in time."""
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
