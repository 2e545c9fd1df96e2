"""Background music to be compared with: its norms, which stand in a file, and its tracks where someone has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml

from judges.descriptors import describe
from judges.embedding_distance import EmbeddingModel
from judges.excerpt import Matrix, excerpt_of
from judges.repetition import repetition

NORMS = Path(__file__).parents[1] / "sound_norms.yaml"
TEMPO_LINE = re.compile(r"^\s*(?P<file>\S+\.opus)\s+(?P<tempo>\d+) bpm", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Band:
    """The 10th, 50th and 90th percentile of a measure over the reference tracks."""

    low: float
    median: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a value lies between the 10th and the 90th percentile."""
        return self.low <= value <= self.high

    def difference(self, other: Band) -> float:
        """Return the largest difference of a percentile."""
        return max(abs(self.low - other.low), abs(self.median - other.median), abs(self.high - other.high))

    @classmethod
    def of(cls, values: Sequence[float]) -> Band:
        """Return the percentiles of some values."""
        return cls(*map(float, np.percentile(values, [10, 50, 90])))


@dataclass(frozen=True)
class Norms:
    """What the reference measures.

    ``descriptors`` and ``similarities`` by name; ``headline`` names the descriptors that matter most; ``melody`` has
    the least or the greatest value of each measure of a melody as (least, greatest), None where there is none.
    """

    descriptors: Mapping[str, Band]
    similarities: Mapping[str, Band]
    headline: tuple[str, ...]
    melody: Mapping[str, tuple[float | None, float | None]]


def read_norms() -> Norms:
    """Read the norms."""
    found = yaml.safe_load(NORMS.read_text(encoding="utf-8"))
    return Norms(
        descriptors={name: Band(*values) for name, values in found["descriptors"].items()},
        similarities={name: Band(*values) for name, values in found["similarities"].items()},
        headline=tuple(found["headline"]),
        melody={name: (limits.get("least"), limits.get("greatest")) for name, limits in found["melody"].items()},
    )


def reference_tracks(folder: Path) -> list[Path]:
    """Return the Opus files under a folder, in order."""
    return sorted(folder.rglob("*.opus"))


def reference_embeddings(folder: Path) -> list[Matrix]:
    """Return what the tagger hears in each track under a folder."""
    model = EmbeddingModel()
    return [model.embeddings(*read(path)) for path in reference_tracks(folder)]


def measured_again(folder: Path) -> tuple[dict[str, Band], dict[str, Band]]:
    """Measure the bands of the descriptors and of the similarities; the package's licence text states the tempi."""
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("LICENSE-MUSIC")]
    tempos = {found["file"]: float(found["tempo"]) for text in texts for found in TEMPO_LINE.finditer(text)}
    descriptors, similarities = [], []
    for path in reference_tracks(folder):
        excerpt, tempo_bpm = excerpt_of(*read(path)), tempos.get(path.name)
        descriptors.append(describe(excerpt))
        if tempo_bpm:
            similarities.append(asdict(repetition(excerpt, 60 / tempo_bpm, 240 / tempo_bpm)))
    return bands(descriptors), bands(similarities)


def bands(rows: Sequence[Mapping[str, float]]) -> dict[str, Band]:
    """Return the band of each measure that all rows have."""
    return {name: Band.of([row[name] for row in rows]) for name in (rows[0] if rows else {})}


def read(path: Path) -> tuple[Matrix, int]:
    """Return a file's samples, (channels, n), and its sample rate."""
    samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, sample_rate
