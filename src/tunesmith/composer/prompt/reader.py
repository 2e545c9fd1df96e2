"""From a request to a brief: flags first, then the prompt's words, then meaning, genre and chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.composer.brief import Brief, Mood, Reason
from tunesmith.composer.genre import Genre, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.prompt import defaults as choices
from tunesmith.composer.prompt import lengths
from tunesmith.composer.prompt.genre_and_mood import GenreChoice, choose_genre, choose_mood
from tunesmith.composer.prompt.instrument_words import (
    excluded_instruments,
    flag_instrument,
    flag_left_out,
    played_by,
    wanted_names,
)
from tunesmith.composer.prompt.lexicon import value
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt, understand
from tunesmith.composer.prompt.tempo_and_length import NumberRange
from tunesmith.composer.prompt.titles import title_of
from tunesmith.composer.theory import Key, Meter
from tunesmith.errors import InvalidRequest
from tunesmith.request import MAX_TEMPO_BPM, MIN_TEMPO_BPM, GenerationRequest


@dataclass(frozen=True, slots=True)
class _Explicit:
    """A request with its parsed prompt and a definite seed."""

    request: GenerationRequest
    said: ParsedPrompt
    seed: int


def read_brief(request: GenerationRequest) -> Brief:
    """Turn a request into a complete brief; the same request gives the same brief.

    A request without a seed is read with seed 0: the caller draws one. Raises UnknownName for a genre or instrument
    flag that does not exist, InvalidRequest for any other invalid flag.
    """
    asked = _Explicit(request, understand(request.prompt), request.seed or 0)
    said = asked.said
    chosen = choose_genre(request, said)
    genre = load_genre(chosen.name)
    mood, mood_reason = choose_mood(said, genre, chosen)
    meter, meter_reason = _meter(asked, genre)
    tempo, tempo_warnings = _tempo(asked, genre, mood, meter)
    form, form_reason = lengths.read_form(request, said)
    length = lengths.read_length(request, said, form, meter, tempo)
    key, key_reason = _key(asked, genre, mood)
    players = _players(asked, genre, chosen)
    production, ambience = _colours(said, chosen)
    ending, ending_reasons = _ending(said)
    reasons = [
        chosen.reason, mood_reason, _tempo_reason(length.tempo), key_reason, meter_reason, form_reason,
        *length.reasons, *players.reasons, *_set_reasons(said, production, ambience), *ending_reasons,
        *_flag_reasons(request),
    ]  # fmt: skip
    warnings = (
        *chosen.warnings,
        *said.unsupported.warnings,
        *said.warnings,
        *tempo_warnings,
        *length.warnings,
        *players.warnings,
    )
    return Brief(
        prompt=request.prompt, title=title_of(said.prompt, said.numeric), genre=chosen.name,
        seed=asked.seed, tempo_bpm=length.tempo.bpm, tempo_is_given=length.tempo.is_given,
        tempo_range=(length.tempo.low, length.tempo.high), key=key, meter=meter, duration=length.duration,
        bars=length.bars, form=form, mood=mood, instruments=players.instruments, without=players.without,
        production=frozenset(production), ambience=ambience, ending=ending, intensity=request.intensity,
        hits=request.hits, loudness_lufs=request.loudness_lufs, reasons=tuple(reasons),
        warnings=tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


def _meter(asked: _Explicit, genre: Genre) -> tuple[Meter, Reason]:
    if asked.request.meter is not None:
        meter = _flag_meter(asked.request.meter)
        return meter, Reason("meter", str(meter), "flag", "asked for")
    if asked.said.meter is not None:
        return asked.said.meter, Reason("meter", str(asked.said.meter), "prompt", "the prompt says so")
    meter = choices.drawn_meter(genre, asked.seed)
    return meter, Reason("meter", str(meter), "genre", f"usual for {genre.title}")


def _flag_meter(text: str) -> Meter:
    try:
        return Meter.parse(text)
    except ValueError as error:
        # The flag may be in words, "waltz time", as in a prompt.
        meter = understand(text).meter
        if meter is None:
            raise InvalidRequest("meter", str(error)) from None
        return meter


def _tempo(asked: _Explicit, genre: Genre, mood: Mood, meter: Meter) -> tuple[choices.TempoChoice, tuple[str, ...]]:
    """Choose the tempo: from a flag, a number, a tempo word or the genre."""
    said, warnings = asked.said, []
    if asked.request.tempo_bpm is not None:
        return choices.exact_tempo(asked.request.tempo_bpm, "flag", "asked for"), ()
    tempos = [_felt(tempo, meter) for tempo in said.tempos]
    possible = [t for t in tempos if MIN_TEMPO_BPM <= t.low <= t.high <= MAX_TEMPO_BPM]
    warnings += [
        f"tempo: must be {MIN_TEMPO_BPM:g} to {MAX_TEMPO_BPM:g} bpm, got {t.high:g} in the prompt; left out"
        for t in tempos
        if t not in possible
    ]
    # The last one counts, as a correction would: "120 bpm, no, 100 bpm".
    if len({(t.low, t.high) for t in possible}) > 1:
        warnings.append(f"tempo: the prompt names several; the last, {possible[-1].high:g} bpm, is used")
    if possible:
        low, high = possible[-1].low, possible[-1].high
        because = f"the prompt says {said.prompt.written(possible[-1].first, possible[-1].last)!r}"
        # A range, "90 to 100 bpm", leaves the writer room to meet the duration.
        exact = low == high
        tempo = choices.exact_tempo(low, "prompt", because) if exact else choices.tempo_within(low, high, because)
        return tempo, tuple(warnings)
    return _worded_tempo(said, genre) or choices.drawn_tempo(genre, mood, asked.seed), tuple(warnings)


def _felt(tempo: NumberRange, meter: Meter) -> NumberRange:
    """Return a tempo that counts a note value, such as ``♪ = 120``, in the meter's own beats."""
    if tempo.beat is None:
        return tempo
    share = tempo.beat / meter.felt_beat
    return replace(tempo, low=tempo.low * share, high=tempo.high * share)


