"""How many times a second the server tells where a job is."""

from __future__ import annotations

import socket
import time

from server_parts.connection import request_bytes
from server_parts.jobs import job_path, submit
from server_parts.running_server import RunningServer

CONNECTIONS, JOBS, SECONDS = 8, 40, 6.0


def read_answer(connection: socket.socket) -> bytes:
    """Read one answer that says its length."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _received(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _received(connection)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{head!r} {body[:200]!r}")
    return body


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise SystemExit("the server hung up")
    return piece


def measure(server: RunningServer) -> dict[str, float]:
    """Return the requests a second over a few keep-alive connections, for jobs that are being made."""
    requests = [request_bytes("GET", job_path(submit(server, "30"))) for _ in range(JOBS)]
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CONNECTIONS)]
    computed, began, asked = server.processor_seconds(), time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        for connection in connections:
            connection.sendall(requests[asked % JOBS])
            asked += 1
        for connection in connections:
            read_answer(connection)
    took = time.perf_counter() - began
    for connection in connections:
        connection.close()
    computed = server.processor_seconds() - computed
    print(
        f"status: {asked} requests for {JOBS} jobs in {took:.1f} s, {computed / asked * 1e3:.2f} ms of computing each"
    )
    return {"status_requests_per_s": asked / took}
