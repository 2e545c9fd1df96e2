"""The composer as the fallback of a model that is not installed: which fields it ignores, and how that is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tunesmith.jobs.job import Job, Submission
from tunesmith.models.factories import COMPOSER
from tunesmith.request import NEURAL_FIELDS, GenerationRequest


def for_fallback(request: GenerationRequest) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Return the request without the fields that only neural models read, and the names of those that were set."""
    usual = {name: GenerationRequest.model_fields[name].default for name in NEURAL_FIELDS}
    dropped = tuple(name for name in NEURAL_FIELDS if getattr(request, name) != usual[name])
    return request.model_copy(update={name: usual[name] for name in dropped}), dropped


def submission_for_fallback(submission: Submission) -> Submission:
    """Return the submission for the composer; the ignored fields go into its options, for the log and the file."""
    request, dropped = for_fallback(submission.request)
    if not dropped:
        return submission
    ignored = (f"Ignored: {name} means nothing to the composer" for name in dropped)
    options = replace(submission.options, notes=(*submission.options.notes, *ignored), dropped=dropped)
    return replace(submission, request=request, options=options)


def fallback_for(job: Job) -> str | None:
    """Return the requested model if the composer generates the music instead, or None.

    A model's hub id and its local name differ too, but that is no fallback.
    """
    return job.model if job.generated_by == COMPOSER != job.model else None


def fallback_notice(job: Job) -> dict[str, Any]:
    """Return the metadata that states a fallback: the requested model and the ignored fields; empty without one."""
    requested = fallback_for(job)
    if requested is None:
        return {}
    dropped = job.options.dropped
    return {"asked_model": requested} | ({"dropped": list(dropped)} if dropped else {})
