"""What every line of the log says in the task that is under way: which request and which job it is about."""

from __future__ import annotations

import structlog


def bind(**about: str) -> None:
    """Put this into every line that follows in the current task: ``request_id``, ``job_id``."""
    structlog.contextvars.bind_contextvars(**about)
