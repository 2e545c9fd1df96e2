"""The parsed prompt: what its words say, before flags, genre and chance fill in the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Mood
from tunesmith.composer.prompt import lexicon
from tunesmith.composer.prompt.beside_numbers import NumberContext
from tunesmith.composer.prompt.decades import decade_words
from tunesmith.composer.prompt.genre_words import NamedGenre, named_genre
from tunesmith.composer.prompt.keys import RequestedKey, key_warnings, read_keys
from tunesmith.composer.prompt.lexicon import Match
from tunesmith.composer.prompt.loudness import RequestedLoudness, read_loudness
from tunesmith.composer.prompt.meters import meter_warnings, read_meters
from tunesmith.composer.prompt.moments import Moment, Times, sorted_times
from tunesmith.composer.prompt.negation import refused
from tunesmith.composer.prompt.tempo_and_length import NumberRange, read_bars, read_durations
from tunesmith.composer.prompt.tempos import read_note_tempos, read_tempos
from tunesmith.composer.prompt.text import Prompt
from tunesmith.composer.prompt.unsupported import UnsupportedRequest, find_unsupported
from tunesmith.composer.prompt.unused_numbers import unused_number_warnings
from tunesmith.composer.theory import Meter

_ABOUT_MUSIC = frozenset(
    {"genre", "style", "mood", "use", "means", "instrument", "family", "production", "ambience", "artist"}
)
_EMPTY_KINDS = frozenset({"word", "mode", "label"})
_SLOW = frozenset({"slow", "very_slow"})
# How much a lively mood loses in arousal beside a word for a slow tempo.
_SLOW_CALMS = 0.4


@dataclass(frozen=True, slots=True)
class ParsedPrompt:
    """What the words of a prompt say.

    ``numeric`` are the words of tempo, length, moments, key, meter and loudness; ``left_over`` are those that no table
    explains.
    """

    prompt: Prompt
    matches: tuple[Match, ...]
    refused: frozenset[int]
    genre: NamedGenre | None
    tempos: tuple[NumberRange, ...]
    durations: tuple[NumberRange, ...]
    bars: tuple[NumberRange, ...]
    key: RequestedKey | None
    meter: Meter | None
    unsupported: UnsupportedRequest
    numeric: frozenset[int]
    left_over: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    loudness: tuple[RequestedLoudness, ...] = ()

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind that the prompt includes, without duplicates."""
        return tuple(dict.fromkeys(name for i, m in enumerate(self.matches) if i not in self.refused
                                   for name in m.names(kind)))  # fmt: skip

    @property
    def names_music(self) -> bool:
        """Whether a known word says what the music is: a genre, a mood, a use, a player or an effect."""
        return any(kind in _ABOUT_MUSIC for match in self.matches for kind, _ in match.meanings)

    @property
    def known_share(self) -> float:
        """The share of the words, without those of numbers, that are in a table."""
        known = {i for match in self.matches for i in range(match.first, match.last)}
        return sum(i in known for i in self._plain_words) / max(1, len(self._plain_words))

    @property
    def is_unknown(self) -> bool:
        """Whether there are words and none of them is in a table."""
        return self.known_share == 0 and bool(self._plain_words)

    @property
    def _plain_words(self) -> tuple[int, ...]:
        words = enumerate(self.prompt.words)
        return tuple(i for i, word in words if word.shape in ("word", "cjk") and i not in self.numeric)

    def words_for(self, kind: str, name: str) -> str:
        """Return the user's words for an entry that was found."""
        return next((self.prompt.written(m.first, m.last) for m in self.matches if name in m.names(kind)), name)

    @property
    def mood(self) -> Mood | None:
        """The mood of the mood words, or None without any; excluded ones count half, with the sign reversed."""
        rows = [(lexicon.value("mood", name)["at"], -0.5 if i in self.refused else 1.0)
                for i, m in enumerate(self.matches) for name in m.names("mood")]  # fmt: skip
        if not rows:
            return None
        # The mean, not the sum: three words for calm are not three times as calm.
        valence, arousal = (sum(at[axis] * sign for at, sign in rows) / len(rows) for axis in (0, 1))
        # "Hopeful, slow" is calmer than hope.
        calmer = _SLOW_CALMS if arousal > 0 and not _SLOW.isdisjoint(self.names("tempo")) else 0.0
        return Mood(_clip(valence), _clip(arousal - calmer))


