"""Hearing: everything measured of one sound, once."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio.analysis.features import Features, features_of
from tunesmith.audio.analysis.key import KeyEstimate, key_of
from tunesmith.audio.analysis.likeness import Likeness
from tunesmith.audio.analysis.rhythm import Rhythm, rhythm_of
from tunesmith.audio.buffer import Audio


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound's features, and the rhythm and key found in them, None where there is none."""

    features: Features
    rhythm: Rhythm | None
    key: KeyEstimate | None

    def likeness(self) -> Likeness:
        """Return how alike its beats are; only for a sound with a rhythm."""
        assert self.rhythm is not None
        return Likeness(self.features, self.rhythm.beats)


def hear(audio: Audio) -> Heard:
    """Listen to a sound."""
    features = features_of(audio)
    return Heard(features, rhythm_of(features), key_of(features))