def _worded_tempo(said: ParsedPrompt, genre: Genre) -> choices.TempoChoice | None:
    names = said.names("tempo")
    if not names:
        return None
    because = f"the prompt says {said.words_for('tempo', names[-1])!r}"
    row = value("tempo", names[-1])
    if "range" in row:
        low, high = map(float, row["range"])
        return choices.tempo_within(low, high, because)
    return choices.placed_tempo(genre, float(row["place"]), because)


def _tempo_reason(tempo: choices.TempoChoice) -> Reason:
    return Reason("tempo", f"{tempo.bpm:g} bpm", tempo.source, tempo.because)


def _key(asked: _Explicit, genre: Genre, mood: Mood) -> tuple[Key, Reason]:
    if asked.request.key is not None:
        key = _flag_key(asked.request.key)
        return key, Reason("key", str(key), "flag", "asked for")
    wish = asked.said.key
    key = choices.key_of(genre, mood, asked.seed, wish.tonic if wish else None, _wished_mode(asked))
    if wish is None:
        return key, Reason("key", str(key), "chance", f"a mode usual for {genre.title} that suits the mood")
    because = f"the prompt says {asked.said.prompt.text[wish.start : wish.end].strip()!r}"
    return key, Reason("key", str(key), "prompt", because)


def _wished_mode(asked: _Explicit) -> str | None:
    """Return the requested mode; a bare ``key of G`` is major."""
    wish = asked.said.key
    if wish is None:
        return None
    return wish.mode or ("major" if wish.tonic is not None else None)


def _flag_key(text: str) -> Key:
    try:
        return Key.parse(text)
    except ValueError as error:
        wish = understand(text).key
        if wish is None or wish.tonic is None:
            raise InvalidRequest("key", str(error)) from None
        return Key(wish.tonic, wish.mode or "major")


