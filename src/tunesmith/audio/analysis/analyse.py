"""Hearing: everything measured of one sound, once."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio.analysis.beat_similarity import BeatSimilarity
from tunesmith.audio.analysis.features import Features, features_of
from tunesmith.audio.analysis.key import KeyEstimate, key_of
from tunesmith.audio.analysis.metadata_rhythm import rhythm_as_stated, rhythm_of_timeline, stated_key, stated_rhythm
from tunesmith.audio.analysis.rhythm import Rhythm, rhythm_of
from tunesmith.audio.buffer import Audio
from tunesmith.audio.timeline import timeline_of


@dataclass(frozen=True, slots=True)
class Analysis:
    """A sound's features, and the rhythm and key found in them, None where there is none."""

    features: Features
    rhythm: Rhythm | None
    key: KeyEstimate | None

    def beat_similarity(self) -> BeatSimilarity:
        """Return how alike its beats are; only for a sound with a rhythm."""
        assert self.rhythm is not None
        return BeatSimilarity(self.features, self.rhythm.beats)


def analyse(audio: Audio) -> Analysis:
    """Listen to a sound, whatever it says of itself."""
    features = features_of(audio)
    return Analysis(features, rhythm_of(features), key_of(features))


def analyse_with_metadata(audio: Audio) -> Analysis:
    """Listen to a sound, but believe the tempo, meter and key that its metadata states.

    An ear may take 96 bpm for 192, and hears no beat at all where pads swell.
    """
    features, stated = features_of(audio), stated_rhythm(audio)
    known = rhythm_of_timeline(features, timeline_of(audio.metadata, audio.duration))
    if known is None and stated is not None:
        known = rhythm_as_stated(features, stated)
    return Analysis(features, known or rhythm_of(features), stated_key(audio) or key_of(features))
