"""The values that the clients return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.client.reply import foreign_reply_error
from tunesmith.files import atomic_write

FINAL_STATES = ("succeeded", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job on the server at one moment; ``document`` is the whole JSON object (docs/http-api.md).

    ``state`` is queued, loading, running, succeeded, failed or canceled; ``progress`` is from 0 to 1; ``eta_seconds``
    is the estimated time left, None where it is unknown.
    """

    id: str
    state: str
    progress: float
    stage: str
    eta_seconds: float | None
    document: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether the job has ended and will not change."""
        return self.state in FINAL_STATES

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RemoteJob:
        """Return the job of a JSON object of the server; raises ApiError for another object."""
        names = ("id", "state", "progress", "stage", "eta_seconds")
        if any(name not in document for name in names):
            raise foreign_reply_error(200)
        return cls(**{name: document[name] for name in names}, document=document)


@dataclass(frozen=True, slots=True)
class Clip:
    """Finished music: the bytes of a sound file, the job that made it, and what was understood of a ``change``."""

    content: bytes
    job: RemoteJob
    change: Mapping[str, Any] | None = None

    @property
    def seed(self) -> int | None:
        """The seed that makes the same music again."""
        # The metadata win: they hold the seed that was drawn if the request has none.
        known = {**self.job.document["request"], **self.job.document["metadata"]}
        seed: int | None = known.get("seed")
        return seed

    @property
    def generated_by(self) -> str:
        """The model that generated it: the composer if it was the fallback for the requested model."""
        return str(self.job.document["generated_by"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """The parts of the request that were ignored, not understood or changed."""
        return tuple(map(str, self.job.document["metadata"].get("warnings") or ()))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.job.document["result"]["duration"])

    @property
    def format(self) -> str:
        """The format of the file, such as ``wav``."""
        return str(self.job.document["result"]["format"])

    def save(self, path: str | Path) -> Path:
        """Write the file and return its path; its format is the requested one, whatever the name.

        An existing file of that name is replaced once the new one is complete.
        """
        target = Path(path)
        with atomic_write(target) as file:
            file.write(self.content)
        return target


ProgressListener = Callable[[RemoteJob], None]
