"""Prompt parsing: a prompt and flags in, a brief out."""

from tunesmith.composer.prompt.reader import read_brief

__all__ = ["read_brief"]
