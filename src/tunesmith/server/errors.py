"""Errors that only a request to the server can meet; those that the rest of the program knows are in ``errors.py``."""

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
"""When a job that failed for a passing reason is worth another try."""

_CLOSE = MappingProxyType({"Connection": "close"})


class BadRequest(TunesmithError, code="BadRequest", status=400):
    """The request is malformed."""


class NotJson(BadRequest, code="NotJson"):
    """A body is not JSON."""


class Unauthenticated(TunesmithError, code="Unauthenticated", status=401):
    """The token is missing, wrong, revoked or expired."""

    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class Forbidden(TunesmithError, code="Forbidden", status=403):
    """The caller is known, and may not do this."""


class RouteNotFound(TunesmithError, code="NoSuchRoute", status=404):
    """Nothing is served at that path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"there is nothing at {path[:MAX_QUOTED]!r}; /docs lists what there is")


class MethodNotAllowed(TunesmithError, code="WrongMethod", status=405):
    """Something is served at that path, by other methods."""

    def __init__(self, method: str, path: str, allowed: str) -> None:
        super().__init__(f"{path[:MAX_QUOTED]!r} takes {allowed}, not {method[:20]}")
        self.headers = {"Allow": allowed}


class RequestTimeout(TunesmithError, code="RequestTimeout", status=408):
    """The body of a request did not arrive in time."""

    headers = _CLOSE

    def __init__(self, seconds: float, min_bytes_per_second: int) -> None:
        problem = f"no byte of it came for {seconds:g} s, or less than {min_bytes_per_second} bytes a second"
        super().__init__(f"the body of the request did not arrive: {problem}")


class ResultNotAvailable(TunesmithError, code="NoMusic", status=409):
    """A job has no sound to fetch: it is not finished, or ended without."""

    def __init__(self, job: Job) -> None:
        problem = f"ended without music: it {job.state.value}" if job.state.is_final else f"is still {job.state.value}"
        super().__init__(f"job {job.id} {problem}")


class PullInProgress(TunesmithError, code="PullUnderWay", status=409):
    """That model is being pulled already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is being pulled already")


class PayloadTooLarge(TunesmithError, code="TooLarge", status=413):
    """The body is larger than the server takes."""

    headers = _CLOSE

    def __init__(self, max_bytes: float, what: str = "the request") -> None:
        super().__init__(f"{what} must be at most {max_bytes / 1e6:g} MB")


class PrivateAddressError(InvalidRequest, code="ForbiddenAddress"):
    """An address that the server must not, or cannot, send a request to."""


class UploadLimited(RateLimited, code="UploadLimited"):
    """The owner handed in so many bytes today that no more are taken."""


class UploadsFull(DiskFull, code="UploadsFull"):
    """There is no room for another upload at the moment."""


class BodiesFull(TunesmithError, code="BodiesFull", status=503, retryable=True):
    """The large bodies that are being received hold as much as they may."""

    retry_after = 5
    headers = _CLOSE

    def __init__(self, max_bytes: float) -> None:
        super().__init__(f"the server is receiving {max_bytes / 1e6:g} MB of large requests already; try again later")


class RateLimitStoreUnavailable(TunesmithError, code="LimitsOutOfReach", status=503, retryable=True):
    """Requests cannot be counted, because what counts them does not answer; so none is let through."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__("requests cannot be counted at the moment; try again later")


class ModelIsLoading(TunesmithError, code="ModelIsLoading", status=503, retryable=True):
    """The model is being loaded, and the caller does not want to wait; ``estimated_time`` is in seconds."""

    retry_after: int

    def __init__(self, model: str, estimated_time: float) -> None:
        super().__init__(f"Model {model} is currently loading")
        self.estimated_time = estimated_time
        self.retry_after = math.ceil(estimated_time)


class JobFailed(TunesmithError, code="JobFailed"):
    """A job ended without music. ``kind`` is the code of the error that stopped it, whose status this one has.

    ``retry_after`` is the seconds after which another try may succeed, None where none would.
    """

    def __init__(self, failure: Failure | None) -> None:
        super().__init__(failure.message if failure else "cancelled")
        self.kind = failure.kind if failure else GenerationCancelled.code
        error = error_with_code(self.kind)
        self.status = error.status
        self.retry_after = FAILED_RETRY_SECONDS if error.retryable else None

    @property
    def field(self) -> str | None:
        """The field of the request that is to blame, if one is."""
        named = str(self).partition(": ")[0]
        is_about_field = self.kind in (InvalidRequest.code, UnknownName.code)
        return named if is_about_field and named in GenerationRequest.model_fields else None
