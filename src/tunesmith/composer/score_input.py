"""Scores from files: a score document, or a MIDI file, as a score to play."""

from __future__ import annotations

from pathlib import Path

from tunesmith.composer.score_file import LoadedScore, load_document
from tunesmith.errors import InvalidRequest
from tunesmith.text_files import decoded

SCORE_SUFFIXES, MIDI_SUFFIXES = (".yaml", ".yml"), (".mid", ".midi")
# Half an hour of a full band takes 2 MB.
MAX_SCORE_BYTES = 20_000_000


def text_of_score(path: Path) -> str:
    """Return the text of a score file; raise InvalidRequest where it cannot be read, is too long or is MIDI."""
    content = bytes_of_score(path)
    if is_midi(content):
        raise InvalidRequest(
            "score", f"{path} is MIDI; tunesmith render {path} --score FILE.yaml -o FILE.wav converts it"
        )
    return decoded(content, str(path), "score")


def bytes_of_score(path: Path) -> bytes:
    """Return the bytes of a score or MIDI file; raise InvalidRequest where it cannot be read or is too long."""
    try:
        with path.open("rb") as file:
            # One byte beyond the limit shows that a file is too long without reading all of it.
            content = file.read(MAX_SCORE_BYTES + 1)
    except OSError as error:
        raise InvalidRequest("score", f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_SCORE_BYTES:
        raise InvalidRequest("score", f"{path} must be at most {MAX_SCORE_BYTES} bytes")
    return content


def is_midi(content: bytes) -> bool:
    """Return whether a file is a Standard MIDI File, by its first bytes."""
    return content.startswith(b"MThd")


def loaded_score(path: Path) -> LoadedScore:
    """Return the score of a score file or a MIDI file; raise InvalidRequest or InvalidScore."""
    content = bytes_of_score(path)
    # A file called MIDI that is none would be reported as broken YAML.
    if not is_midi(content) and path.suffix.lower() in MIDI_SUFFIXES:
        from tunesmith.composer.midi_in import read_song

        read_song(content)
    return score_of_bytes(content, path.stem, str(path))


def score_of_bytes(content: bytes, title: str, name: str = "the score") -> LoadedScore:
    """Return the score of the content of a score file or a MIDI file, the latter with this title.

    ``name`` is that of the file in errors. Raises InvalidRequest or InvalidScore.
    """
    if not is_midi(content):
        return load_document(decoded(content, name, "score"))
    from tunesmith.composer.midi_in import midi_score, read_song

    song = read_song(content)
    return LoadedScore(midi_score(song, title), None, song.warnings)
