from __future__ import annotations

import pytest

from tunesmith.errors import (
    DatabaseError,
    GenerationCancelled,
    InvalidRequest,
    ModelNotInstalled,
    QueueFull,
    TunesmithError,
    UnknownName,
)
from tunesmith.jobs.job import Failure
from tunesmith.server.apis.errors import INTERNAL_ERROR_MESSAGE, error_response, message_of, status_of
from tunesmith.server.errors import JobFailed


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest("prompt", "is missing"), 422),
        (UnknownName("model", "x", []), 404),
        (UnknownName("genre", "x", []), 422),
        (ModelNotInstalled("x is not installed"), 404),
        (QueueFull(500, 9), 503),
        (GenerationCancelled(), 499),
        (JobFailed(Failure("OutOfResources", "too little memory")), 503),
        (JobFailed(Failure("ZeroDivisionError", "x")), 500),
        (JobFailed(None), 499),
    ],
)
def test_an_error_has_one_status_and_an_inner_one_no_words(error: TunesmithError, status: int) -> None:
    assert status_of(error) == status
    assert message_of(error) == (INTERNAL_ERROR_MESSAGE if status == 500 else str(error))


@pytest.mark.parametrize(("failure", "field"), [
    (Failure("UnknownName", "genre: there is no genre called 'lofy'"), "genre"),
    (Failure("InvalidRequest", "duration: must be at most 30"), "duration"),
    (Failure("InvalidRequest", "/etc/passwd: is no file"), None), (Failure("OSError", "genre: x"), None), (None, None),
])  # fmt: skip
def test_a_failed_job_names_the_field_that_is_to_blame(failure: Failure | None, field: str | None) -> None:
    assert JobFailed(failure).field == field


def test_a_database_that_fails_is_named_without_its_path() -> None:
    error = DatabaseError("/secret", "is damaged")
    assert (status_of(error), message_of(error)) == (503, "the server's database is damaged")


def test_a_full_queue_says_when_to_come_back() -> None:
    assert error_response(QueueFull(500, 9), {}).headers["retry-after"] == "9"
    assert "retry-after" not in error_response(QueueFull(500), {}).headers
