"""Log context: the request id and job id in every log line of the current task."""

from __future__ import annotations

import structlog


def bind(**about: str) -> None:
    """Add these values to all later log lines of the current task: ``request_id``, ``job_id``."""
    structlog.contextvars.bind_contextvars(**about)
