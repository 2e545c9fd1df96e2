"""Search in the prompt log: each word must be a prefix of a word of the track, or a substring in unspaced scripts.

SQLite uses its full-text table, PostgreSQL its index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from tunesmith.library.schema import tracks
from tunesmith.library.tracks import words_of

# Thai, Lao, Burmese, Khmer, Japanese and Chinese, which do not separate words by spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
MAX_WORDS = 16


def matching(text: str, *, is_sqlite: bool) -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions of a search text; all must hold."""
    # The normalized words hold letters and digits only, so they are safe inside a query expression.
    words = words_of([text]).split()[:MAX_WORDS]
    anywhere = [word for word in words if _UNSPACED.search(word)]
    beginnings = [word for word in words if word not in anywhere]
    conditions: list[sa.ColumnElement[bool]] = [tracks.c.words.contains(word, autoescape=True) for word in anywhere]
    if beginnings:
        conditions.append(_sqlite(beginnings) if is_sqlite else _postgresql(beginnings))
    return conditions


def _sqlite(words: Sequence[str]) -> sa.ColumnElement[bool]:
    asked = " ".join(f'"{word}"*' for word in words)
    found = sa.text("SELECT rowid FROM track_words WHERE track_words MATCH :asked").bindparams(asked=asked)
    return tracks.c.number.in_(found.columns(sa.column("rowid", sa.Integer)).scalar_subquery())


def _postgresql(words: Sequence[str]) -> sa.ColumnElement[bool]:
    asked = " & ".join(f"'{word}':*" for word in words)
    return sa.func.to_tsvector(sa.literal_column("'simple'"), tracks.c.words).op("@@")(
        sa.func.to_tsquery(sa.literal_column("'simple'"), asked)
    )
