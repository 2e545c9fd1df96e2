"""The values that the clients return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.atomic_file import atomic_write
from tunesmith.client.reply import foreign_reply_error

FINAL_STATES = ("succeeded", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job of the server's as it was last told; ``document`` is all of it (docs/http-api.md).

    ``state`` is queued, loading, running, succeeded, failed or canceled, ``progress`` a fraction of the whole;
    ``eta_seconds`` is the time left as measured so far, None where nobody can know.
    """

    id: str
    state: str
    progress: float
    stage: str
    eta_seconds: float | None
    document: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether it will never change again."""
        return self.state in FINAL_STATES

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RemoteJob:
        """Read what the server told."""
        names = ("id", "state", "progress", "stage", "eta_seconds")
        if any(name not in document for name in names):
            raise foreign_reply_error(200)
        return cls(**{name: document[name] for name in names}, document=document)


@dataclass(frozen=True, slots=True)
class Clip:
    """Finished music: the bytes of a sound file, and the job that made it."""

    content: bytes
    job: RemoteJob

    @property
    def seed(self) -> int | None:
        """The seed, with which the same is made again."""
        known = {**self.job.document["request"], **self.job.document["metadata"]}
        seed: int | None = known.get("seed")
        return seed

    @property
    def generated_by(self) -> str:
        """The model that made it; another than was asked for where the composer stood in."""
        return str(self.job.document["generated_by"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the request was not used, not understood or changed."""
        return tuple(map(str, self.job.document["metadata"].get("warnings") or ()))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.job.document["result"]["duration"])

    @property
    def format(self) -> str:
        """What kind of file it is, such as ``wav``."""
        return str(self.job.document["result"]["format"])

    def save(self, path: str | Path) -> Path:
        """Write the file as it came and return its path; its format is the one asked for, whatever the name.

        What is there by that name is replaced once all of it is written.
        """
        target = Path(path)
        with atomic_write(target) as file:
            file.write(self.content)
        return target


ProgressListener = Callable[[RemoteJob], None]
