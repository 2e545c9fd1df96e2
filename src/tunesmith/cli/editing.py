"""The steps that all editing commands share: read, change, write, log, and warn of what is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.console import print_warning

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.audio.edits import Edit
    from tunesmith.config import Settings

WHY_NO_LOOP: Mapping[str, str] = {
    "trim": "a part of the loop is cut off",
    "fade": "the fade lies in the loop",
    "fit": "bars of the loop are removed or repeated, or its end is cut",
    "stitch": "the parts of a stitched file do not loop",
}
"""Why an edit does not keep loop points, by its name."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A written file: its path, its sound with metadata, and its id in the prompt log."""

    path: Path
    audio: Audio
    track: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the fields that every edit reports as JSON."""
        from tunesmith.audio.credits import licence_of, terms_of_sound
        from tunesmith.audio.markers import loop_points_json

        return {
            "file": str(self.path), "id": self.track, "duration": self.audio.duration,
            "licence": licence_of(self.audio.metadata), **terms_of_sound(self.audio.metadata).to_json(),
            "loop_points": loop_points_json(self.audio.metadata, self.audio.sample_rate),
        }  # fmt: skip


def edit_file(
    file: Path,
    output: Path,
    edit: Edit,
    change: Callable[[Audio], Audio],
    settings: Settings | None = None,
    parent: str | None = None,
    **written_as: Any,
) -> Edited:
    """Write the changed sound of ``file`` to ``output``; ``written_as`` are options of the file writer.

    Settings are loaded if None; ``parent`` is as in Written. Raises AudioFileError, and InvalidRequest if ``output`` is
    ``file`` itself.
    """
    from tunesmith.cli.input_files import check_output, read_sound
    from tunesmith.config import load_settings

    # An output that cannot be written fails before the sound is read and changed.
    check_output(output, file)
    started = time.monotonic()
    audio = read_sound(file)
    changed = change(audio)
    how = Written(edit, started, written_as, settings or load_settings(), parent)
    return write_edited([file], [audio], changed, output, how)


@dataclass(frozen=True, slots=True)
class Written:
    """The origin of a result: the edit, its start (monotonic seconds), the writer's options, and the settings.

    ``parent`` is the track that it comes from, where the log does not know the source's file.
    """

    edit: Edit
    started: float
    options: Mapping[str, Any]
    settings: Settings
    parent: str | None = None


def write_edited(files: Sequence[Path], sources: Sequence[Audio], changed: Audio, output: Path, how: Written) -> Edited:
    """Write the result of an edit, with the chain of edits as metadata, and add it to the prompt log."""
    from tunesmith.audio.edits import edited, file_source
    from tunesmith.audio.writer import write_audio
    from tunesmith.cli.track_log import log_edit

    named = [file_source(file) for file in files]
    audio = edited(changed, how.edit, *named)
    write_audio(audio, output, **how.options)
    _warn_of_losses(files, sources, audio, how.edit.name)
    took = time.monotonic() - how.started
    # A track in the log has one parent: the first source.
    return Edited(
        output, audio, log_edit(how.settings, audio, output, how.edit.name, named[0]["sha256"], took, how.parent)
    )


def _warn_of_losses(files: Sequence[Path], sources: Sequence[Audio], audio: Audio, edit: str) -> None:
    from tunesmith.audio.markers import markers_of
    from tunesmith.audio.tags import unread_names

    lost = dict.fromkeys(name for file in files for name in unread_names(file))
    if lost:
        print_warning(f"not kept: {', '.join(lost)}")
    # Loops count only as lost if a source had more of them than the result.
    had = max(len(markers_of(source.metadata, source.sample_rate).loops) for source in sources)
    if edit in WHY_NO_LOOP and len(markers_of(audio.metadata, audio.sample_rate).loops) < had:
        print_warning(f"loop points are not kept: {WHY_NO_LOOP[edit]}")
