"""Paths: whose dialect a path belongs to, and what of a path may be written down."""

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
"""Whose a path is by how it begins; the first that fits. ``models`` are those that OpenAI and Replicate share."""

PATHS_OF_RECORDINGS = re.compile(
    r"(?:/api/(?:generate|jobs)|/v1/(?:files|predictions)|/v1/(?:models|deployments)/.+/predictions)/?"
)
"""The paths whose bodies may hold a recording: in base64, as a data URI, or as a file of a form."""

SHOWN_CHARACTERS = 200
_SIGNED = re.compile(r"^(/v1/(?:outputs|streams)/[^/]+/)[^/]+")


def dialect_of(path: str) -> str:
    """Return whose dialect a path belongs to."""
    return next((dialect for start, dialect in API_BY_PREFIX.items() if path.startswith(start)), "huggingface")


def may_hold_recording(path: str) -> bool:
    """Tell whether the body of a request to a path may hold a recording, and so be large."""
    return PATHS_OF_RECORDINGS.fullmatch(path) is not None


def redact_path(path: str) -> str:
    """Return a path without the signatures that stand for a token, and not longer than a line."""
    return _SIGNED.sub(r"\1…", path)[:SHOWN_CHARACTERS]
