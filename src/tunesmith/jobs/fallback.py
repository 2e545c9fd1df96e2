"""What a request loses when the composer stands in for a model that reads more fields than it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tunesmith.jobs.job import Job, Submission
from tunesmith.models.factories import COMPOSER
from tunesmith.request import ONLY_MUSICGEN, GenerationRequest


def for_fallback(request: GenerationRequest) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Return the request as the composer takes it, and the fields that are left out of it."""
    usual = {name: GenerationRequest.model_fields[name].default for name in ONLY_MUSICGEN}
    dropped = tuple(name for name in ONLY_MUSICGEN if getattr(request, name) != usual[name])
    return request.model_copy(update={name: usual[name] for name in dropped}), dropped


def submission_for_stand_in(submission: Submission) -> Submission:
    """Return the submission as the composer takes it, with what was left out in its options, for its log and file."""
    request, dropped = for_fallback(submission.request)
    if not dropped:
        return submission
    ignored = (f"Ignored: {name} means nothing to the composer" for name in dropped)
    options = replace(submission.options, notes=(*submission.options.notes, *ignored), dropped=dropped)
    return replace(submission, request=request, options=options)


def fallback_for(job: Job) -> str | None:
    """Return the model that was asked for where the composer makes the music instead.

    That a model has two names, its repository's and the one it is installed under, makes no stand-in.
    """
    return job.model if job.generated_by == COMPOSER != job.model else None


def fallback_notice(job: Job) -> dict[str, Any]:
    """Return what the music's metadata says where another model made it than was asked for."""
    asked = fallback_for(job)
    if asked is None:
        return {}
    dropped = job.options.dropped
    return {"asked_model": asked} | ({"dropped": list(dropped)} if dropped else {})
