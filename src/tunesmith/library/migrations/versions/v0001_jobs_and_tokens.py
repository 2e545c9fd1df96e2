"""Create the tables of jobs, turns, workers, speeds and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

ID, NAME = sa.String(64), sa.String(256)


def upgrade() -> None:
    """Create the first tables."""
    _make_jobs()
    _make_turns()
    _make_workers()
    _make_speeds()
    _make_tokens()


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("extra", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("model", NAME, nullable=False),
        sa.Column("generated_by", NAME, nullable=False),
        sa.Column("audio_seconds", sa.Double, nullable=False),
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
        sa.Column("result", sa.JSON),
        sa.Column("error_kind", NAME),
        sa.Column("error_message", sa.Text),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("data_removed", sa.Boolean, nullable=False),
    )
    op.create_index("jobs_by_queue", "jobs", ["state", "generated_by", "priority", "id"])
    op.create_index("jobs_by_owner", "jobs", ["owner", "id"])
    op.create_index("jobs_by_digest", "jobs", ["digest"])
    op.create_index("jobs_by_idempotency_key", "jobs", ["owner", "idempotency_key"], unique=True)


def _make_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("turn", sa.BigInteger, nullable=False),
    )
    op.create_index("turns_by_turn", "turns", ["turn"])


def _make_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("host", NAME, nullable=False),
        sa.Column("process_id", sa.Integer, nullable=False),
        sa.Column("process_started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
    )


def _make_speeds() -> None:
    op.create_table(
        "speeds",
        sa.Column("model", NAME, primary_key=True),
        sa.Column("seconds_per_audio_second", sa.Double),
        sa.Column("load_seconds", sa.Double),
    )


def _make_tokens() -> None:
    op.create_table(
        "tokens",
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
    )
    op.create_index("tokens_by_prefix", "tokens", ["prefix"])
    in_force = sa.text("revoked_at IS NULL")
    op.create_index(
        "tokens_in_force_by_name", "tokens", ["name"], unique=True, sqlite_where=in_force, postgresql_where=in_force
    )
