"""How far music lies from reference tracks as the YAMNet tagger hears it: the Fréchet distance of its embeddings.

The measure is the Fréchet audio distance (Kilgour et al. 2019): both sets of embeddings are taken for normal
distributions. 0 is the same distribution; the reference's own halves show what chance leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judges.excerpt import Floats
from judges.tags import Matrix, Tagger, mono

EMBEDDING = "/model/GlobalAveragePool_output_0"
"""What the classifier sees: 1024 features that are never negative, so that their zero point is 0."""


class EmbeddingModel(Tagger):
    """Turns sound into embeddings, one each 0.48 s."""

    def __init__(self) -> None:
        super().__init__(f"{EMBEDDING}_q")

    def embeddings(self, samples: Matrix, sample_rate: int) -> Matrix:
        """Return (patches, 1024); ``samples`` is (channels, samples)."""
        steps = [self.outputs(patch)[1].ravel() for patch in self.patches(mono(samples, sample_rate))]
        return np.array(steps, dtype=np.float32) * np.float32(self.quantization[f"{EMBEDDING}_scale"])


@dataclass(frozen=True)
class Distribution:
    """The ``mean`` (features,) and the ``covariance`` (features, features) of a set of embeddings."""

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, embeddings: Sequence[Matrix]) -> Distribution:
        """Return the distribution of all patches, each array (patches, features)."""
        stacked = np.concatenate(embeddings).astype(np.float64)
        return cls(stacked.mean(axis=0), np.cov(stacked.T))

    def distance_to(self, other: Distribution) -> float:
        """Return the Fréchet distance, squared as usual."""
        # The trace of the root of the product of two covariances, by a symmetric matrix with the same eigenvalues.
        values, vectors = np.linalg.eigh(self.covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other.covariance @ root), 0)).sum()
        apart = self.mean - other.mean
        return float(apart @ apart + np.trace(self.covariance) + np.trace(other.covariance) - 2 * shared)
