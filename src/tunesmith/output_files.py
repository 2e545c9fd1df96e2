"""Where results go: names of files from prompts, names held for a file, and checks before the work starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import AudioFileError, InvalidRequest
from tunesmith.plain_text import plain_text

MAX_SLUG = 48
STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files to write.

    ``output`` is the sound's file; None names it after prompt and seed, with ``suffix``. ``layers`` are intensities
    from 0 to 1 at which the same music is written again, beside ``output``.
    """

    output: Path | None = None
    to_standard_output: bool = False
    suffix: str = ".wav"
    stems: Path | None = None
    midi: Path | None = None
    score: Path | None = None
    layers: tuple[float, ...] = ()

    @classmethod
    def checked(
        cls, output: str | None, suffix: str, stems: Path | None = None, midi: Path | None = None,
        score: Path | None = None, layers: str | None = None,
    ) -> OutputFiles:  # fmt: skip
        """Return the files after checking that each can be written; makes the folder of the stems.

        Raises AudioFileError for a path that cannot be written, InvalidRequest for what does not go together.
        """
        from tunesmith.audio.writer import check_writable

        to_standard_output = output == STANDARD_OUTPUT
        path = Path(output) if output and not to_standard_output else None
        if path is not None:
            check_writable(path)
        for name, extra in (("midi", midi), ("score", score)):
            if extra is not None:
                check_folder_of(name, extra)
        given = [file.resolve() for file in (path, midi, score) if file is not None]
        if len(set(given)) < len(given):
            raise InvalidRequest("output", "the sound, --midi and --score need files of their own")
        if stems is not None:
            make_folder("stems", stems)
        levels = _intensities(layers)
        if to_standard_output and levels:
            raise InvalidRequest("layers", "are several files and cannot go to standard output")
        return cls(path, to_standard_output, suffix, stems, midi, score, levels)

    @property
    def needs_composition(self) -> bool:
        """Whether there is a file to write that only the composer has."""
        return bool(self.stems or self.midi or self.score or self.layers)


def slug(text: str) -> str:
    """Return the words of a prompt as a file name that every system takes."""
    words = re.findall(r"\w+", plain_text(text).lower())
    name = ""
    for word in words:
        if len(name) + len(word) + 1 > MAX_SLUG:
            break
        name = f"{name}-{word}" if name else word
    return name or (words[0][:MAX_SLUG] if words else "music")


def with_suffix_word(path: Path, word: str) -> Path:
    """Return the path with a word before its suffix: song.wav, 2 → song-2.wav."""
    return path.with_name(f"{path.stem}-{word}{path.suffix}") if word else path


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


def _intensities(text: str | None) -> tuple[float, ...]:
    try:
        levels = tuple(float(item) for item in (text or "").split(",") if item.strip())
    except ValueError:
        levels = (-1.0,)
    if not all(0 <= level <= 1 for level in levels):
        raise InvalidRequest("layers", f"must be intensities from 0 to 1 with commas between, got {text!r}")
    return levels
