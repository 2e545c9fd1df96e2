"""Repeat an edited track: generate it, then apply the edits in order, each from a file as the first time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tunesmith.errors import InvalidRequest

if TYPE_CHECKING:
    from tunesmith.audio.edits import Edit
    from tunesmith.config import Settings
    from tunesmith.pipeline import GeneratedFile
    from tunesmith.request import GenerationRequest
    from tunesmith.source_tracks import SourceTrack


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """An edit, and the name of its source file."""

    edit: Edit
    source: str


def steps_of(metadata: Mapping[str, Any]) -> tuple[ReplayStep, ...]:
    """Return the edits of a file in order; raises InvalidRequest if one cannot be repeated."""
    from tunesmith.audio.edits import EDIT, SOURCE, Edit, edits_of
    from tunesmith.audio.formats import FORMATS
    from tunesmith.cli.edit_functions import change_of
    from tunesmith.plain_text import path_of

    steps = []
    for step in edits_of(metadata):
        source = step.get(SOURCE)
        name = path_of(str(source.get("name"))).name if isinstance(source, Mapping) else ""
        edit = Edit(str(step.get(EDIT)), {key: value for key, value in step.items() if key not in (EDIT, SOURCE)})
        # Raises for an unknown edit now, before anything is generated.
        change_of(edit)
        if Path(name).suffix.lower() not in FORMATS:
            raise InvalidRequest("edit", f"cannot be repeated: {edit.name} of {name or 'several files'}")
        steps.append(ReplayStep(edit, name))
    return tuple(steps)


def generate_and_edit(
    track: SourceTrack, output: str | None, settings: Settings, silent: bool, parent: str | None = None
) -> GeneratedFile:
    """Generate a track and repeat its edits; keep and log only the last file, as a change of ``parent`` if given.

    Raises InvalidRequest if ``output`` is standard output.
    """
    from tunesmith.cli.edit_functions import change_of, writer_options
    from tunesmith.cli.editing import edit_file
    from tunesmith.output_files import STANDARD_OUTPUT
    from tunesmith.pipeline import GeneratedFile

    if output == STANDARD_OUTPUT:
        raise InvalidRequest("output", "must be a file for an edited piece, not standard output")
    started, request, steps, suffix = time.monotonic(), track.request, steps_of(track.metadata), track.suffix
    unlogged = settings.model_copy(update={"prompt_log": False})
    with TemporaryDirectory(prefix="tunesmith-") as folder:
        source, *paths = _step_paths(Path(folder), steps)
        _generate(request, source, silent)
        # The last step has no place: it writes the final file below.
        for step, path in zip(steps, paths, strict=False):
            edit_file(source, path, step.edit, change_of(step.edit), unlogged, **writer_options(step.edit))
            source = path
        last = steps[-1].edit
        final = _final(request, output, suffix)
        done = edit_file(source, final, last, change_of(last), settings, parent, **writer_options(last))
    took = round(time.monotonic() - started, 3)
    return GeneratedFile(request, done.audio.duration, took, (str(done.path),), (), done.audio.metadata, done.track)


def _step_paths(folder: Path, steps: Sequence[ReplayStep]) -> Iterator[Path]:
    """Yield a path for the source of each step, under its original name."""
    for number, step in enumerate(steps):
        # A folder for each step, because two sources may have the same name.
        path = folder / str(number)
        path.mkdir()
        yield path / step.source


def _generate(request: GenerationRequest, path: Path, silent: bool) -> None:
    from tunesmith.cli.console import print_warning, progress_bar
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import generate_files

    files = OutputFiles.checked(str(path), path.suffix)
    with progress_bar(silent) as progress:
        generate_files([request], files, progress=progress, warn=print_warning)


def _final(request: GenerationRequest, output: str | None, suffix: str) -> Path:
    from tunesmith.output_files import slug

    return Path(output) if output else Path(f"{slug(request.prompt)}-{request.seed}-edited{suffix}")
