"""The tables, as of the newest migration.

Times are seconds since 1970 in UTC. An owner is never NULL but may be empty, because a unique index does not cover
NULLs.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

ACTIVE_STATES = ("loading", "running")
ID, NAME = sa.String(64), sa.String(256)
JSON = sa.JSON(none_as_null=True)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("request", JSON, nullable=False),
    sa.Column("extra", JSON, nullable=False),
    sa.Column("fingerprint", sa.String(64)),
    sa.Column("model", NAME, nullable=False),
    sa.Column("generated_by", NAME, nullable=False),
    sa.Column("audio_seconds", sa.Double, nullable=False),
    # The API of the request; the column keeps its first name.
    sa.Column("dialect", NAME, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("owner", NAME, nullable=False),
    sa.Column("idempotency_key", NAME),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("eta_at", sa.Double),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("running_at", sa.Double),
    sa.Column("finished_at", sa.Double),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("worker", ID),
    sa.Column("digest", sa.String(64)),
    sa.Column("result", JSON),
    sa.Column("error_kind", NAME),
    sa.Column("error_message", sa.Text),
    sa.Column("metadata", JSON, nullable=False),
    sa.Column("data_removed", sa.Boolean, nullable=False),
    sa.Index("jobs_by_queue", "state", "generated_by", "priority", "id"),
    sa.Index("jobs_by_owner", "owner", "id"),
    sa.Index("jobs_by_digest", "digest"),
    # NULL keys never collide, so only requests with an idempotency key are unique.
    sa.Index("jobs_by_idempotency_key", "owner", "idempotency_key", unique=True),
)
"""All jobs, past and present."""

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("owner", NAME, primary_key=True),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Index("turns_by_turn", "turn"),
)
"""When each owner was last served, as a number that only grows."""

tracks = sa.Table(
    "tracks",
    metadata,
    # SQLite increments only a column of type INTEGER by itself.
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", ID, nullable=False),
    sa.Column("job_id", ID),
    sa.Column("parent", ID),
    sa.Column("owner", NAME, nullable=False),
    # The API of the request; the column keeps its first name.
    sa.Column("door", NAME, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("request", JSON, nullable=False),
    sa.Column("model", NAME, nullable=False),
    sa.Column("generated_by", NAME, nullable=False),
    sa.Column("path", sa.Text),
    sa.Column("digest", sa.String(64)),
    sa.Column("format", sa.String(16)),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("duration", sa.Double, nullable=False),
    sa.Column("timings", JSON, nullable=False),
    sa.Column("metadata", JSON, nullable=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("rating", sa.Integer),
    sa.Column("starred", sa.Boolean, nullable=False),
    sa.Column("tags", JSON, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Index("tracks_by_id", "id", unique=True),
    sa.Index("tracks_by_job", "job_id", unique=True),
    sa.Index("tracks_by_owner", "owner", "number"),
    sa.Index("tracks_by_parent", "parent"),
    sa.Index("tracks_by_digest", "digest"),
)
"""The prompt log: every generated track.

``words`` is the searchable text: SQLite searches the full-text table ``track_words``, which triggers keep in step,
PostgreSQL the index ``tracks_by_words``.
"""

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("host", NAME, nullable=False),
    sa.Column("process_id", sa.Integer, nullable=False),
    sa.Column("process_started_at", sa.Double, nullable=False),
    sa.Column("heartbeat_at", sa.Double, nullable=False),
)
"""The server processes that claim jobs."""

speeds = sa.Table(
    "speeds",
    metadata,
    sa.Column("model", NAME, primary_key=True),
    sa.Column("seconds_per_audio_second", sa.Double),
    sa.Column("load_seconds", sa.Double),
)
"""The recent speed of each model."""

hosted_calls = sa.Table(
    "hosted_calls",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("model", NAME, nullable=False),
    sa.Column("called_at", sa.Double, nullable=False),
    sa.Index("hosted_calls_by_time", "called_at"),
)
"""Calls of hosted models in the last two days."""

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("quota", sa.String(32)),
    sa.Column("rate", sa.String(32)),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Column("revoked_at", sa.Double),
    sa.Column("last_used_at", sa.Double),
    sa.Index("tokens_by_prefix", "prefix"),
    # Unique among tokens in force only: the name of a revoked token may be used again.
    sa.Index(
        "tokens_in_force_by_name",
        "name",
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    ),
)
"""API tokens, as hashes."""
