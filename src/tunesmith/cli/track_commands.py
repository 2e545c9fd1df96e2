"""``tunesmith log``: list, search, star, rate, tag and remove the tracks of the prompt log."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options
from tunesmith.cli.console import as_json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tunesmith.config import Settings
    from tunesmith.library.track_tree import TrackNode
    from tunesmith.library.tracks import Track, TrackFilter

Search = Annotated[str, typer.Option("--search", metavar="WORDS", help="Tracks with all of these words.")]
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Tracks by this model, or requested from it.")
]
Starred = Annotated[bool, typer.Option("--starred", help="Starred tracks only.")]
Tag = Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Tracks with this tag.")]
Limit = Annotated[int, typer.Option("-n", "--limit", metavar="N", min=1, help="Maximum number of tracks.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
EXPORT_HELP = "Print all matches, without the limit, as csv or jsonl."
Export = Annotated[str | None, typer.Option("--export", metavar="FORMAT", help=EXPORT_HELP)]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A track's id, or its first characters.")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Track ids, or their first characters.")]
RatingArgument = Annotated[int, typer.Argument(metavar="1…5", help="Rating; 0 removes it.")]
TagsArgument = Annotated[list[str], typer.Argument(metavar="TAG…", help="Tags to add.")]
Off = Annotated[bool, typer.Option("--off", help="Remove it.")]

app = typer.Typer(help="Search, mark and export the tracks you have generated.")
COLUMNS = ("id", "created", "model", "seconds", "seed", "marks", "prompt", "file")
HERE, GONE, CHANGED, NEVER = "here", "moved or deleted", "changed", "not saved"
SHOWN_PROMPT = 60


@app.callback(invoke_without_command=True)
def log(
    context: typer.Context,
    search: Search = "",
    model: Model = None,
    starred: Starred = False,
    tag: Tag = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    export: Export = None,
) -> None:
    """List the tracks, newest first.

    tunesmith log --search rain --starred
    """
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log
    from tunesmith.library.tracks import TrackFilter

    # Typer runs this callback before a subcommand, too.
    if context.invoked_subcommand is not None:
        return
    which = TrackFilter(search=search, model=model, starred=starred, tag=tag)
    settings = load_settings()
    if export is not None:
        _export(which, export, settings)
        return
    with prompt_log(settings) as tracks:
        found = tracks.page(which, limit).tracks
    if as_json:
        typer.echo(as_json_text([track_json(track, settings.data_dir) for track in found]))
    elif found:
        _show_table(found, settings.data_dir)
    else:
        typer.echo("no tracks", err=True)


@app.command()
def show(track_id: IdArgument, as_json: AsJson = False) -> None:
    """Show all details of a track."""
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log

    settings = load_settings()
    with prompt_log(settings) as tracks:
        values = track_json(tracks.get(track_id), settings.data_dir)
    if as_json:
        typer.echo(as_json_text(values))
        return
    for name, value in values.items():
        typer.echo(f"{name:14}{value if isinstance(value, str) else as_json_text(value)}")


@app.command()
def star(track_ids: IdsArgument, off: Off = False) -> None:
    """Star tracks."""
    from tunesmith.library.tracks import Marks

    _mark(track_ids, Marks(starred=not off))


@app.command()
def rate(track_id: IdArgument, rating: RatingArgument) -> None:
    """Rate a track."""
    from tunesmith.library.tracks import Marks

    _mark([track_id], Marks(rating=rating))


@app.command()
def tag(track_id: IdArgument, tags: TagsArgument, off: Off = False) -> None:
    """Add tags to a track."""
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log
    from tunesmith.library.tracks import Marks

    with prompt_log(load_settings()) as log_of_tracks:
        track = log_of_tracks.get(track_id)
        kept = [one for one in track.tags if one not in tags]
        _print_marks(log_of_tracks.mark(track.id, Marks(tags=tuple(kept if off else [*kept, *tags]))))


@app.command()
def rm(track_ids: IdsArgument) -> None:
    """Remove tracks from the log; their files stay."""
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log

    with prompt_log(load_settings()) as tracks:
        # Look up all tracks first: an unknown id must fail before any is removed.
        for track in [tracks.get(track_id) for track_id in track_ids]:
            tracks.remove(track.id)
            typer.echo(f"removed {track.id}: {_shown_prompt(track)}")


@app.command()
def path(track_id: IdArgument) -> None:
    """Print the path of a track's file."""
    from tunesmith.config import load_settings
    from tunesmith.errors import AudioFileError
    from tunesmith.library.prompt_log import prompt_log

    settings = load_settings()
    with prompt_log(settings) as tracks:
        track = tracks.get(track_id)
    file_path, state = file_state(track, settings.data_dir)
    if file_path is None or state == GONE:
        raise AudioFileError(f"the file of track {track.id} is {state}; generate it again: tunesmith again {track.id}")
    typer.echo(str(file_path))


