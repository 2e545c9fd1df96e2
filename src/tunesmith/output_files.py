"""Output files: names from prompts, reserved names, and checks before the work starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import AudioFileError, InvalidRequest
from tunesmith.layer_intensities import read_intensities
from tunesmith.plain_text import plain_text

MAX_SLUG = 48
STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files to write.

    ``output`` is the sound file; None derives its name from prompt and seed, with ``suffix``. ``layers`` are the
    intensities, 0 to 1, of versions of the same music in sync, written beside ``output`` with a manifest.
    """

    output: Path | None = None
    to_standard_output: bool = False
    suffix: str = ".wav"
    stems: Path | None = None
    midi: Path | None = None
    score: Path | None = None
    plot: Path | None = None
    layers: tuple[float, ...] = ()

    @classmethod
    def checked(
        cls, output: str | None, suffix: str, stems: Path | None = None, midi: Path | None = None,
        score: Path | None = None, layers: str | None = None, plot: Path | None = None,
    ) -> OutputFiles:  # fmt: skip
        """Return the files after checking that each can be written; create the folder for the stems.

        Raises AudioFileError for a path that cannot be written, InvalidRequest for options that conflict.
        """
        from tunesmith.audio.writer import check_writable

        to_standard_output = output == STANDARD_OUTPUT
        path = Path(output) if output and not to_standard_output else None
        if path is not None:
            check_writable(path)
        for name, extra in (("midi", midi), ("score", score)):
            if extra is not None:
                check_folder_of(name, extra)
        if plot is not None:
            check_plot(plot)
        # Resolved, so that two paths to the same file are found equal.
        given = [file.resolve() for file in (path, midi, score, plot) if file is not None]
        if len(set(given)) < len(given):
            raise InvalidRequest("output", "the audio, --midi, --score and --plot must be different files")
        if stems is not None:
            make_folder("stems", stems)
        levels = () if layers is None else read_intensities(layers)
        if to_standard_output and levels:
            raise InvalidRequest("layers", "are several files and cannot be written to standard output")
        return cls(path, to_standard_output, suffix, stems, midi, score, plot, levels)

    @property
    def needs_composition(self) -> bool:
        """Whether any file needs the composer's composition, not just audio."""
        return bool(self.stems or self.midi or self.score or self.plot or self.layers)


def slug(text: str) -> str:
    """Return the words of a prompt as a file name that is valid on every system, at most 48 characters."""
    words = re.findall(r"\w+", plain_text(text).lower())
    name = ""
    for word in words:
        # Drop whole words rather than cut one.
        if len(name) + len(word) + 1 > MAX_SLUG:
            break
        name = f"{name}-{word}" if name else word
    return name or (words[0][:MAX_SLUG] if words else "music")


def with_suffix_word(path: Path, word: str) -> Path:
    """Return the path with a word before its suffix: song.wav and 2 give song-2.wav."""
    return path.with_name(f"{path.stem}-{word}{path.suffix}") if word else path


@contextmanager
def reserve_path(path: Path) -> Iterator[Path]:
    """Yield the path, or one with -2, -3 … before its suffix if the file exists.

    An empty file reserves the name against other processes; it is deleted on any error.
    """
    found, number = path, 2
    while not _claim(found):
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    try:
        yield found
    # Also when interrupted, or the empty file would remain.
    except BaseException:
        found.unlink(missing_ok=True)
        raise


def _claim(path: Path) -> bool:
    try:
        # Creation is atomic: of several processes, exactly one gets the name.
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError as error:
        raise AudioFileError(f"output: cannot write {path}: {error.strerror}") from None
    return True


def check_folder_of(field_name: str, path: Path) -> None:
    """Raise AudioFileError if a file cannot be written to ``path``, before the work starts."""
    if path.is_dir():
        raise AudioFileError(f"{field_name}: cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise AudioFileError(f"{field_name}: cannot write {path}: there is no folder {path.parent}")


def check_plot(path: Path, field_name: str = "plot") -> None:
    """Raise InvalidRequest if no picture of this name can be drawn, AudioFileError if its folder does not exist."""
    from tunesmith.audio.spectrogram_plot import check_drawable

    check_drawable(path, field_name)
    check_folder_of(field_name, path)


def make_folder(field_name: str, folder: Path) -> None:
    """Create the folder if it does not exist; raise InvalidRequest if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(field_name, f"cannot create the folder {folder}: {error.strerror}") from None
