"""Bodies that an attacker sends: large, deep, endless and impossible, for every route that takes a body.

None of them asks for music that can be made: prompts have no words, so that what is not refused for its kind is
refused for that.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio.lowlevel
from fastapi import FastAPI

MEGABYTE = 10**6
CHUNK_BYTES = 65_536
FORM = "multipart/form-data; boundary=x"
IN_PATHS = {"owner": "tunesmith", "name": "composer", "model": "composer"}
ASKED = '"prompt":"!!","inputs":"!!","input":"!!","text":"!!","version":"tunesmith/composer"'
ACCENTS = "a" + "\u0301\u0316" * 80_000
TEXTS = ("prompt", "inputs", "input", "text", "model", "key", "meter", "genre", "negative_prompt", "format", "model_id")
LISTS = ("instruments", "without", "tags")


@dataclass(frozen=True)
class Attack:
    """A body of a kind, with its Content-Type."""

    name: str
    body: bytes
    content_type: str = "application/json"

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes over a network."""
        for start in range(0, len(self.body), CHUNK_BYTES):
            yield self.body[start : start + CHUNK_BYTES]
            await anyio.lowlevel.checkpoint()


def routes_with_bodies(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path of every route that takes a body, the fields of the path filled in."""
    described = [
        (method, path) for path, operations in app.openapi()["paths"].items()
        for method in ("POST", "PATCH", "PUT") if method.lower() in operations
    ]  # fmt: skip
    return [
        (method, re.sub(r"\{(\w+)\}", lambda field: IN_PATHS.get(field[1], "x"), path))
        for method, path in [*described, ("POST", "/mcp")]
    ]


def attacks_on_every_route() -> Iterator[Attack]:
    """Give one of each kind."""
    yield Attack("brackets", b"[" * 100_000)
    yield Attack("lists", b'{"hits":[' + b"[[0]]," * (MEGABYTE // 6 - 10) + b"0]}")
    yield Attack("accents", f'{{"prompt":"{ACCENTS}","inputs":"{ACCENTS}"}}'.encode())
    yield Attack("half a pair", with_text("genre", '"\\ud800"'))
    yield Attack("many digits", b'{"seed":' + b"9" * 900_000 + b"}")
    yield Attack("a codec", part("prompt", b"!!\\ud800" + b"-abc" * 50_000) + END, f"{FORM}; charset=punycode")
    yield Attack("no UTF-8", b'{"prompt":"\xed\xa0\x80"}')


def attacks_on_dialects() -> Iterator[Attack]:
    """Give what is tried on one route of each dialect."""
    for name, piece in {"zeros": b"0,", "objects": b'{"a":[]},', "texts": b'"",', "floats": b"1e9,"}.items():
        yield Attack(f"a megabyte of {name}", b"[" + piece * (MEGABYTE // len(piece) - 1) + b"0]")
    yield Attack("nested objects", b'{"a":' * 100_000)
    yield Attack("closed brackets", b'{"prompt":' + b"[" * 900 + b"]" * 900 + b"}")
    yield Attack("many names", json.dumps({str(number): 0 for number in range(70_000)}).encode())
    yield Attack("escapes", b'{"prompt":"' + b"\\u0041" * 160_000 + b'"}')
    yield Attack("no numbers", with_text("seed", "NaN") + with_text("duration", "1e999"))
    yield Attack("no number", with_text("music_length_ms", "Infinity"))
    yield Attack("a long duration", with_text("duration", '"' + "9" * 400 + ':00"'))
    yield Attack("NUL alone", b"\0" * 1000)
    yield Attack("UTF-16", '{"prompt":"!!"}'.encode("utf-16"))
    yield Attack("accents in an input", f'{{"version":"tunesmith/composer","input":{{"prompt":"{ACCENTS}"}}}}'.encode())
    for field in TEXTS:
        for text in ('"\\ud800"', '"a\\u0000"', f'"{"x" * 17_000}"'):
            yield Attack(f"{text[:9]} in {field}", with_text(field, text))
    yield Attack("a megabyte in genre", with_text("genre", f'"{"x" * 900_000}"'))
    for field in LISTS:
        for text in ('["\\ud800"]', '["a", "\\u0000"]', f'["{"x" * 17_000}"]', json.dumps(["x"] * 9_000)):
            yield Attack(f"{text[:9]} in {field}", with_text(field, text))
    yield Attack("a form of hits", part("hits", b"1," * 400_000) + END, FORM)
    yield Attack("a form of parts", b"".join(part("hits", b"1") for _ in range(10_000)) + END, FORM)
    yield Attack("a form of accents", part("prompt", ACCENTS.encode()) + part("inputs", ACCENTS.encode()) + END, FORM)
    for charset in ("unicode_escape", "undefined", "idna"):
        yield Attack(
            f"a form in {charset}",
            part("inputs", b"!!\\ud800") + part("format", b"odd") + END,
            f"{FORM}; charset={charset}",
        )
    yield Attack("pairs", b"inputs=" + b"&a=" * 300_000, "application/x-www-form-urlencoded")
    yield Attack("a form without a boundary", b"!!", "multipart/form-data")


def attacks_with_recordings(size: int) -> Iterator[Attack]:
    """Give bodies of so many bytes, which only routes with recordings read to their end."""
    yield Attack("zeros", b'{"prompt":"!!","hits":[' + b"0," * (size // 2) + b"0]}")
    yield Attack("quotes", b'{"prompt":"!!","hits":[' + b'"",' * (size // 3) + b'""]}')
    yield Attack("spaces", b'{"prompt":"!!"' + b" " * size + b"}")
    for name, start, piece in (
        ("base64", b"", b"AAAA"), ("a data URI", b"data:audio/wav;base64,", b"AAAA"),
        ("an escaped URI", b"data:audio/wav,", b"%41"), ("spaces", b"data:audio/wav;base64,", b" "),
        ("escapes", b"", b"\\u0041"), ("slashes", b"", b"AAA\\/"), ("backslashes", b"", b"\\\\"),
        ("accents", b"", "\u0301\u0316".encode()), ("an address", b"http://example.org/", b"a"),
    ):  # fmt: skip
        text = start + piece * (size // len(piece))
        rest = b'"version":"tunesmith/composer","input":{"prompt":"calm","input_audio":"%s"}' % text
        yield Attack(f"a recording of {name}", b'{"prompt":"calm","audio":"%s",%s}' % (text, rest))
        yield Attack(f"a prompt of {name}", b'{"prompt":"%s"}' % text)


END = b"--x--\r\n"


def with_text(field: str, value: str) -> bytes:
    """Return JSON with the value in a field and, for Replicate, in its input, beside what each route needs."""
    return f'{{{ASKED},"{field}":{value},"input":{{"prompt":"!!","{field}":{value}}}}}'.encode()


def part(name: str, value: bytes) -> bytes:
    """Return a part of a form."""
    return b'--x\r\ncontent-disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
