"""Reading: a prompt and flags in, a brief out."""

from tunesmith.composer.reading.reader import read_brief

__all__ = ["read_brief"]