@app.command()
def tree(source: options.Source, as_json: AsJson = False) -> None:
    """Draw the tree of a track's variations: where they come from, and what each one changes."""
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log
    from tunesmith.library.track_tree import tree_of
    from tunesmith.source_tracks import find_logged_track

    with prompt_log(load_settings()) as tracks:
        own = find_logged_track(source, tracks).id
        root = tree_of(tracks, own)
    if as_json:
        typer.echo(as_json_text(root.as_json()))
    else:
        for line in _branches(root, own):
            typer.echo(line)


def _branches(node: TrackNode, own: str, before: str = "") -> Iterator[str]:
    """Yield the lines of a tree; the track that was named has a star."""
    mark = " *" if node.track.id == own else ""
    yield f"{node.track.id}{mark}  {node.changed}"
    for child in node.children:
        is_last = child is node.children[-1]
        first, *others = _branches(child, own)
        yield f"{before}{'└─ ' if is_last else '├─ '}{first}"
        for line in others:
            yield f"{before}{'   ' if is_last else '│  '}{line}"


@app.command()
def repair() -> None:
    """Rebuild a damaged database from what is readable; the damaged file is kept. Stop its servers first."""
    from tunesmith.config import load_settings
    from tunesmith.library.repair import repair as replaced

    repaired = replaced(load_settings())
    if repaired is None:
        typer.echo("nothing to repair: the database is intact")
        return
    saved = ", ".join(f"{rows} {name}" for name, rows in repaired.rows.items())
    typer.echo(f"saved {saved}; the damaged file is {repaired.damaged}")


def file_state(track: Track, data_dir: Path) -> tuple[Path | None, str]:
    """Return the path of a track's file (None if never saved), and HERE, GONE, CHANGED or NEVER."""
    file = track.generation.file
    if file is None:
        return None, NEVER
    # Results of the server have no path of their own: they are stored by digest.
    file_path = Path(file.path) if file.path else data_dir / "results" / file.digest[:2] / file.digest
    try:
        size = file_path.stat().st_size
    except OSError:
        return file_path, GONE
    # The size is a cheap sign of a change; a digest would read the whole file.
    return file_path, HERE if size == file.bytes else CHANGED


def track_json(track: Track, data_dir: Path) -> dict[str, Any]:
    """Return a track as JSON, with the path and the state of its file."""
    file_path, state = file_state(track, data_dir)
    return {**track.as_json(), "path": None if file_path is None else str(file_path), "file": state}


def _mark(track_ids: Iterable[str], marks: Any) -> None:
    from tunesmith.config import load_settings
    from tunesmith.library.prompt_log import prompt_log

    with prompt_log(load_settings()) as tracks:
        # Look up all tracks first: an unknown id must fail before any is marked.
        for track in [tracks.get(track_id) for track_id in track_ids]:
            _print_marks(tracks.mark(track.id, marks))


def _print_marks(track: Track) -> None:
    typer.echo(f"{track.id}: {_marks(track) or 'no marks'}: {_shown_prompt(track)}")


def _marks(track: Track) -> str:
    return " ".join(["★"] * track.starred + [f"{track.rating}/5"] * bool(track.rating) + [f"#{t}" for t in track.tags])


def _shown_prompt(track: Track) -> str:
    """Return the edits of a track, the newest first, its recall and its prompt, shortened for a table."""
    from tunesmith.audio.edits import edit_in_words, edits_of
    from tunesmith.performed.recall_text import recall_in_words

    edits = [edit_in_words(step) for step in edits_of(track.generation.metadata)]
    recall = recall_in_words(track.generation.metadata)
    performed = f"performed ({recall})" if recall else None
    shown = "; ".join([*edits[::-1], *filter(None, [performed, track.prompt])])
    return shown if len(shown) <= SHOWN_PROMPT else f"{shown[:SHOWN_PROMPT]}…"


def _show_table(found: Iterable[Track], data_dir: Path) -> None:
    from tunesmith.cli.tables import print_table

    print_table(COLUMNS, [_row(track, data_dir) for track in found])


def _row(track: Track, data_dir: Path) -> tuple[str, ...]:
    file_path, state = file_state(track, data_dir)
    created = datetime.fromtimestamp(track.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
    file = str(file_path) if file_path is not None and state == HERE else state
    seconds, seed = f"{track.generation.duration:.1f}", "" if track.seed is None else str(track.seed)
    return (track.id, created, track.generation.generated_by, seconds, seed, _marks(track), _shown_prompt(track), file)


def _export(which: TrackFilter, form: str, settings: Settings) -> None:
    from tunesmith.errors import InvalidRequest
    from tunesmith.library.prompt_log import prompt_log

    if form not in ("csv", "jsonl"):
        raise InvalidRequest("export", f"must be csv or jsonl, got {form[:40]!r}")
    with prompt_log(settings) as tracks:
        # A generator, because an export has no limit: each row is printed as it is read.
        rows = (track_json(track, settings.data_dir) for track in tracks.every(which))
        if form == "csv":
            _write_csv(rows)
        else:
            for row in rows:
                typer.echo(as_json_text(row))


def _write_csv(rows: Iterable[dict[str, Any]]) -> None:
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        # CSV has no nested values, so their cells hold JSON.
        nested = {name: as_json_text(value) for name, value in row.items() if isinstance(value, dict | list)}
        writer.writerow({**row, **nested})
