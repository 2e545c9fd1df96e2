"""The scenes of the lexicon by meaning: their first words in each language, encoded, and the nearest to a prompt.

A scene whose words a prompt does not have may still lie near to it. As every scene has a vector in each language, a
prompt and its translation are near to the same scenes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.composer.prompt.lexicon import value
from tunesmith.composer.prompt.lexicon_index import LANGUAGES, TABLES, digest, lexicon_table, lexicon_text
from tunesmith.composer.prompt.sentence_encoder import Vectors, encode
from tunesmith.composer.prompt.stored_vectors import stored_vectors

_FIRST_WORDS = 4
# Every text about music lies near to these, whatever music it means.
_ABOUT_ANY_MUSIC = frozenset({"opera", "concert"})
_NEAREST = 4
# Of the cosine: a scene this much farther than the nearest counts 1/e as much.
_SPREAD = 0.05
_STEPS = 127


@dataclass(frozen=True, slots=True)
class SceneVectors:
    """The names of scenes and their unit vectors, (rows, 512); a scene has a row for each language."""

    names: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class NearScenes:
    """What the scenes nearest to a text lean to: the weight of each genre, and the cosine of the nearest scene."""

    genres: Mapping[str, float]
    similarity: float


def scene_sentences() -> tuple[tuple[str, str], ...]:
    """Return (scene, words) pairs, one for each language of each scene."""
    return tuple(
        (name, ", ".join([word.strip() for word in str(row[language]).split(",")][:_FIRST_WORDS]))
        for table in _tables()
        for name, row in lexicon_table(table).items()
        if name not in _ABOUT_ANY_MUSIC
        for language in LANGUAGES
        if language in row
    )


def scenes_digest() -> str:
    """Return the digest of the tables of scenes."""
    # The text of the tables, because parsing them takes longer than everything else here.
    return digest(*map(lexicon_text, _tables()))


def encoded_scenes() -> tuple[np.ndarray, np.ndarray]:
    """Return the names and the vectors of all scenes in steps of 1/127, as they are stored."""
    rows = scene_sentences()
    vectors = encode([words for _, words in rows])
    return np.array([name for name, _ in rows]), np.round(vectors * _STEPS / np.abs(vectors).max()).astype(np.int8)


@functools.cache
def scene_vectors() -> SceneVectors:
    """Return the scenes: those in the package where they are current, otherwise freshly encoded ones."""
    stored = stored_vectors("scenes.npz", scenes_digest())
    return _scaled(*encoded_scenes()) if stored is None else _scaled(stored["names"], stored["vectors"])


def near_scenes(vector: Vectors) -> NearScenes:
    """Return what the scenes nearest to a unit vector, (512,), lean to."""
    table = scene_vectors()
    nearest: dict[str, float] = {}
    # Of a scene's languages, the nearest counts.
    for name, similarity in zip(table.names, (table.vectors @ vector).tolist(), strict=True):
        nearest[name] = max(nearest.get(name, -1.0), similarity)
    best = sorted(nearest.items(), key=lambda pair: (-pair[1], pair[0]))[:_NEAREST]
    shares = [float(np.exp((similarity - best[0][1]) / _SPREAD)) for _, similarity in best]
    genres: dict[str, float] = {}
    for (name, _), share in zip(best, shares, strict=True):
        for genre, weight in value("use", name)["genres"].items():
            genres[genre] = genres.get(genre, 0.0) + float(weight) * share / sum(shares)
    return NearScenes(genres, best[0][1])


def _tables() -> tuple[str, ...]:
    return tuple(table for table, kind in TABLES.items() if kind == "use")


def _scaled(names: np.ndarray, steps: np.ndarray) -> SceneVectors:
    vectors = steps.astype(np.float32)
    return SceneVectors(tuple(map(str, names)), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
