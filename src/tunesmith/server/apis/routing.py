"""Paths: the API that a path belongs to, and the part of a path that may be logged."""

from __future__ import annotations

import re
from collections.abc import Mapping

API_BY_PREFIX: Mapping[str, str] = {
    "/v1/music": "elevenlabs",
    "/v1/sound-generation": "elevenlabs",
    "/v1/audio": "openai",
    "/v1/models": "models",
    "/v1/": "replicate",
    "/mcp": "mcp",
    "/api/": "api",
    "/health": "health",
    "/metrics": "metrics",
    "/docs": "docs",
    "/openapi.json": "docs",
    "/": "huggingface",
}
"""The API by prefix of the path; the first match counts. ``models`` is shared by OpenAI and Replicate."""

PATHS_OF_RECORDINGS = re.compile(
    r"(?:/api/(?:generate|jobs|edits|explain)|/v1/(?:files|predictions)|/v1/(?:models|deployments)/.+/predictions)/?"
)
"""The paths whose bodies may hold a recording: as base64, a data URI or a form file."""

SHOWN_CHARACTERS = 200
_SIGNED = re.compile(r"^(/v1/(?:outputs|streams)/[^/]+/)[^/]+")


def dialect_of(path: str) -> str:
    """Return the name of the API that a path belongs to."""
    return next((dialect for start, dialect in API_BY_PREFIX.items() if path.startswith(start)), "huggingface")


def may_hold_recording(path: str) -> bool:
    """Return whether the body of a request to a path may hold a recording, and so be large."""
    return PATHS_OF_RECORDINGS.fullmatch(path) is not None


def redact_path(path: str) -> str:
    """Return a path for the log: cut to one line, and without signatures, which grant access like a token."""
    return _SIGNED.sub(r"\1…", path)[:SHOWN_CHARACTERS]
