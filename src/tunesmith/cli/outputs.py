"""Where results go: file names from prompts, checks before the work starts, and the report after it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import AudioFileError, InvalidRequest
from tunesmith.path_text import is_text

if TYPE_CHECKING:
    from tunesmith.request import GenerationRequest

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """One finished piece: the request, the files it went to, the seconds it took, its id in the prompt log."""

    request: GenerationRequest
    duration: float
    took: float
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    track: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        from tunesmith.audio.markers import stored_loop_points_json

        return {
            "id": self.track,
            "prompt": self.request.prompt,
            "seed": self.request.seed,
            "duration": self.duration,
            "took": self.took,
            "files": list(self.files),
            "warnings": list(self.warnings),
            "loop_points": stored_loop_points_json(self.metadata),
            "metadata": dict(self.metadata),
        }


@contextmanager
def reserve_path(path: Path) -> Iterator[Path]:
    """Give the path, or one with -2, -3 … before its suffix where a file has the name already.

    The name is held by an empty file, so that no other process takes it; on any error that file goes.
    """
    found, number = path, 2
    while not _claim(found):
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    try:
        yield found
    except BaseException:
        found.unlink(missing_ok=True)
        raise


def _claim(path: Path) -> bool:
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError as error:
        raise AudioFileError(f"output: cannot write {path}: {error.strerror}") from None
    return True


def with_suffix_word(path: Path, word: str) -> Path:
    """Return the path with a word before its suffix: song.wav, 2 → song-2.wav."""
    return path.with_name(f"{path.stem}-{word}{path.suffix}") if word else path


def check_folder_of(field_name: str, path: Path) -> None:
    """Raise AudioFileError now if the file could not be written later."""
    if path.is_dir():
        raise AudioFileError(f"{field_name}: cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise AudioFileError(f"{field_name}: cannot write {path}: there is no folder {path.parent}")


def make_folder(field_name: str, folder: Path) -> None:
    """Make the folder unless it is there; raises InvalidRequest when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(field_name, f"cannot make the folder {folder}: {error.strerror}") from None


def as_json_text(value: Any) -> str:
    """Return the value as one line of JSON, in ASCII where it has what standard output or UTF-8 cannot show."""
    shows_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, ensure_ascii=not shows_all, default=str)
    return text if is_text(text) else json.dumps(value, default=str)


def report(made: Sequence[GeneratedFile], as_json: bool, quiet: bool, to_stderr: bool) -> None:
    """Say what was made, where, with which seed and how fast; one JSON object (a list for several) if asked."""
    out = sys.stderr if to_stderr else sys.stdout
    if as_json:
        rows = [one.as_json() for one in made]
        print(as_json_text(rows if len(rows) > 1 else rows[0]), file=out)
    elif not quiet:
        for one in made:
            what = f"{one.duration:.1f} s of music in {one.took:.1f} s, seed {one.request.seed}"
            print("\n".join([what, *(f"  {file}" for file in one.files)]), file=out)