@dataclass(frozen=True, slots=True)
class _Players:
    instruments: tuple[str, ...]
    without: frozenset[str]
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]


def _players(asked: _Explicit, genre: Genre, chosen: GenreChoice) -> _Players:
    """Choose who plays and who does not; flags about a player override the prompt."""
    said, request = asked.said, asked.request
    without = excluded_instruments(said.matches, said.refused)
    refused_by_flag: set[str] = set()
    for name in request.without:
        refused_by_flag |= flag_left_out(name)
    found: dict[str, Reason] = {}
    for flag in request.instruments:
        kind, name = flag_instrument(flag)
        player = played_by(kind, name, genre, asked.seed)
        found[player] = Reason("instruments", player, "flag", "asked for")
    for name, (kind, i) in {} if request.instruments else wanted_names(said.matches, said.refused).items():
        player = played_by(kind, name, genre, asked.seed)
        match = said.matches[i]
        because = f"the prompt says {said.prompt.written(match.first, match.last)!r}"
        found.setdefault(player, Reason("instruments", player, "prompt", because))
    # What other genres lend gives way as soon as a flag names the instruments.
    for name in () if request.instruments else chosen.lent("instruments"):
        found.setdefault(name, Reason("instruments", name, "prompt", f"lent by {chosen.lender_of(name)}"))
    return _settled(found, without, refused_by_flag)


def _settled(found: dict[str, Reason], refused: frozenset[str], refused_by_flag: set[str]) -> _Players:
    """Resolve conflicts: flags win over the prompt, an explicit request over an exclusion in the same prompt."""
    warnings, kept, without = [], {}, set(refused) | refused_by_flag
    for name, reason in found.items():
        clash = without & _reach(name)
        is_wish_of_prompt = reason.source != "flag"
        # What another genre only lends gives way to any exclusion.
        if is_wish_of_prompt and (clash & refused_by_flag or (clash and reason.because.startswith("lent"))):
            continue
        if clash:
            warnings.append(f"instruments: {name} is both wanted and refused; it plays")
            without -= clash
        kept[name] = reason
    reasons = [*kept.values(), *(
        Reason("without", name, "flag" if name in refused_by_flag else "prompt", "asked to be left out")
        # Sorted, because the order of a set changes from process to process.
        for name in sorted(without)
    )]  # fmt: skip
    return _Players(tuple(kept), frozenset(without), tuple(reasons), tuple(warnings))


def _reach(name: str) -> set[str]:
    return {name, instruments()[name].family}


def _colours(said: ParsedPrompt, chosen: GenreChoice) -> tuple[tuple[str, ...], tuple[str, ...]]:
    production = dict.fromkeys((*said.names("production"), *chosen.lent("production")))
    if chosen.name == "chiptune":
        # Chip voices are 8-bit by themselves.
        production.pop("bitcrush", None)
    refused = {name for i in said.refused for name in said.matches[i].names("production")}
    return tuple(name for name in production if name not in refused), said.names("ambience")


def _set_reasons(said: ParsedPrompt, production: tuple[str, ...], ambience: tuple[str, ...]) -> list[Reason]:
    rows = [("production", name) for name in production] + [("ambience", name) for name in ambience]
    return [Reason(k, name, "prompt", f"the prompt says {said.words_for(k, name)!r}") for k, name in rows]


def _ending(said: ParsedPrompt) -> tuple[str, tuple[Reason, ...]]:
    named = [name for name in said.names("form") if name.startswith("ending/")]
    if not named:
        return "", ()
    because = f"the prompt says {said.words_for('form', named[-1])!r}"
    ending = named[-1].removeprefix("ending/")
    return ending, (Reason("ending", ending, "prompt", because),)


def _flag_reasons(request: GenerationRequest) -> list[Reason]:
    rows = [
        ("intensity", request.intensity),
        ("loudness", request.loudness_lufs),
        *(("hit", h.time) for h in request.hits),
    ]
    return [Reason(name, f"{number:g}", "flag", "asked for") for name, number in rows if number is not None]
