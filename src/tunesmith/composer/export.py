"""Export of a composition to files other than its mix: MIDI and stems."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.composer.composition import Composition
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score_file import dump_score
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck, ProgressCallback

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The timestamp of every ZIP entry: a fixed one, so that the same piece gives the same bytes."""


def export(composition: Composition, path: Path, progress: ProgressCallback, cancelled: CancelCheck) -> None:
    """Write the file that the suffix selects: ``.mid``, ``.yaml`` (the score), or a ZIP of WAV files with the stems.

    ``.zip`` has the stems before mastering, in 32 bits; ``.stems`` has their shares of the finished mix, in 24.

    Raises InvalidRequest for another suffix.
    """
    if path.suffix == ".mid":
        write_midi(composition.score, path)
    elif path.suffix == ".yaml":
        path.write_text(dump_score(composition.score, composition.written), encoding="utf-8")
    elif path.suffix == ".zip":
        _write_stems(composition.stems(progress, cancelled), path, bits=32)
    elif path.suffix == ".stems":
        _write_stems(composition.mastered_stems(progress, cancelled), path, bits=24)
    else:
        raise InvalidRequest("format", f"must be mid, yaml, zip or stems, got {path.suffix}")


def _write_stems(stems: Iterable[tuple[str, Audio]], path: Path, *, bits: int) -> None:
    with TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path, "w") as archive:
        for number, (name, stem) in enumerate(stems, start=1):
            words = "-".join(re.findall(r"\w+", name.lower()))
            sound = write_audio(stem, Path(folder) / "stem.wav", bits=bits)
            # The fixed timestamp makes two exports equal byte for byte.
            entry = zipfile.ZipInfo(f"{number:02d}-{words}.wav", OLDEST)
            # In chunks: a stem of a long piece may not fit in memory.
            with sound.open("rb") as file, archive.open(entry, "w", force_zip64=True) as target:
                while chunk := file.read(1 << 20):
                    target.write(chunk)
