"""The databases of the tests here."""

from __future__ import annotations

from databases import clock, database, databases, postgresql

__all__ = ["clock", "database", "databases", "postgresql"]
