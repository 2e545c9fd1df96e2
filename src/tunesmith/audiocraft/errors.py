"""Errors of the AudioCraft API: one clear line each, and also of the built-in class that AudioCraft raises there."""

from __future__ import annotations

from tunesmith.errors import InvalidRequest


class ArgumentError(InvalidRequest, ValueError, AssertionError, code="InvalidRequest"):
    """An argument has a wrong type, shape or value.

    AudioCraft raises ValueError for some of these and AssertionError for others, so this is both.
    """


class UnsupportedUse(InvalidRequest, RuntimeError, code="InvalidRequest"):
    """The model or the format does not support what was asked for; AudioCraft raises RuntimeError."""
