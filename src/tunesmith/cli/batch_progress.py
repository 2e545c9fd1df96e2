"""The display of a running batch: progress bars on a terminal, otherwise a line for each finished track."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tunesmith.cli.track_log import open_track_logger
from tunesmith.pipeline import GeneratedFile

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tunesmith.batch.batch_runner import ItemResult as Sound
    from tunesmith.batch.items import BatchItem
    from tunesmith.batch.manifest import BatchManifest, Entry
    from tunesmith.config import Settings
    from tunesmith.jobs.runners.tasks import ProgressReport

SHOWN_NAME = 36
"""How many characters of a file name a progress bar shows."""


class BatchDisplay(Protocol):
    """A display of the progress of a batch."""

    def begun(self, item: BatchItem) -> None:
        """Show an item that starts."""

    def moved(self, item: BatchItem, report: ProgressReport) -> None:
        """Show the progress of an item."""

    def ended(self, entry: Entry) -> None:
        """Show the outcome of an item."""


class Watcher:
    """An observer of a batch that shows its progress and writes each track into the prompt log.

    It implements batch_runner.ProgressListener.
    """

    def __init__(
        self, manifest: BatchManifest, view: BatchDisplay, log_track: Callable[[GeneratedFile], GeneratedFile]
    ) -> None:
        self._manifest = manifest
        self._view = view
        self._log_track = log_track

    def begun(self, item: BatchItem) -> None:
        """Show an item that starts."""
        self._view.begun(item)

    def moved(self, item: BatchItem, report: ProgressReport) -> None:
        """Show the progress of an item."""
        self._view.moved(item, report)

    def ended(self, item: BatchItem, entry: Entry, result: Sound | None) -> Entry:
        """Log the finished track, show the outcome, and return the entry with the track's id."""
        if entry.state == "made" and result is not None:
            path = str(self._manifest.folder / entry.file)
            logged = self._log_track(
                GeneratedFile(item.request, result.duration, entry.seconds or 0.0, (path,), (), result.metadata)
            )
            entry = replace(entry, track=logged.track)
        self._view.ended(entry)
        return entry


@dataclass(frozen=True, slots=True)
class DisplayedTask:
    """The extent of a batch to display: ``total`` rows, ``done`` before this run; nothing if ``quiet``.

    With ``log_settings``, new tracks go into the prompt log of those settings.
    """

    total: int
    done: int
    quiet: bool
    log_settings: Settings | None


@contextmanager
def watching(manifest: BatchManifest, shown: DisplayedTask) -> Iterator[Watcher]:
    """Yield the observer of a batch; close its prompt log and its progress bars at the end."""
    # The log opens once for the whole batch and not for every track.
    with open_track_logger(shown.log_settings) if shown.log_settings else nullcontext(_forget) as log_track:
        if shown.quiet:
            yield Watcher(manifest, _NullDisplay(), log_track)
        elif not sys.stderr.isatty():
            yield Watcher(manifest, _LineDisplay(shown.total, shown.done), log_track)
        else:
            with _bars() as progress:
                yield Watcher(manifest, _BarDisplay(progress, shown.total, shown.done), log_track)


def _forget(result: GeneratedFile) -> GeneratedFile:
    return result


class _NullDisplay:
    def begun(self, item: BatchItem) -> None:
        pass

    def moved(self, item: BatchItem, report: ProgressReport) -> None:
        pass

    def ended(self, entry: Entry) -> None:
        pass


class _LineDisplay(_NullDisplay):
    def __init__(self, total: int, done: int) -> None:
        self._total = total
        self._done = done

    def ended(self, entry: Entry) -> None:
        # An item that waits for another try is not finished.
        self._done += entry.state != "waiting"
        print(f"[{self._done}/{self._total}] {_outcome(entry)}", file=sys.stderr)  # noqa: T201


class _BarDisplay:
    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self._progress = progress
        self._total = total
        self._done = done
        self._whole = progress.add_task(self._so_far, total=total, completed=done)
        self._tracks: dict[str, TaskID] = {}

    def begun(self, item: BatchItem) -> None:
        name = item.entry.file[:SHOWN_NAME]
        self._tracks[item.entry.id] = self._progress.add_task(f"{name}: waiting", total=1.0)

    def moved(self, item: BatchItem, report: ProgressReport) -> None:
        name = f"{item.entry.file[:SHOWN_NAME]}: {report.stage}"
        self._progress.update(self._tracks[item.entry.id], description=name, completed=report.fraction)

    def ended(self, entry: Entry) -> None:
        # A batch may have more rows than a terminal has lines: only items in progress have a bar.
        self._progress.remove_task(self._tracks.pop(entry.id))
        self._done += entry.state != "waiting"
        self._progress.update(self._whole, description=self._so_far, completed=self._done)
        if entry.error:
            # Errors quote prompts and file names, which may look like Rich markup.
            self._progress.console.print(_outcome(entry), markup=False, highlight=False)

    @property
    def _so_far(self) -> str:
        return f"{self._done} of {self._total}"


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    # Standard output stays free for the report, and the bars leave the terminal when they are done.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        yield progress


def _outcome(entry: Entry) -> str:
    if entry.state == "made":
        return f"{entry.file}: {entry.duration:.1f} s of music in {entry.seconds:.1f} s"
    again = "; it will be retried once" if entry.state == "waiting" else ""
    return f"{entry.file}: failed: {entry.error}{again}"
