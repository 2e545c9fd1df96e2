"""How a set of pieces compares with the reference: by descriptor, by similarity, by melody, by distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from judges.embedding_distance import Distribution
from judges.excerpt import Matrix
from judges.reference import Band, Norms

ENOUGH_PIECES = 0.75
"""A descriptor holds where this share of the pieces lies in the reference's band."""
NEAR_MEDIAN = 0.08
"""Similarities hold where their median is this near to the reference's."""


@dataclass(frozen=True)
class Piece:
    """What was measured of one of our pieces; a melody is empty where there is none to measure."""

    prompt: str
    half: str
    genre: str
    descriptors: Mapping[str, float]
    similarities: Mapping[str, float | None]
    melody: Mapping[str, float]
    embeddings: Matrix


@dataclass(frozen=True, slots=True)
class Finding:
    """One measure of a set of pieces beside the reference: ``share`` of the pieces lies in its ``band``."""

    name: str
    band: Band
    median: float
    share: float

    @property
    def median_inside(self) -> bool:
        """Whether the median lies in the band."""
        return self.band.holds(self.median)


def findings(
    values: Sequence[Mapping[str, float] | Mapping[str, float | None]], bands: Mapping[str, Band]
) -> list[Finding]:
    """Compare each measure that any piece has with its band."""
    found = []
    for name, band in bands.items():
        here = [value for row in values if (value := row.get(name)) is not None]
        if here:
            found.append(Finding(name, band, median(here), mean(band.holds(value) for value in here)))
    return found


def print_findings(found: Sequence[Finding]) -> None:
    """Print a line a measure: the reference's band, our median, the share inside; ``<`` and ``>`` where outside."""
    print(f"{'':18} {'reference 10 / 50 / 90':>29}  {'ours':>9}    inside")
    for one in found:
        band = f"{one.band.low:9.2f} {one.band.median:9.2f} {one.band.high:9.2f}"
        mark = " " if one.median_inside else "<" if one.median < one.band.low else ">"
        few = "" if one.share >= ENOUGH_PIECES else " few"
        print(f"{one.name:18} {band}  {one.median:9.2f} {mark}  {one.share:5.0%}{few}")


def summary(pieces: Sequence[Piece], norms: Norms, reference: Distribution | None) -> dict[str, object]:
    """Print the tables of a set of pieces and return its figures."""
    descriptors = findings([piece.descriptors for piece in pieces], norms.descriptors)
    headline = [one for one in descriptors if one.name in norms.headline]
    similarities = findings([piece.similarities for piece in pieces], norms.similarities)
    print_findings(headline)
    outside = [one for one in descriptors if one.name not in norms.headline and not one.median_inside]
    print("further descriptors with the median outside:")
    print_findings(outside)
    print("likeness to itself at a lag:")
    print_findings(similarities)
    figures = {
        "headline_medians_inside": mean(one.median_inside for one in headline),
        "headline_pieces_inside": mean(one.share for one in headline),
        "headline_descriptors_with_enough_pieces_inside": mean(one.share >= ENOUGH_PIECES for one in headline),
        "all_medians_inside": mean(one.median_inside for one in descriptors),
        "all_pieces_inside": mean(one.share for one in descriptors),
        "similarities_near": mean(abs(one.median - one.band.median) <= NEAR_MEDIAN for one in similarities),
    }
    return {
        "pieces": len(pieces),
        **{name: round(value, 3) for name, value in figures.items()},
        "similarities": {one.name: round(one.median, 3) for one in similarities},
        "melody": melody(pieces, norms),
        "embedding_distance": distance(pieces, reference),
    }


def melody(pieces: Sequence[Piece], norms: Norms) -> dict[str, float]:
    """Print the medians of the melody's measures beside their limits and return them."""
    found: dict[str, float] = {}
    for name, (least, greatest) in norms.melody.items():
        values = [piece.melody[name] for piece in pieces if name in piece.melody]
        if not values:
            continue
        found[name] = round(median(values), 3)
        holds = (least is None or found[name] >= least) and (greatest is None or found[name] <= greatest)
        limit = f"≥ {least}" if greatest is None else f"≤ {greatest}"
        print(f"melody {name:18} {found[name]:6.2f}  {limit:7} {'' if holds else 'fails'}  ({len(values)} pieces)")
    return found


def distance(pieces: Sequence[Piece], reference: Distribution | None) -> float | None:
    """Return the Fréchet distance of all pieces' embeddings to the reference's; None without one."""
    if reference is None:
        print("distance to the reference tracks: not measured, because no --reference FOLDER was given")
        return None
    found = Distribution.of([piece.embeddings for piece in pieces]).distance_to(reference)
    print(f"distance to the reference tracks: {found:.2f}")
    return round(found, 2)
