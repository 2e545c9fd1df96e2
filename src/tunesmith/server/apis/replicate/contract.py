"""What this dialect asks of the server around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from tunesmith.config import Settings
from tunesmith.jobs.store import JobFilter, JobPage
from tunesmith.server.apis import errors as contract

DIALECT = "replicate"


class Caller(Protocol):
    """Who sent a request; ``owner`` is whose jobs it may see, None on a server that is open."""

    @property
    def owner(self) -> str | None: ...  # noqa: D102

    @property
    def is_anonymous(self) -> bool: ...  # noqa: D102


class Service(contract.Service, Protocol):
    """The part of MusicService that is used here."""

    async def page(self, which: JobFilter, limit: int, before: str | None) -> JobPage: ...  # noqa: D102

    async def input_file(self, content: bytes) -> Path: ...  # noqa: D102


class UploadLimits(Protocol):
    """The part of Uploads that is used here."""

    async def check(self, owner: str | None, idempotency_key: str | None = None) -> None: ...  # noqa: D102

    async def count(self, owner: str | None, size: int) -> None: ...  # noqa: D102

    def reserve(self, size: int) -> AbstractContextManager[None]: ...  # noqa: D102


class Context(Protocol):
    """The part of DialectContext that is used here."""

    @property
    def service(self) -> Service: ...  # noqa: D102

    @property
    def settings(self) -> Settings: ...  # noqa: D102

    @property
    def authenticate(self) -> Callable[..., Awaitable[Caller]]: ...  # noqa: D102

    @property
    def uploads(self) -> UploadLimits: ...  # noqa: D102

    @property
    def clock(self) -> Callable[[], float]: ...  # noqa: D102


Json = dict[str, Any]
