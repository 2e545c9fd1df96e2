"""The prompt log in the database of the settings, opened for one use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tunesmith.config import Settings

if TYPE_CHECKING:
    from tunesmith.library.tracks import Tracks


@contextmanager
def prompt_log(settings: Settings) -> Iterator[Tracks]:
    """Yield the prompt log; raises DatabaseError if it cannot be opened."""
    # Not at the top: the database takes longer to load than a short piece to write.
    from tunesmith.library.migrate import open_database
    from tunesmith.library.tracks import Tracks

    database = open_database(settings)
    try:
        yield Tracks(database)
    finally:
        database.close()
