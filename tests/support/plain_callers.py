"""What people call an API with where it has no client: requests, urllib and curl, all told the same way."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import requests

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Call:
    """A POST. A header that is None is not sent, not even by those who send it of themselves."""

    url: str
    body: bytes
    headers: Mapping[str, str | None]
    timeout: float = PATIENCE_SECONDS


@dataclass(frozen=True)
class Answer:
    """What came back; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GaveUp(Exception):
    """The caller's own time was up."""


def by_requests(call: Call) -> Answer:
    """Post as requests does, which adds no Content-Type to bytes."""
    headers = {name: value for name, value in call.headers.items() if value is not None}
    try:
        with requests.post(call.url, data=call.body, headers=headers, timeout=call.timeout) as answer:
            return Answer(answer.status_code, lowered(answer.headers), answer.content)
    except requests.Timeout:
        raise GaveUp from None


def by_urllib(call: Call) -> Answer:
    """Post as urllib does, which says that whatever it sends is a form unless it is told otherwise."""
    request = Request(call.url, call.body, {name: value for name, value in call.headers.items() if value is not None})
    try:
        with urlopen(request, timeout=call.timeout) as answer:
            return Answer(answer.status, lowered(answer.headers), answer.read())
    except HTTPError as error:
        with error:
            return Answer(error.code, lowered(dict(error.headers)), error.read())
    except TimeoutError:
        raise GaveUp from None


def by_curl(call: Call) -> Answer:
    """Post as curl does, which says the same as urllib; here, what it is told not to say it does not."""
    said = [f"{name}:" if value is None else f"{name}: {value}" for name, value in call.headers.items()]
    options = [part for header in said for part in ("--header", header)]
    command = ["curl", "--silent", "--include", "--data-binary", "@-", "--max-time", str(call.timeout), *options]
    ran = subprocess.run([*command, call.url], input=call.body, capture_output=True, check=False)
    if ran.returncode == 28:
        raise GaveUp
    assert ran.returncode == 0, ran.stderr
    head, body = ran.stdout.split(b"\r\n\r\n", 1)
    while head.startswith(b"HTTP/1.1 100"):  # curl asks whether a long body is wanted, and it is
        head, body = body.split(b"\r\n\r\n", 1)
    status, *lines = head.decode().split("\r\n")
    return Answer(int(status.split()[1]), lowered(dict(line.split(": ", 1) for line in lines)), body)


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


Caller = Callable[[Call], Answer]
no_curl = not shutil.which("curl") and "CI" not in os.environ
every_caller = pytest.mark.parametrize("caller", [
    by_requests, by_urllib, pytest.param(by_curl, marks=pytest.mark.skipif(no_curl, reason="there is no curl")),
], ids=["requests", "urllib", "curl"])  # fmt: skip
