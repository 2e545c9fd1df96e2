"""From a request to a brief: flags first, then the prompt's words, then meaning, genre and chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.balance import parse_level
from tunesmith.composer.brief import Brief, Mood, Reason
from tunesmith.composer.genre import Genre, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.means import limited
from tunesmith.composer.prompt import defaults as choices
from tunesmith.composer.prompt import lengths
from tunesmith.composer.prompt.colours import choose_colours
from tunesmith.composer.prompt.genre_and_mood import GenreChoice, choose_genre, choose_mood, means_reasons
from tunesmith.composer.prompt.hit_points import read_hits
from tunesmith.composer.prompt.instrument_words import (
    covered_level,
    excluded_instruments,
    flag_instrument,
    flag_left_out,
    played_by,
    wanted_names,
    worded_player,
)
from tunesmith.composer.prompt.lexicon import value
from tunesmith.composer.prompt.loudness import loudness_target
from tunesmith.composer.prompt.mood_field import read_mood
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt, understand
from tunesmith.composer.prompt.tempo_and_length import NumberRange
from tunesmith.composer.prompt.titles import title_of
from tunesmith.composer.theory import Key, Meter
from tunesmith.errors import InvalidRequest
from tunesmith.request import ADDING, COMPOSED_ENDINGS, LOCKS, MAX_TEMPO_BPM, MIN_TEMPO_BPM, GenerationRequest

# From here on, a mood is plainly bright or dark.
DECIDED_VALENCE = 0.5
# Slow blues, gospel and flamenco count their triplets.
_SLOW_METER = "12/8"


@dataclass(frozen=True, slots=True)
class _Explicit:
    """A request with its parsed prompt."""

    request: GenerationRequest
    parsed: ParsedPrompt

    def seed(self, decision: str) -> int:
        """Return the seed from which a decision draws."""
        return self.request.seed_of(decision)


def read_brief(request: GenerationRequest) -> Brief:
    """Turn a request into a complete brief; the same request gives the same brief.

    A request without a seed is read with seed 0: the caller draws one. Raises UnknownName for a genre or instrument
    flag that does not exist, InvalidRequest for any other invalid flag.
    """
    explicit = _Explicit(request, understand(request.prompt))
    parsed = explicit.parsed
    chosen = choose_genre(request, parsed)
    genre = limited(load_genre(chosen.name), chosen.means, explicit.seed("band"))
    usual = (*choose_mood(parsed, genre, chosen), ())
    mood, mood_reason, mood_warnings = read_mood(request.mood, genre) or usual
    meter, meter_reason = _meter(explicit, genre)
    tempo, tempo_warnings = _tempo(explicit, genre, mood, meter)
    form, form_reason = lengths.read_form(request, parsed)
    length = lengths.read_length(request, parsed, form, meter, tempo)
    hits = read_hits(request, parsed, length.duration)
    levels = tuple(map(parse_level, request.balance))
    loudness = loudness_target(request.loudness_lufs, parsed.loudness, form)
    key, key_reason = _key(explicit, genre, usual[0], mood)
    # The tonic that the piece would have by itself, so that the same hook begins on the same degree in every key.
    home = choices.key_of(genre, usual[0], explicit.seed("key"), None, _wished_mode(explicit))
    players = _players(explicit, genre, chosen)
    colours = choose_colours(request, parsed, chosen, players.without)
    ending, ending_reasons = _ending(request, parsed)
    reasons = [
        chosen.reason, *means_reasons(parsed, chosen), mood_reason, _tempo_reason(length.tempo), key_reason,
        meter_reason, form_reason, *length.reasons, *players.reasons, *colours.reasons,
        *ending_reasons, *hits.reasons, *loudness.reasons, *_flag_reasons(request),
    ]  # fmt: skip
    warnings = (
        *chosen.warnings, *mood_warnings, *parsed.unsupported.warnings, *parsed.warnings, *tempo_warnings,
        *length.warnings, *hits.warnings, *loudness.warnings, *players.warnings,
    )  # fmt: skip
    return Brief(
        prompt=request.prompt, title=title_of(parsed.prompt, parsed.numeric), genre=chosen.name,
        seed=request.seed or 0, tempo_bpm=length.tempo.bpm, tempo_is_given=length.tempo.is_given,
        tempo_range=(length.tempo.low, length.tempo.high), key=key, meter=meter, duration=length.duration,
        bars=length.bars, form=form, mood=mood, instruments=players.instruments, without=players.without,
        means=chosen.means, production=frozenset(colours.production), ambience=colours.ambience, ending=ending,
        intro=request.intro or "", balance=tuple((covered_level(level), level) for level in levels),
        intensity=request.intensity, hits=hits.hits, loudness_lufs=loudness.lufs, reasons=tuple(reasons),
        warnings=tuple(dict.fromkeys(warnings)), home=home,
        usual=usual[0] if mood != usual[0] else None, removed=players.removed, added=players.added,
        locks={name: request.seed_of(name) for name in LOCKS if request.lock},
    )  # fmt: skip


def _meter(explicit: _Explicit, genre: Genre) -> tuple[Meter, Reason]:
    if explicit.request.meter is not None:
        meter = _flag_meter(explicit.request.meter)
        return meter, Reason("meter", str(meter), "flag", "requested")
    if explicit.parsed.meter is not None:
        return explicit.parsed.meter, Reason("meter", str(explicit.parsed.meter), "prompt", "the prompt says so")
    if _SLOW_METER in genre.meters and explicit.parsed.names("tempo")[-1:] in (("slow",), ("very_slow",)):
        meter = Meter.parse(_SLOW_METER)
        return meter, Reason("meter", str(meter), "prompt", f"usual for slow {genre.title}")
    meter = choices.drawn_meter(genre, explicit.seed("meter"))
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


def _tempo(explicit: _Explicit, genre: Genre, mood: Mood, meter: Meter) -> tuple[choices.TempoChoice, tuple[str, ...]]:
    """Choose the tempo: from a flag, a number, a tempo word or the genre."""
    parsed, warnings = explicit.parsed, []
    if explicit.request.tempo_bpm is not None:
        return choices.exact_tempo(explicit.request.tempo_bpm, "flag", "requested"), ()
    tempos = [_felt(tempo, meter) for tempo in parsed.tempos]
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
        because = f"the prompt says {parsed.prompt.written(possible[-1].first, possible[-1].last)!r}"
        # A range, "90 to 100 bpm", leaves the writer room to meet the duration.
        exact = low == high
        tempo = choices.exact_tempo(low, "prompt", because) if exact else choices.tempo_within(low, high, because)
        return tempo, tuple(warnings)
    return _worded_tempo(parsed, genre) or choices.drawn_tempo(genre, mood, explicit.seed("tempo")), tuple(warnings)


def _felt(tempo: NumberRange, meter: Meter) -> NumberRange:
    """Return a tempo that counts a note value, such as ``♪ = 120``, in the meter's own beats."""
    if tempo.beat is None:
        return tempo
    share = tempo.beat / meter.felt_beat
    return replace(tempo, low=tempo.low * share, high=tempo.high * share)


