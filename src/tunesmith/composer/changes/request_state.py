"""The state of a piece before a change: what its request, words, genre and seed come to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tunesmith.composer.brief import Brief
from tunesmith.composer.check_request import check_request
from tunesmith.composer.genre import Genre, load_genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.means import genre_of
from tunesmith.composer.prompt.instrument_words import covered, flag_instrument
from tunesmith.composer.writing.band.choose_band import choose_band
from tunesmith.composer.writing.band.guests import guests_of
from tunesmith.composer.writing.form.tempo import FormTimeline, solve_timeline
from tunesmith.errors import UnknownName
from tunesmith.request import GenerationRequest, without_plus

SAME_BPM = 0.05
"""A smaller difference of tempos is none to the ear."""


@dataclass(frozen=True)
class RequestState:
    """A request with its brief; tempo and length are as the piece has them, not as the brief leaves them open."""

    request: GenerationRequest
    brief: Brief

    @classmethod
    def of(cls, request: GenerationRequest) -> RequestState:
        """Return the state of a request. Raises InvalidRequest and UnknownName, as the composer does."""
        # What a model has beside the piece changes nothing of it.
        return cls(request, check_request(request.of_composer() if request.follows_composer else request))

    @cached_property
    def timeline(self) -> FormTimeline:
        """The bars, the tempo and the length."""
        return solve_timeline(self.brief)

    @property
    def tempo_bpm(self) -> float:
        """The tempo in felt beats a minute."""
        bpm = self.timeline.tempo_map.changes[0][1] / self.brief.meter.felt_beat
        # Solved tempos have endless digits; one that is whole within hearing is whole.
        return float(round(bpm)) if abs(bpm - round(bpm)) < SAME_BPM else round(bpm, 2)

    @property
    def genre(self) -> Genre:
        """The genre, without the limits of the means."""
        return load_genre(self.brief.genre)

    @property
    def loudness_lufs(self) -> float:
        """The loudness of the finished piece."""
        level = self.brief.loudness_lufs
        return self.genre.mix.loudness_lufs if level is None else level

    @cached_property
    def players(self) -> tuple[frozenset[str], ...]:
        """The instrument, the family and the role of each player."""
        genre = genre_of(self.brief)
        band = choose_band(self.brief, genre)
        band = (*band, *guests_of(self.brief, genre, band))
        return tuple(frozenset({one.instrument, one.role, instrument(one.instrument).family}) for one in band)

    @cached_property
    def names(self) -> frozenset[str]:
        """The instruments, families and roles of the band, and its ambience."""
        sounds = {*self.brief.ambience, *self.genre.mix.ambience} - self.brief.without
        return frozenset().union(*self.players, sounds)

    def has(self, name: str) -> bool:
        """Return whether a player or a sound of this name plays."""
        return bool(reach_of(name) & self.names)

    def was_given(self, *fields: str) -> bool:
        """Return whether the prompt or a flag decides one of these fields."""
        return any(one.field in fields and one.source in ("flag", "prompt") for one in self.brief.reasons)


def reach_of(name: str) -> frozenset[str]:
    """Return what the name of a player covers: itself, and the players of a family or of a role."""
    plain = without_plus(name)
    try:
        kind, found = flag_instrument(plain)
    except UnknownName:
        # A role or an ambience covers only itself.
        return frozenset({plain})
    return covered(kind, found) | ({found} if kind == "family" else set())
