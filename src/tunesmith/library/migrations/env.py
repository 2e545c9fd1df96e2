"""Alembic environment: runs the migrations inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from tunesmith.library.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