def _worded_tempo(parsed: ParsedPrompt, genre: Genre) -> choices.TempoChoice | None:
    names = parsed.names("tempo")
    if not names:
        return None
    because = f"the prompt says {parsed.words_for('tempo', names[-1])!r}"
    row = value("tempo", names[-1])
    if "range" in row:
        low, high = map(float, row["range"])
        return choices.tempo_within(low, high, because)
    return choices.placed_tempo(genre, float(row["place"]), because)


def _tempo_reason(tempo: choices.TempoChoice) -> Reason:
    return Reason("tempo", f"{tempo.bpm:g} bpm", tempo.source, tempo.because)


def _key(explicit: _Explicit, genre: Genre, usual: Mood, mood: Mood) -> tuple[Key, Reason]:
    """Choose the key for the prompt's ``usual`` mood; the request's own changes the mode only where it is decided."""
    if explicit.request.key is not None:
        key = _flag_key(explicit.request.key)
        return key, Reason("key", str(key), "flag", "requested")
    key_request = explicit.parsed.key
    tonic, seed = key_request.tonic if key_request else None, explicit.seed("key")
    key = choices.key_of(genre, usual, seed, tonic, _wished_mode(explicit))
    if _wished_mode(explicit) is None and abs(mood.valence) >= DECIDED_VALENCE:
        # The same tonic: a tune in another mode is still the same tune.
        key = Key(key.tonic, choices.drawn_mode(genre, mood, seed))
    if key_request is None:
        return key, Reason("key", str(key), "chance", f"a mode usual for {genre.title} that suits the mood")
    because = f"the prompt says {explicit.parsed.prompt.text[key_request.start : key_request.end].strip()!r}"
    return key, Reason("key", str(key), "prompt", because)


def _wished_mode(explicit: _Explicit) -> str | None:
    """Return the requested mode; a bare ``key of G`` is major."""
    key_request = explicit.parsed.key
    if key_request is None:
        return None
    return key_request.mode or ("major" if key_request.tonic is not None else None)


