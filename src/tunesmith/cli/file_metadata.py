"""``tunesmith show FILE``: print the metadata that Tunesmith wrote into a sound file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from tunesmith.audio.credits import SOURCES, credits_of, licence_of, terms_of_sound
from tunesmith.audio.edits import edit_in_words, edits_of
from tunesmith.audio.formats import FORMATS
from tunesmith.audio.tags.own import foreign_tags
from tunesmith.cli.console import as_json_text
from tunesmith.source_tracks import origin_of, parts_of

FIRST = ("title", "prompt", "model", "seed", "licence", "made_with", "model_digest")


def is_sound_file(name: str) -> bool:
    """Return whether a name is that of a file, which need not exist, and not of a model."""
    path = Path(name)
    return path.is_file() or path.suffix.lower() in FORMATS


def show_file(path: Path, as_json: bool) -> None:
    """Print the metadata of a file; raises AudioFileError, and InvalidRequest if Tunesmith did not write it."""
    from tunesmith.audio.reader import read_metadata

    metadata = dict(read_metadata(path))
    parts = parts_of(metadata)
    # Stitched and edited files need no request of their own; any other must come from Tunesmith.
    if not parts and not edits_of(metadata):
        metadata = dict(origin_of(path))
    metadata["licence"], terms = licence_of(metadata), terms_of_sound(metadata)
    if as_json:
        typer.echo(as_json_text({"file": str(path), **metadata, **terms.to_json()}))
        return
    from tunesmith.cli.tables import print_table

    edits = [("edited", edit_in_words(step)) for step in edits_of(metadata)]
    whole = [*_rows_of_parts(parts), ("licence", metadata["licence"])] if parts else [*_rows(metadata)]
    use = [("commercial use", terms.in_words), *(("show to users", line) for line in terms.attributions)]
    print_table(("what", "value"), [("file", str(path)), *whole, *use, *edits])


def _rows_of_parts(parts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield "stitched from", f"{len(parts)} sounds"
    for number, part in enumerate(parts, start=1):
        if nested := parts_of(part):
            yield f"{number}", f"stitched from {len(nested)} sounds"
        known = {**part, "licence": licence_of(part), **_of_file(part)}
        for name in ("file", "artist", *FIRST):
            if known.get(name) is not None:
                yield f"{number} {name}", _shown(known[name])


def _of_file(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file name of a part, and the title and artist in its tags."""
    tags, source = foreign_tags(part), part.get("source")
    named = {"file": source.get("name")} if isinstance(source, Mapping) else {}
    return {**named, **{name: list(tags[name]) for name in ("title", "artist") if name in tags}}


def _rows(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the rows of a file: its identity, credits and tags, then the settings, warnings and request."""
    for name in FIRST:
        if metadata.get(name) is not None:
            yield name, _shown(metadata[name])
    for credit in credits_of(metadata) if metadata.get(SOURCES) else ():
        yield "sources", str(credit)
    for name, values in foreign_tags(metadata).items():
        yield name, _shown(values)
    for name, value in (metadata.get("settings") or {}).items():
        if value not in (None, [], ""):
            yield name, _shown(value)
    for warning in metadata.get("warnings") or ():
        yield "warning", str(warning)
    if isinstance(metadata.get("request"), Mapping):
        yield "request", as_json_text(metadata["request"])


def _shown(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    # A line break in a value would break the lines of the table.
    return " ".join(value.split()) if isinstance(value, str) else as_json_text(value)
