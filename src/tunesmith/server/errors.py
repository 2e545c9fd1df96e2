"""Errors that only requests to the server can raise; ``tunesmith.errors`` has the others."""

from __future__ import annotations

import math
from types import MappingProxyType

from tunesmith.errors import (
    DiskFull,
    GenerationCancelled,
    InvalidRequest,
    RateLimited,
    TunesmithError,
    UnknownName,
    error_with_code,
)
from tunesmith.jobs.job import Failure, Job
from tunesmith.request import GenerationRequest

MAX_QUOTED = 120
"""How many characters of a path an error quotes."""

FAILED_RETRY_SECONDS = 30
"""The suggested delay before a retry of a job that failed for a transient reason, in seconds."""

# The rest of a refused body is still on its way, so the connection cannot be used again.
_CLOSE = MappingProxyType({"Connection": "close"})


class BadRequest(TunesmithError, code="BadRequest", status=400):
    """The request is malformed."""


class NotJson(BadRequest, code="NotJson"):
    """The body is not JSON."""


class Unauthenticated(TunesmithError, code="Unauthenticated", status=401):
    """The token is missing, wrong, revoked or expired."""

    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class Forbidden(TunesmithError, code="Forbidden", status=403):
    """The caller is known, but lacks the right."""


class RouteNotFound(TunesmithError, code="NoSuchRoute", status=404):
    """No route matches the path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no route {path[:MAX_QUOTED]!r}; /docs lists the routes")


class MethodNotAllowed(TunesmithError, code="WrongMethod", status=405):
    """The path exists, but not with this method."""

    def __init__(self, method: str, path: str, allowed: str) -> None:
        super().__init__(f"{path[:MAX_QUOTED]!r} allows {allowed}, not {method[:20]}")
        self.headers = {"Allow": allowed}


class RequestTimeout(TunesmithError, code="RequestTimeout", status=408):
    """The body of a request did not arrive in time."""

    headers = _CLOSE

    def __init__(self, seconds: float, min_bytes_per_second: int) -> None:
        problem = f"no bytes arrived for {seconds:g} s, or fewer than {min_bytes_per_second} bytes per second"
        super().__init__(f"the body of the request did not arrive: {problem}")


class ResultNotAvailable(TunesmithError, code="NoMusic", status=409):
    """A job has no audio to fetch: it is unfinished, or ended without."""

    def __init__(self, job: Job) -> None:
        problem = f"has no result: it {job.state.value}" if job.state.is_final else f"is still {job.state.value}"
        super().__init__(f"job {job.id} {problem}")


class NoScore(TunesmithError, code="NoScore", status=404):
    """A job or a track has no score, because no composer wrote it."""

    def __init__(self, what: str, generated_by: str) -> None:
        super().__init__(f"{what} has no score: {generated_by} makes sound without notes")


class PullInProgress(TunesmithError, code="PullUnderWay", status=409):
    """The model is already being pulled."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is already being pulled")


class PayloadTooLarge(TunesmithError, code="TooLarge", status=413):
    """The body exceeds the limit."""

    headers = _CLOSE

    def __init__(self, max_bytes: float, what: str = "the request") -> None:
        super().__init__(f"{what} must be at most {max_bytes / 1e6:g} MB")


class PrivateAddressError(InvalidRequest, code="ForbiddenAddress"):
    """A URL that the server must not, or cannot, send a request to."""


class UploadLimited(RateLimited, code="UploadLimited"):
    """The owner's uploads of today reached the limit."""


class UploadsFull(DiskFull, code="UploadsFull"):
    """There is no room for another upload at present."""


class BodiesFull(TunesmithError, code="BodiesFull", status=503, retryable=True):
    """The large bodies in flight have reached the memory limit."""

    retry_after = 5
    headers = _CLOSE

    def __init__(self, max_bytes: float) -> None:
        super().__init__(f"the server is already receiving {max_bytes / 1e6:g} MB of large requests; try again later")


class RateLimitStoreUnavailable(TunesmithError, code="LimitsOutOfReach", status=503, retryable=True):
    """Requests cannot be counted because the store of the rate limits is down, so none is accepted."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__("requests cannot be counted at the moment; try again later")


class ModelIsLoading(TunesmithError, code="ModelIsLoading", status=503, retryable=True):
    """The model is loading, and the caller does not want to wait; ``estimated_time`` is in seconds."""

    retry_after: int

    def __init__(self, model: str, estimated_time: float) -> None:
        super().__init__(f"Model {model} is currently loading")
        self.estimated_time = estimated_time
        self.retry_after = math.ceil(estimated_time)


class JobFailed(TunesmithError, code="JobFailed"):
    """A job ended without audio. ``kind`` is the code of the error that stopped it, whose status this one has.

    ``retry_after`` is the delay in seconds after which a retry may succeed, None if none can.
    """

    def __init__(self, failure: Failure | None) -> None:
        super().__init__(failure.message if failure else "cancelled")
        self.kind = failure.kind if failure else GenerationCancelled.code
        # Jobs store only the code of their error, so its status is looked up.
        error = error_with_code(self.kind)
        self.status = error.status
        self.retry_after = FAILED_RETRY_SECONDS if error.retryable else None

    @property
    def field(self) -> str | None:
        """The name of the invalid request field; None if the error is not about a field."""
        # The message of an error about a field starts with the field's name.
        named = str(self).partition(": ")[0]
        is_about_field = self.kind in (InvalidRequest.code, UnknownName.code)
        return named if is_about_field and named in GenerationRequest.model_fields else None
