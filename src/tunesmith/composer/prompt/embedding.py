"""Sentence embeddings: what a prompt means where its words are in no table, by a multilingual sentence encoder.

The encoder takes most of a second to load, so it is loaded only when needed. The vectors of the anchor sentences are
stored in ``anchors.npz`` with a digest of the sentences; where the digest differs, they are computed again.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import Loader, genre_names
from tunesmith.composer.prompt.lexicon_index import digest, genre_wording, lexicon_table
from tunesmith.composer.prompt.scene_vectors import near_scenes
from tunesmith.composer.prompt.sentence_encoder import Vectors, encode
from tunesmith.composer.prompt.stored_vectors import stored_vectors

NEAREST_ANCHORS = 2
_LOWEST_SIMILARITY = {"LATIN": 0.3} | dict.fromkeys(
    ("CYRILLIC", "ARABIC", "HANGUL", "THAI", "CJK", "HIRAGANA", "KATAKANA"), 0.37
)
# The encoder was not trained on other scripts.
_LOWEST_ELSEWHERE = 0.5
SURE_SCENE = 0.6
"""The similarity from which a scene is understood: its few words lie nearer to nonsense than a sentence does."""
# Measured on scenes in seven languages: scenes agree more than genres do.
_SCENE_WEIGHT, _GAIN = 1.5, 0.7
# A projection of 0.2 on an axis is already a strong mood.
_MOOD_GAIN = 5.0


@dataclass(frozen=True, slots=True)
class Anchors:
    """Anchor sentences and their unit vectors, (sentences, 512)."""

    labels: tuple[str, ...]
    vectors: Vectors


@functools.cache
def anchor_sentences() -> tuple[tuple[str, str], ...]:
    """Return (label, sentence) pairs; a label is a genre or an end of a mood axis."""
    pairs = []
    scenes, axes = lexicon_table("scenes"), lexicon_table("mood_axes")
    for name in genre_names():
        own: dict[str, Any] = yaml.load(genre_wording(name), Loader=Loader)  # noqa: S506  CSafeLoader is safe
        pairs += [(name, sentence) for sentence in (*own["anchors"], *scenes.get(name, ()))]
    pairs += [(f"axis:{end}", sentence) for end, sentences in axes.items() for sentence in sentences]
    return tuple(pairs)


def anchors_digest() -> str:
    """Return the digest of the anchor sentences."""
    return digest(*(f"{label}\t{sentence}" for label, sentence in anchor_sentences()))


@functools.cache
def anchors() -> Anchors:
    """Return the anchors: those in the package where they are current, otherwise freshly encoded ones."""
    labels, sentences = zip(*anchor_sentences(), strict=True)
    stored = stored_vectors("anchors.npz", anchors_digest())
    return Anchors(labels, encode(sentences) if stored is None else stored["vectors"].astype(np.float32))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text is near to in meaning.

    ``genres`` maps a genre to a score (1 is clearly the nearest, 0 the average), ``mood`` is the text's mood, and
    ``similarity`` the cosine to the nearest sentence about music or the nearest scene.
    """

    genres: Mapping[str, float]
    mood: Mood
    similarity: float


def lowest_similarity(text: str) -> float:
    """Return the similarity below which a text in its script has no meaning.

    Measured: descriptions of music in the encoder's languages have 0.38 to 0.9, single English words from 0.28, other
    languages 0.1 to 0.37, random letters 0.1 to 0.4.
    """
    return _LOWEST_SIMILARITY.get(_script_of(text), _LOWEST_ELSEWHERE)


def is_in_script_of_tables(text: str) -> bool:
    """Return whether a text is in a script of the seven languages that have word tables."""
    return _script_of(text) in ("LATIN", "CJK", "HIRAGANA", "KATAKANA")


def _script_of(text: str) -> str:
    """Return the script of most letters, as Unicode names begin with it, or nothing without letters."""
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha())
    return scripts.most_common(1)[0][0] if scripts else ""


@functools.lru_cache(maxsize=256)
def meaning_of(text: str) -> Meaning:
    """Compare a text with every anchor sentence and every scene."""
    table, vector = anchors(), encode([text])[0]
    near, scenes = table.vectors @ vector, near_scenes(vector)
    by_label: dict[str, list[float]] = {}
    for label, similarity in zip(table.labels, near, strict=True):
        by_label.setdefault(label, []).append(float(similarity))
    # The mean of the nearest sentences: one alone is noisy, and all together would penalise broad genres.
    best = {label: float(np.mean(sorted(rows)[-NEAREST_ANCHORS:])) for label, rows in by_label.items()}
    scores = {label: score for label, score in best.items() if not label.startswith("axis:")}
    axis = {label.removeprefix("axis:"): float(np.mean(rows)) for label, rows in by_label.items() if ":" in label}
    # Opposite anchors are subtracted, so that how musical the text sounds at all cancels out.
    mood = Mood(_axis(axis["bright"] - axis["dark"]), _axis(axis["driving"] - axis["calm"]))
    nearest = max(max(rows) for label, rows in by_label.items() if not label.startswith("axis:"))
    own = _standardised(scores)
    genres = {name: _GAIN * (own[name] + _SCENE_WEIGHT * scenes.genres.get(name, 0.0)) for name in own}
    return Meaning(genres, mood, max(nearest, scenes.similarity if scenes.similarity >= SURE_SCENE else 0.0))


def _axis(difference: float) -> float:
    return float(np.tanh(_MOOD_GAIN * difference))


def _standardised(scores: Mapping[str, float]) -> Mapping[str, float]:
    values = np.array(list(scores.values()))
    # The encoder's cosines lie close together, so genres are compared in standard deviations.
    spread = float(values.std()) or 1.0
    return {name: (score - float(values.mean())) / (3 * spread) for name, score in scores.items()}
