"""Paths: whose they are, and what is written down of them."""

from __future__ import annotations

import pytest

from tunesmith.server.apis.routing import SHOWN_CHARACTERS, dialect_of, redact_path


@pytest.mark.parametrize(("path", "dialect"), [
    ("/models/facebook/musicgen-small", "huggingface"), ("/", "huggingface"), ("/nothing", "huggingface"),
    ("", "huggingface"), ("/v1/predictions/x", "replicate"), ("/v1/models/a/b", "models"),
    ("/v1/music/stream", "elevenlabs"), ("/v1/audio/speech", "openai"), ("/mcp", "mcp"), ("/api/jobs", "api"),
    ("/health/ready", "health"), ("/metrics", "metrics"), ("/docs", "docs"),
])  # fmt: skip
def test_a_path_belongs_to_the_dialect_it_begins_as(path: str, dialect: str) -> None:
    assert dialect_of(path) == dialect


def test_signatures_are_not_shown_and_nothing_is_longer_than_a_line() -> None:
    assert redact_path("/v1/outputs/01job/s3cret/out.wav") == "/v1/outputs/01job/…/out.wav"
    assert redact_path("/v1/streams/01job/s3cret") == "/v1/streams/01job/…"
    assert redact_path("/v1/predictions/01job/cancel") == "/v1/predictions/01job/cancel"
    assert len(redact_path("/" + "a" * 5000)) == SHOWN_CHARACTERS
