"""``tunesmith batch``: generate a folder of music from a file of requests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options
from tunesmith.errors import InvalidRequest

if TYPE_CHECKING:
    from tunesmith.batch.batch_runner import Backend
    from tunesmith.batch.input_table import RowError
    from tunesmith.batch.items import BatchItem, Check, Defaults
    from tunesmith.batch.manifest import BatchManifest, Entry
    from tunesmith.config import Settings
    from tunesmith.models.commercial_safety import CommercialPolicy

FILES, ROWS = "Files", "Defaults for all rows"
FILE_HELP = "One row per piece: .csv, .jsonl, .yaml, or one prompt per line; - for standard input."
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help=FILE_HELP)]
OUT_HELP = "Output folder, also for the manifest. Default: named after FILE."
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help=OUT_HELP, rich_help_panel=FILES)]
AS_HELP = "Format of FILE, if its name does not tell: csv, jsonl, yaml or lines."
As = Annotated[str | None, typer.Option("--as", metavar="FORM", help=AS_HELP, rich_help_panel=FILES)]
FormatName = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="wav, flac, mp3, ogg or opus.", rich_help_panel=ROWS)
]
Duration = Annotated[str | None, typer.Option(metavar="TIME", help="Exact length: 45, 1:30.", rich_help_panel=ROWS)]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="Seed. Default, and -1: random.", min=-1, rich_help_panel=ROWS)
]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="The model to use.", rich_help_panel=ROWS)]
Loudness = Annotated[
    float | None, typer.Option(metavar="LUFS", help="Integrated loudness, -40 to -8.", rich_help_panel=ROWS)
]
Rate = Annotated[
    int | None, typer.Option("--sample-rate", metavar="HZ", help="Sample rate, 8000 to 96000.", rich_help_panel=ROWS)
]
Mono = Annotated[bool, typer.Option("--mono", help="One channel.", rich_help_panel=ROWS)]
SERVER_HELP = "Generate on the Tunesmith server at this URL, which logs the tracks itself."
Server = Annotated[str | None, typer.Option("--server", metavar="URL", help=SERVER_HELP, rich_help_panel="A server")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", metavar="TOKEN", help="Its API token; better set TUNESMITH_TOKEN.", rich_help_panel="A server"
    ),
]
JOBS_HELP = "Pieces generated at once. Default: one per core; for a model, its batch size; on a server, 4."
Jobs = Annotated[int | None, typer.Option("-j", "--jobs", metavar="N", min=1, max=256, help=JOBS_HELP)]


def batch(
    file: FileArgument, out: Out = None, form: As = None, jobs: Jobs = None, model: Model = None,
    duration: Duration = None, format_name: FormatName = None, seed: Seed = None, loudness: Loudness = None,
    sample_rate: Rate = None, mono: Mono = False, commercial_safe: options.CommercialSafe = None,
    revenue_below_limit: options.RevenueBelowLimit = None, server: Server = None, token: Token = None,
    max_calls: options.MaxCalls = None, hosted_token: options.HostedToken = None, as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Generate a piece for each row of a file. Run it again for the missing and failed rows.

    tunesmith batch prompts.txt --duration 30 --format mp3
    """
    from tunesmith.batch.input_table import read_sheet
    from tunesmith.batch.items import read_items
    from tunesmith.batch.manifest import manifest_of
    from tunesmith.cli.hosted_options import apply_hosted_options
    from tunesmith.config import load_settings
    from tunesmith.models.commercial_safety import CommercialPolicy

    apply_hosted_options(model, max_calls, hosted_token)
    flags = {
        "model": model, "duration": duration, "loudness_lufs": loudness, "sample_rate": sample_rate,
        "mono": mono or None,
    }  # fmt: skip
    if token is not None and server is None:
        raise InvalidRequest("token", "needs a server: --server URL")
    given = {name: value for name, value in flags.items() if value is not None}
    sheet = read_sheet(file, form)
    with manifest_of(out or _folder_of(file)) as manifest:
        settings = load_settings()
        policy = CommercialPolicy.of(settings, commercial_safe, revenue_below_limit)
        items, problems = read_items(sheet, manifest, _defaults(file, given, seed, format_name, settings),
                                       _checks(policy, server))  # fmt: skip
        _raise_for(problems, file)
        run = BatchRun(jobs, server, token, settings, quiet=quiet or as_json)
        entries = _make(manifest, items, run)
        _report(manifest, [item.entry for item in items], entries, as_json=as_json, quiet=quiet)
    if any(entry.state != "made" for entry in entries):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class BatchRun:
    """How to run a batch: the number of items at once, a server or this machine, and whether to show progress."""

    jobs: int | None
    server: str | None
    token: str | None
    settings: Settings
    quiet: bool


def _folder_of(file: str) -> Path:
    return Path("batch" if file == "-" else Path(file).stem)


