"""Bodies that are large, deep, or hold what no text may hold, to every route that reads one."""

from __future__ import annotations

from collections import Counter

from hostile_parts.requests import BODY_ROUTES, PROMPT_FIELDS, count, post, send
from server_parts.running_server import RunningServer

MEGABYTE = 10**6
TEXT_FIELDS = ("genre", "key", "meter", "negative_prompt")
LIST_FIELDS = ("instruments", "without")


def long_fields(server: RunningServer) -> Counter[str]:
    """Two jobs with a genre of 17 MB, which once stopped the composer for everybody."""
    body = {"prompt": "calm piano", "duration": 1, "genre": "x" * (17 * MEGABYTE)}
    return count(post(server.port, "/api/jobs", body) for _ in range(2))


def combining_accents(server: RunningServer) -> Counter[str]:
    """A prompt of 160 KB of combining accents, which takes seconds to normalise."""
    accents = "a" + "\u0301\u0323" * 40_000
    return count(post(server.port, path, {field: accents}) for path, field in PROMPT_FIELDS.items())


def long_lists(server: RunningServer) -> Counter[str]:
    """100 MB of ``[0,0,…]``, which takes seconds to parse."""
    body = b"[" + b"0," * (50 * MEGABYTE) + b"0]"
    return count(post(server.port, path, body) for path in BODY_ROUTES)


def large_values(server: RunningServer) -> Counter[str]:
    """20 MB of a key, a million instruments, 200,000 hits: once accepted and kept for good."""
    values = {"key": "C" * (20 * MEGABYTE), "instruments": ["piano"] * MEGABYTE, "hits": [{"time": 1}] * 200_000}
    bodies = [{"prompt": "calm piano", "duration": 1, name: value} for name, value in values.items()]
    return count(post(server.port, "/api/jobs", body) for body in bodies)


def deep_nesting(server: RunningServer) -> Counter[str]:
    """A hundred thousand brackets."""
    return count(post(server.port, path, b"[" * 100_000) for path in BODY_ROUTES)


def surrogates(server: RunningServer) -> Counter[str]:
    """Half a surrogate pair in every text field; afterwards the list of jobs must still be readable."""
    values: list[tuple[str, object]] = [(name, "\ud800") for name in TEXT_FIELDS]
    values += [(name, ["\ud800"]) for name in LIST_FIELDS]
    bodies = [{"prompt": "calm piano", "duration": 1, name: value} for name, value in values]
    statuses = [post(server.port, "/api/jobs", body) for body in bodies]
    statuses += [post(server.port, path, {field: "\ud800 piano"}) for path, field in PROMPT_FIELDS.items()]
    listed, _ = send(server.port, "GET", "/api/jobs")
    if listed != 200:
        raise SystemExit(f"GET /api/jobs answers {listed} after jobs with surrogates")
    return count(statuses)


def odd_numbers(server: RunningServer) -> Counter[str]:
    """Numbers of 400 digits, beyond all floats, not finite; keep_alive far below zero."""
    digits = "9" * 400
    bodies = [
        f'{{"prompt": "calm piano", "duration": "1:{digits}"}}', f'{{"prompt": "calm piano", "duration": {digits}}}',
        '{"prompt": "calm piano", "duration": NaN}', '{"prompt": "calm piano", "duration": 1e999}',
        '{"prompt": "calm piano", "duration": 1, "keep_alive": -1e308}',
        f'{{"prompt": "calm piano", "duration": 1, "seed": {digits}}}',
    ]  # fmt: skip
    return count(post(server.port, "/api/jobs", body.encode()) for body in bodies)


def odd_names(server: RunningServer) -> Counter[str]:
    """NUL in a query, and names of models that lead out of the store."""
    paths = ("/api/tracks?tag=%00", "/api/tracks?search=%00", "/api/jobs/%00", "/v1/predictions/%ED%A0%80")
    statuses = [send(server.port, "GET", path)[0] for path in paths]
    names = ("../x", "a/../../b", "C:\\x", "x\0y", "x" * 100_000)
    statuses += [post(server.port, "/api/models/pull", {"name": name}) for name in names]
    return count(statuses)
