"""Errors: each is one line with an exit code, and an API knows it by a code and a status that do not change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunesmith
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
    error_codes,
    error_with_code,
)
from tunesmith.server.app import create_app  # noqa: F401  brings the errors of every API

SOURCE = Path(tunesmith.__file__).parent
STATUSES = {
    400: {"BadRequest", "NotJson"},
    401: {"Unauthenticated"},
    403: {"Forbidden"},
    404: {"ModelNotInstalled", "UnknownName", "JobNotFound", "TrackNotFound", "NoSuchRoute", "NoScore"},
    405: {"WrongMethod"},
    408: {"RequestTimeout"},
    409: {"IdempotencyConflict", "NoMusic", "PullUnderWay"},
    413: {"TooLarge"},
    422: {"InvalidRequest", "AudioFileError", "ForbiddenAddress", "NoProviderMapping", "InvalidInput"},
    429: {"RateLimited", "UploadLimited", "LiveStreamsFull"},
    499: {"GenerationCancelled"},
    500: {
        "InvalidScore", "SoundFontError", "ModelFileError", "DownloadError", "TaskFailed", "RunnerCrashed", "Mistake",
        "JobFailed", "PlaybackError", "Problem", "EditFailed",
    },
    502: {"ApiError", "TokenRefused", "NotFound", "GenerationFailed", "ServerUnreachable"},
    503: {
        "QueueFull", "OutOfResources", "DatabaseError", "DatabaseBusy", "DatabaseOutOfReach", "DatabaseDamaged",
        "DatabaseGone", "FolderUnavailable", "ServerBusy", "LimitsOutOfReach", "BodiesFull", "ServerStopping",
        "ModelIsLoading",
    },
    504: {"DeadlineExceeded"},
    507: {"DiskFull", "DatabaseFull", "UploadsFull"},
}  # fmt: skip
"""What clients, and the rows of failed jobs, know errors by: a code is never renamed with its class."""


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
    (RateLimited("60 requests a minute", 12), "limit of 60 requests a minute reached; try again in 12 s", 1),
    (IdempotencyConflict("k"), "idempotency_key: 'k' was already used for another request", 2),
    (TunesmithError("it failed"), "it failed", 1),
])  # fmt: skip
def test_an_error_is_one_line_with_its_exit_code(error: TunesmithError, line: str, exit_code: int) -> None:
    assert (str(error), error.exit_code) == (line, exit_code)


def test_codes_and_statuses_are_what_clients_know() -> None:
    known = {code: status for status, codes in STATUSES.items() for code in codes}
    assert {code: error_with_code(code).status for code in error_codes() if _is_ours(error_with_code(code))} == known


def test_every_error_names_its_code() -> None:
    unnamed = [
        f"{path.name}: {one.name}"
        for path in SOURCE.rglob("*.py")
        for one in _error_classes(ast.parse(path.read_text(encoding="utf-8")))
        if "code" not in {keyword.arg for keyword in one.keywords}
    ]
    assert unnamed == []


def test_a_package_s_own_error_is_known_by_its_name_and_has_the_status_of_its_base() -> None:
    class OutOfTune(InvalidRequest):
        """An error of a generator that another package brings."""

    assert (OutOfTune.code, OutOfTune.status, OutOfTune.retryable) == ("OutOfTune", 422, False)
    assert (error_with_code("OutOfTune"), error_with_code("Unheard")) == (OutOfTune, TunesmithError)


def _is_ours(kind: type[TunesmithError]) -> bool:
    return kind.__module__.startswith("tunesmith.")


def _error_classes(module: ast.Module) -> Iterator[ast.ClassDef]:
    bases = {kind.__name__ for kind in (error_with_code(code) for code in error_codes()) if _is_ours(kind)}
    for one in ast.walk(module):
        if isinstance(one, ast.ClassDef) and {getattr(base, "id", "") for base in one.bases} & {
            *bases,
            "TunesmithError",
        }:
            yield one