def _defaults(
    file: str, flags: dict[str, Any], seed: int | None, format_name: str | None, settings: Settings
) -> Defaults:
    from tunesmith.batch.items import Defaults
    from tunesmith.pipeline import settings_defaults
    from tunesmith.request import RANDOM_SEED

    # Without a seed each row draws its own, which is what -1 means.
    seed = None if seed == RANDOM_SEED else seed
    suffix = settings.suffix if format_name is None else f".{format_name.lower().removeprefix('.')}"
    # Paths in rows are relative to the table, or to the current folder if the table is standard input.
    folder = Path() if file == "-" else Path(file).parent
    return Defaults(folder, lambda fields: settings_defaults(settings, fields), flags, seed, suffix)


def _checks(policy: CommercialPolicy, server: str | None) -> Check:
    from functools import cache

    from tunesmith.batch.preflight import LocalChecks, check_for_server
    from tunesmith.models.commercial_safety import check_licence

    check = check_for_server if server else LocalChecks()
    # Many rows have the same model and recordings; their licences are looked up once.
    licence = cache(lambda model, *recordings: check_licence(policy, model, *recordings))

    def checked(request: Any) -> None:
        licence(request.model, request.audio, request.melody)
        check(request)

    return checked


def _raise_for(problems: Sequence[RowError], file: str) -> None:
    """Print each invalid row with its line number and raise InvalidRequest, before anything is generated."""
    if not problems:
        return
    for problem in problems:
        typer.echo(f"{file}:{problem.line}: {' '.join(problem.text.split())}", err=True)
    many = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
    raise InvalidRequest("file", f"{file} has {many}; nothing was generated")


def _make(manifest: BatchManifest, items: Sequence[BatchItem], run: BatchRun) -> list[Entry]:
    """Generate the missing items and return the present entry of every row."""
    from tunesmith.cli.batch_progress import DisplayedTask, watching
    from tunesmith.errors import TunesmithError

    done = [item for item in items if manifest.is_done(item.entry)]
    missing = [_anew(item) for item in items if item not in done]
    manifest.begin([item.entry for item in (*done, *missing)])
    try:
        # A server keeps the tracks in its own prompt log.
        shown = DisplayedTask(len(items), len(done), run.quiet, run.settings if run.server is None else None)
        with watching(manifest, shown) as watcher:
            asyncio.run(_run(manifest, missing, watcher, run))
    except (KeyboardInterrupt, SystemExit, TunesmithError) as stopped:
        finished = sum(manifest.is_done(manifest.find(item.entry.id) or item.entry) for item in items)
        # An error before the first track needs no advice on how to go on.
        if finished or not isinstance(stopped, TunesmithError):
            typer.echo(f"{finished} of {len(items)} are done; run the same command again for the rest", err=True)
        raise
    finally:
        # A failure loses nothing: the manifest holds the same entries as appended lines.
        with suppress(TunesmithError):
            manifest.save()
    return [manifest.find(item.entry.id) or item.entry for item in items]


async def _run(manifest: BatchManifest, missing: Sequence[BatchItem], watcher: Any, run: BatchRun) -> None:
    from tunesmith.batch.batch_runner import Batch

    if missing:
        await Batch(manifest, _open_backend(run, len(missing)), watcher, run.jobs).run(missing)


def _open_backend(run: BatchRun, most: int) -> Backend:
    from tunesmith.batch.local_backend import LocalBackend
    from tunesmith.batch.remote_backend import RemoteBackend

    if run.server is not None:
        return RemoteBackend(run.server, run.token)
    settings = run.settings
    processes = run.jobs or settings.composer_processes or os.cpu_count() or 1
    # Processes beyond the number of items would only load and wait.
    return LocalBackend(min(processes, most), settings.batch_rows)


def _anew(item: BatchItem) -> BatchItem:
    # The outcome of an earlier run must not show in the entry of a new attempt.
    entry = replace(item.entry, state="waiting", error=None, tries=0, digest=None, seconds=None, duration=None)
    return replace(item, entry=entry)


def _report(
    manifest: BatchManifest, before: Sequence[Entry], entries: Sequence[Entry], *, as_json: bool, quiet: bool
) -> None:
    from tunesmith.cli.console import as_json_text, print_warning

    failed = [entry for entry in entries if entry.state == "failed"]
    # This run changes the entry of every item it generates.
    there = sum(old == new for old, new in zip(before, entries, strict=True) if new.state == "made")
    generated = len(entries) - len(failed) - there
    if as_json:
        counts = {"made": generated, "there": there, "failed": len(failed)}
        tracks = [{**asdict(entry), "path": str(manifest.folder / entry.file)} for entry in entries]
        typer.echo(as_json_text({"folder": str(manifest.folder), **counts, "tracks": tracks}))
    for old, entry in zip(before, entries, strict=True):
        for warning in entry.warnings if old != entry else ():
            print_warning(f"line {entry.line}, {entry.request['prompt'][:60]!r}: {warning}")
    for entry in failed:
        typer.echo(f"failed: line {entry.line}, {entry.request['prompt'][:60]!r}: {entry.error}", err=True)
    if not as_json and not quiet:
        typer.echo(f"{generated} generated, {there} already done, {len(failed)} failed: {manifest.path}")
