"""Analysis: the features, rhythm and key of a sound, measured once."""

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
    """The features of a sound, with the rhythm and key found in them, None if there is none."""

    features: Features
    rhythm: Rhythm | None
    key: KeyEstimate | None

    def beat_similarity(self) -> BeatSimilarity:
        """Return the similarity of the beats; the sound must have a rhythm."""
        assert self.rhythm is not None
        return BeatSimilarity(self.features, self.rhythm.beats)


def analyse(audio: Audio) -> Analysis:
    """Analyse a sound, regardless of its metadata."""
    features = features_of(audio)
    return Analysis(features, rhythm_of(features), key_of(features))


def analyse_with_metadata(audio: Audio) -> Analysis:
    """Analyse a sound, but trust the tempo, meter and key that its metadata states.

    Beat tracking may take 96 bpm for 192, and finds no beat at all in swelling pads.
    """
    features, stated = features_of(audio), stated_rhythm(audio)
    # A timeline also has tempo changes, which the settings do not.
    known = rhythm_of_timeline(features, timeline_of(audio.metadata, audio.duration))
    if known is None and stated is not None:
        known = rhythm_as_stated(features, stated)
    return Analysis(features, known or rhythm_of(features), stated_key(audio) or key_of(features))
