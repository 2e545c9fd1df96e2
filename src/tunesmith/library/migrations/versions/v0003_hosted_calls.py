"""Create the table of hosted calls, for the call budget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "hosted_calls",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("called_at", sa.Double, nullable=False),
    )
    op.create_index("hosted_calls_by_time", "hosted_calls", ["called_at"])
