"""Export of a composition to files other than its mix: MIDI, score, stems and layers."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.composer.composition import Composition
from tunesmith.composer.intensity_layers import IntensityLayer, write_layers
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score_file import dump_score
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback
from tunesmith.layer_intensities import USUAL_INTENSITIES

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The timestamp of every ZIP entry: a fixed one, so that the same piece gives the same bytes."""


def export(
    composition: Composition,
    path: Path,
    progress: ProgressCallback,
    cancelled: CancelCheck,
    layers: Sequence[float] = (),
) -> None:
    """Write the file that the suffix selects: ``.mid``, ``.yaml`` (the score), or a ZIP of WAV files.

    ``.zip`` has the stems before mastering, in 32 bits; ``.stems`` has their shares of the finished mix, in 24.
    ``.layers`` has the intensity layers at ``layers``, 0–1, and their manifest.

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
    elif path.suffix == ".layers":
        _write_layers(composition.layers(layers or USUAL_INTENSITIES), path, progress, cancelled)
    else:
        raise InvalidRequest("format", f"must be mid, yaml, zip, stems or layers, got {path.suffix}")


def _write_stems(stems: Iterable[tuple[str, Audio]], path: Path, *, bits: int) -> None:
    with TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path, "w") as archive:
        for number, (name, stem) in enumerate(stems, start=1):
            words = "-".join(re.findall(r"\w+", name.lower()))
            sound = write_audio(stem, Path(folder) / "stem.wav", bits=bits)
            _pack(archive, sound, f"{number:02d}-{words}.wav")


def _write_layers(
    layers: Sequence[IntensityLayer], path: Path, progress: ProgressCallback, cancelled: CancelCheck
) -> None:
    def report(number: int) -> ProgressCallback:
        return partial(_report_share, progress, number, len(layers))

    with TemporaryDirectory(dir=path.parent) as name, zipfile.ZipFile(path, "w") as archive:
        folder = Path(name)
        files = write_layers(
            layers,
            lambda layer: folder / f"{layer.word}.wav",
            folder / "layers.json",
            report=report,
            cancelled=cancelled,
        )
        for file in files:
            _pack(archive, file, file.name)


def _report_share(progress: ProgressCallback, number: int, of: int, one: Progress) -> None:
    progress(Progress(one.stage, (number + one.fraction) / of))


def _pack(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    # The fixed timestamp makes two exports equal byte for byte.
    entry = zipfile.ZipInfo(name, OLDEST)
    # In chunks: a stem of a long piece may not fit in memory.
    with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as target:
        while chunk := file.read(1 << 20):
            target.write(chunk)