def _clip(number: float) -> float:
    return max(-1.0, min(1.0, number))


def understand(text: str) -> ParsedPrompt:
    """Parse the words of a prompt."""
    prompt = Prompt.of(text)
    matches = lexicon.find(prompt)
    keys, meters = read_keys(prompt, matches), read_meters(prompt, matches)
    places = [(key.start, key.end) for key in keys] + [(meter.start, meter.end) for meter in meters]
    # Keys and meters come first, so that the 4 of "3/4" is not read as a tempo or a length.
    spoken_for = _words_in(prompt, places)
    notes, loudness = read_note_tempos(prompt), read_loudness(prompt)
    spoken_for |= {place for tempo in notes for place in range(tempo.first, tempo.last)}
    spoken_for |= {place for level in loudness for place in range(level.first, level.last)}
    named = _named(matches) | decade_words(prompt, matches) | _numbers_in_labels(prompt, matches)
    # Decades and names that contain numbers are taken, so that they are not read as lengths.
    context = NumberContext(prompt, matches, spoken_for | named)
    tempos = tuple(sorted((*notes, *read_tempos(context)), key=lambda tempo: tempo.first))
    durations, bars = read_durations(context), read_bars(context)
    times = sorted_times(context, durations)
    numeric = spoken_for | {i for tempo in (*tempos, *durations, *bars) for i in range(tempo.first, tempo.last)}
    numeric |= times.words
    refusals, unsupported = refused(prompt, matches), find_unsupported(prompt, matches)
    return ParsedPrompt(
        prompt=prompt, matches=matches, refused=refusals, genre=named_genre(prompt, matches, refusals), tempos=tempos,
        durations=times.durations, bars=bars, key=keys[-1] if keys else None, meter=meters[0].meter if meters else None,
        unsupported=unsupported, numeric=frozenset(numeric),
        left_over=_left_over(prompt, matches, frozenset(numeric) | unsupported.words),
        warnings=(*key_warnings(keys, prompt.text), *meter_warnings(prompt, meters), *_stretch_warnings(prompt, times),
                  *unused_number_warnings(prompt, matches, frozenset(numeric) | named)),
        moments=times.moments, loudness=loudness,
    )  # fmt: skip


def _stretch_warnings(prompt: Prompt, times: Times) -> tuple[str, ...]:
    """Return a warning for each length that belongs to a fade or a pause, which cannot be set."""
    return tuple(
        f"prompt: {prompt.written(time.first, time.last)!r} is the length of a part of the piece, which cannot be set"
        for time in times.stretches
    )


def _words_in(prompt: Prompt, places: Sequence[tuple[int, int]]) -> frozenset[int]:
    return frozenset(i for start, end in places for i in prompt.places(start, end))


def _named(matches: Sequence[Match]) -> frozenset[int]:
    """Return the words of matches that name things, such as the 8 of ``8-bit``."""
    return frozenset(
        i for m in matches if any(kind not in _EMPTY_KINDS for kind, _ in m.meanings) for i in range(m.first, m.last)
    )


def _numbers_in_labels(prompt: Prompt, matches: Sequence[Match]) -> frozenset[int]:
    """Return the 1 of ``1分間に``, which is part of the label of a tempo."""
    return frozenset(
        i for m in matches if m.names("label") and m.last - m.first > 1 for i in range(m.first, m.last)
        if prompt.words[i].shape in ("number", "cjk")
    )  # fmt: skip


def _left_over(prompt: Prompt, matches: Sequence[Match], used: frozenset[int]) -> tuple[str, ...]:
    known = {i for match in matches for i in range(match.first, match.last)} | used
    return tuple(
        word.text
        for i, word in enumerate(prompt.words)
        # Single Latin letters are list marks or initials; a single ideograph is a word.
        if i not in known and word.shape in ("word", "cjk") and (len(word.text) > 1 or word.shape == "cjk")
    )