def _flag_key(text: str) -> Key:
    try:
        return Key.parse(text)
    except ValueError as error:
        key_request = understand(text).key
        if key_request is None or key_request.tonic is None:
            raise InvalidRequest("key", str(error)) from None
        return Key(key_request.tonic, key_request.mode or "major")


@dataclass(frozen=True, slots=True)
class _Players:
    instruments: tuple[str, ...]
    without: frozenset[str]
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    removed: frozenset[str] = frozenset()
    added: tuple[str, ...] = ()


def _players(explicit: _Explicit, genre: Genre, chosen: GenreChoice) -> _Players:
    """Choose who plays and who does not; flags about a player override the prompt.

    A flag with a plus, ``+violin``, adds a player to those that the prompt and the genre give.
    """
    parsed, request, seed = explicit.parsed, explicit.request, explicit.seed("band")
    named = [flag for flag in request.instruments if not flag.startswith(ADDING)]
    adding = [flag.removeprefix(ADDING).strip() for flag in request.instruments if flag.startswith(ADDING)]
    without = excluded_instruments(parsed.matches, parsed.refused)
    refused_by_flag: set[str] = set()
    for name in request.without:
        refused_by_flag |= flag_left_out(name)
    found: dict[str, Reason] = {}
    for flag in named:
        kind, name = flag_instrument(flag)
        player = played_by(kind, name, genre, seed)
        found[player] = Reason("instruments", player, "flag", "requested")
    for name, (kind, i) in {} if named else wanted_names(parsed.matches, parsed.refused).items():
        player = worded_player(kind, name, genre, seed)
        match = parsed.matches[i]
        because = f"the prompt says {parsed.prompt.written(match.first, match.last)!r}"
        found.setdefault(player, Reason("instruments", player, "prompt", because))
    # What other genres lend gives way as soon as a flag names the instruments.
    for name in () if named else chosen.lent("instruments"):
        found.setdefault(name, Reason("instruments", name, "prompt", f"lent by {chosen.lender_of(name)}"))
    added = tuple(dict.fromkeys(played_by(*flag_instrument(flag), genre, seed) for flag in adding))
    return _with_added(_settled(found, without, refused_by_flag), added)


def _with_added(players: _Players, added: tuple[str, ...]) -> _Players:
    reasons = (Reason("instruments", name, "flag", "added to the band") for name in added)
    return replace(players, added=added, reasons=(*players.reasons, *reasons))


def _settled(found: dict[str, Reason], refused: frozenset[str], refused_by_flag: set[str]) -> _Players:
    """Resolve conflicts: flags win over the prompt, an explicit request over an exclusion in the same prompt."""
    warnings, kept, without = [], {}, set(refused) | refused_by_flag
    for name, reason in found.items():
        clash = without & _reach(name)
        is_from_prompt = reason.source != "flag"
        # What another genre only lends gives way to any exclusion.
        if is_from_prompt and (clash & refused_by_flag or (clash and reason.because.startswith("lent"))):
            continue
        if clash:
            warnings.append(f"instruments: {name} is both requested and excluded; it plays")
            without -= clash
        kept[name] = reason
    reasons = [*kept.values(), *(
        Reason("without", name, "flag" if name in refused_by_flag else "prompt", "excluded by request")
        # Sorted, because the order of a set changes from process to process.
        for name in sorted(without)
    )]  # fmt: skip
    # What only a flag excludes is taken out of the finished piece.
    removed = frozenset(without & refused_by_flag - refused)
    return _Players(tuple(kept), frozenset(without), tuple(reasons), tuple(warnings), removed)


def _reach(name: str) -> set[str]:
    return {name, instruments()[name].family}


def _ending(request: GenerationRequest, parsed: ParsedPrompt) -> tuple[str, tuple[Reason, ...]]:
    if request.ending in COMPOSED_ENDINGS:
        return request.ending, (Reason("ending", request.ending, "flag", "requested"),)
    named = [name for name in parsed.names("form") if name.startswith("ending/")]
    if not named:
        return "", ()
    because = f"the prompt says {parsed.words_for('form', named[-1])!r}"
    ending = named[-1].removeprefix("ending/")
    return ending, (Reason("ending", ending, "prompt", because),)


def _flag_reasons(request: GenerationRequest) -> list[Reason]:
    rows = [
        ("intensity", request.intensity),
        ("loudness", request.loudness_lufs),
        *(("hit", h.time) for h in request.hits),
    ]
    texts = [("intro", request.intro), *(("balance", level) for level in request.balance)]
    return [
        *(Reason(name, f"{number:g}", "flag", "requested") for name, number in rows if number is not None),
        *(Reason(name, text, "flag", "requested") for name, text in texts if text is not None),
    ]
