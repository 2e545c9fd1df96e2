"""Create the prompt log with full-text search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

ID, NAME = sa.String(64), sa.String(256)

# The full-text table stores no text of its own, so triggers must repeat every change of ``words``.
FULL_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE track_words USING fts5(words, content='tracks', content_rowid='number', prefix='2 3')",
        (
            "CREATE TRIGGER track_added AFTER INSERT ON tracks BEGIN"
            " INSERT INTO track_words(rowid, words) VALUES (new.number, new.words); END"
        ),
        (
            "CREATE TRIGGER track_removed AFTER DELETE ON tracks BEGIN"
            " INSERT INTO track_words(track_words, rowid, words) VALUES ('delete', old.number, old.words); END"
        ),
        (
            "CREATE TRIGGER track_changed AFTER UPDATE OF words ON tracks BEGIN"
            " INSERT INTO track_words(track_words, rowid, words) VALUES ('delete', old.number, old.words);"
            " INSERT INTO track_words(rowid, words) VALUES (new.number, new.words); END"
        ),
    ),
    "postgresql": ("CREATE INDEX tracks_by_words ON tracks USING gin (to_tsvector('simple', words))",),
}


def upgrade() -> None:
    """Create the table, its indices and the search."""
    op.create_table(
        "tracks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID),
        sa.Column("parent", ID),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("door", NAME, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("generated_by", NAME, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("digest", sa.String(64)),
        sa.Column("format", sa.String(16)),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("duration", sa.Double, nullable=False),
        sa.Column("timings", sa.JSON, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("rating", sa.Integer),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("tracks_by_id", "tracks", ["id"], unique=True)
    op.create_index("tracks_by_job", "tracks", ["job_id"], unique=True)
    op.create_index("tracks_by_owner", "tracks", ["owner", "number"])
    op.create_index("tracks_by_parent", "tracks", ["parent"])
    op.create_index("tracks_by_digest", "tracks", ["digest"])
    for statement in FULL_TEXT[op.get_context().dialect.name]:
        op.execute(statement)
