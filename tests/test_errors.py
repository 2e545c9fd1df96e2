"""Errors: each is one line with an exit code."""

from __future__ import annotations

import pytest

from tunesmith.errors import (
    DatabaseBusy,
    DatabaseError,
    DatabaseFull,
    DatabaseOutOfReach,
    DiskFull,
    GenerationCancelled,
    IdempotencyConflict,
    InvalidRequest,
    InvalidScore,
    JobNotFound,
    QueueFull,
    RateLimited,
    TunesmithError,
    UnknownName,
)


@pytest.mark.parametrize(("error", "line", "exit_code"), [
    (InvalidRequest("bars", "must be 1 or more, got 0"), "bars: must be 1 or more, got 0", 2),
    (UnknownName("genre", "lofy", ["lofi", "jazz"]), "genre: there is no genre called 'lofy'; did you mean lofi?", 2),
    (UnknownName("genre", "zzz", ["lofi"]), "genre: there is no genre called 'zzz'", 2),
    (InvalidScore("no such pitch", line=3, part="bass", beat="4.5"),
     "score: line 3, part bass, beat 4.5: no such pitch", 2),
    (InvalidScore("is empty"), "score: is empty", 2),
    (GenerationCancelled(), "cancelled", 130),
    (DatabaseError("/a.db", "is damaged"), "database /a.db: is damaged", 1),
    (DatabaseBusy("/a.db", "is locked"), "database /a.db: is locked", 1),
    (DatabaseOutOfReach("pg://x", "refused"), "database pg://x: cannot be reached: refused", 1),
    (DatabaseFull("/a.db", "cannot grow"), "database /a.db: cannot grow", 1),
    (DiskFull("the disk is full"), "the disk is full", 2),
    (JobNotFound("abc"), "there is no job 'abc'", 2),
    (QueueFull(500), "the queue is full: 500 requests are waiting; try again later", 1),
    (QueueFull(500, 12), "the queue is full: 500 requests are waiting; try again in 12 s", 1),
    (RateLimited("60 requests a minute", 12), "no more than 60 requests a minute; try again in 12 s", 1),
    (IdempotencyConflict("k"), "idempotency_key: 'k' was used before for another request", 2),
    (TunesmithError("it failed"), "it failed", 1),
])  # fmt: skip
def test_an_error_is_one_line_with_its_exit_code(error: TunesmithError, line: str, exit_code: int) -> None:
    assert (str(error), error.exit_code) == (line, exit_code)
