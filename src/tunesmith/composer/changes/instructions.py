"""From the clauses of a change to instructions: which field of a request moves, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.balance import EVERYONE
from tunesmith.composer.changes.clauses import ChangeText, Clause, ClauseItem
from tunesmith.composer.prompt.colours import OPPOSITES
from tunesmith.composer.prompt.lexicon import value
from tunesmith.errors import InvalidRequest

MOODS: Mapping[str, tuple[float, float]] = {
    "happier": (0.45, 0.1), "sadder": (-0.45, -0.1), "brighter": (0.35, 0.0), "darker": (-0.35, 0.0),
    "calmer": (0.0, -0.45), "energetic": (0.0, 0.45),
}  # fmt: skip
"""How far an effect moves valence and arousal."""
TEMPOS: Mapping[str, float] = {"faster": 1.15, "slower": 0.85}
LENGTHS: Mapping[str, float] = {"longer": 1.5, "shorter": 0.67}
LEVELS: Mapping[str, int] = {
    "louder": 1, "quieter": -1, "higher": 1, "lower": -1, "energetic": 1, "calmer": -1, "brighter": 1, "darker": -1,
}  # fmt: skip
"""Which way an effect moves the level of a player or of a stretch."""
SLOWEST_TEMPO = 40.0
"""A number of beats a minute below this, beside faster or slower, is a difference."""
PLAYER_DB, LOUDNESS_DB = 4.0, 3.0
# A player's is more than it sounds, because the master evens it out; that of all is heard as it is.
STRETCH_DB, STRETCH_OF_ALL_DB = 10.0, 5.0
# A mood word moves the mood by this share of its own place, and not along an axis where it lies near the middle.
_MOOD_SHARE, _NEAR_MIDDLE = 0.55, 0.3
_AMOUNTS = {"small": 0.5, "large": 1.6}
_COLOURS = ("production", "ambience")
_PLAYERS = ("instrument", "family")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One change: the ``field``, the ``action`` on it, a ``name`` and an ``amount`` where they matter, and the words.

    ``action`` is set, scale, move, add, remove, only, or impossible, for which ``name`` is the reason.
    """

    field: str
    action: str
    words: str
    name: str = ""
    amount: float = 0.0
    second: float = 0.0


def read_instructions(text: ChangeText) -> tuple[Instruction, ...]:
    """Return the instructions of the words, in order; raise InvalidRequest for those that contradict each other."""
    found: list[Instruction] = []
    previous: Clause | None = None
    for clause in text.clauses:
        if clause.is_bare and previous is not None and not clause.is_negated:
            # "No drums and bass", "louder drums and bass": the end of a list goes on as it began.
            clause = replace(clause, items=(*_actions_of(previous), *clause.items))
        found += _of_clause(clause, _fields_in_numbers(text, clause))
        previous = clause
    found = _with_one_only(list(dict.fromkeys([*found, *_of_numbers(text)])))
    _check_agreement(found)
    return tuple(found)


def _with_one_only(found: list[Instruction]) -> list[Instruction]:
    """Join the players of ``only piano and bass``, which are two clauses, in one instruction."""
    only = [one for one in found if one.action == "only"]
    if len(only) < 2:
        return found
    joined = replace(only[0], name="|".join(one.name for one in only), words=", ".join(one.words for one in only))
    return [joined, *(one for one in found if one.action != "only")]


def _actions_of(clause: Clause) -> tuple[ClauseItem, ...]:
    if not clause.of(*_PLAYERS, *_COLOURS):
        return ()
    if clause.is_negated or any(item.refused for item in clause.items):
        first = clause.items[0]
        return (ClauseItem("action", "remove", first.start, first.end),)
    return tuple(item for item in clause.items if item.kind in ("action", "effect", "modifier", "place"))


def _fields_in_numbers(text: ChangeText, clause: Clause) -> frozenset[str]:
    """Return which of tempo and duration a number in the clause is about: that of ``10 bpm faster``."""
    words, parsed = text.parsed.prompt.words, text.parsed
    rows = (("tempo", parsed.tempos), ("duration", parsed.durations))
    return frozenset(
        field for field, numbers in rows for one in numbers if clause.start <= words[one.first].start < clause.end
    )


def _of_clause(clause: Clause, numbers: frozenset[str]) -> Iterator[Instruction]:
    effects, actions = clause.names("effect"), clause.names("action")
    places, things = clause.names("place"), clause.names("thing")
    if "keep" in actions and not effects:
        # All that is not named stays anyway.
        return
    if clause.names("interval"):
        yield _transposed(clause)
    elif "instead" in actions or "instead_after" in actions or ("replace" in actions and _is_exchange(clause)):
        yield from _exchanged(clause)
    elif "replace" in actions and clause.of(*_PLAYERS) and not (effects or _names_more(clause)):
        yield Instruction("instruments", "impossible", clause.text, "say what it should be instead")
    elif "intro" in things:
        yield _intro(clause)
    elif "only" in actions and clause.of(*_PLAYERS) and not (effects or places):
        yield Instruction("instruments", "only", clause.text, "|".join(item.name for item in clause.of(*_PLAYERS)))
    elif clause.names("quantity") and (ways := _ways(clause)):
        yield from _quantities(clause, ways, numbers)
    elif places and any(name in LEVELS for name in effects) and not clause.of("form") and "fade" not in things:
        yield from _stretch(clause)
    else:
        yield from _players(clause)
        if not clause.of(*_PLAYERS, "ambience"):
            yield from _effects(clause, numbers)
        yield from _moods(clause)
        yield from _colours(clause)
        yield from _forms(clause)


def _names_more(clause: Clause) -> bool:
    """Return whether a clause names something besides players: a genre, a mood, a sound."""
    return bool(clause.of("genre", "mood", "form", "thing", "quantity", *_COLOURS))


def _sign(clause: Clause) -> int:
    """Return -1 where the words turn an effect round: less, too, not."""
    turns = [name for name in clause.names("modifier") if name in ("less", "too")]
    turned = bool(turns) or (clause.is_negated and not any(item.refused for item in clause.items))
    return -1 if turned else 1


def _scale(clause: Clause) -> float:
    return next((_AMOUNTS[name] for name in clause.names("modifier") if name in _AMOUNTS), 1.0)


def _removes(clause: Clause, item: ClauseItem) -> bool:
    return item.refused or "remove" in clause.names("action")


def _transposed(clause: Clause) -> Instruction:
    ways = [LEVELS[name] for name in clause.names("effect") if name in LEVELS]
    semitones = int(clause.names("interval")[0])
    if not ways:
        return Instruction("key", "impossible", clause.text, "say whether higher or lower")
    if semitones % 12 == 0:
        return Instruction("key", "impossible", clause.text, "an octave does not change the key")
    return Instruction("key", "move", clause.text, amount=ways[0] * clause.count * semitones)


def _is_exchange(clause: Clause) -> bool:
    return len(clause.of(*_PLAYERS, *_COLOURS)) > 1


def _exchanged(clause: Clause) -> Iterator[Instruction]:
    """Yield what leaves and what joins: in ``X instead of Y`` the second leaves, after ``replace`` the first does."""
    players = clause.of(*_PLAYERS, *_COLOURS)
    sign = next(item for item in clause.of("action") if item.name.startswith(("instead", "replace")))
    before = [item for item in players if item.start < sign.start]
    after = [item for item in players if item.start >= sign.end]
    if sign.name == "replace":
        before, after = list(players[1:]), list(players[:1])
    elif sign.name == "instead_after":
        before, after = after, before
    for item in after:
        yield Instruction(_field_of(item), "remove", clause.text, item.name)
    for item in before:
        yield Instruction(_field_of(item), "add", clause.text, item.name)


def _field_of(item: ClauseItem) -> str:
    return "instruments" if item.kind in _PLAYERS else item.kind


def _intro(clause: Clause) -> Instruction:
    shorter = "shorter" in clause.names("effect")
    longer = "longer" in clause.names("effect") or "more" in clause.names("modifier")
    if clause.is_negated or "remove" in clause.names("action"):
        return Instruction("intro", "set", clause.text, "none")
    if shorter or "less" in clause.names("modifier"):
        return Instruction("intro", "set", clause.text, "short")
    if longer or "add" in clause.names("action"):
        return Instruction("intro", "set", clause.text, "long")
    return Instruction("intro", "impossible", clause.text, "an intro can be left out, or be shorter or longer")


def _stretch(clause: Clause) -> Iterator[Instruction]:
    effect = next(name for name in clause.names("effect") if name in LEVELS)
    gain = LEVELS[effect] * _sign(clause) * _scale(clause)
    names = [item.name for item in clause.of(*_PLAYERS)] or [EVERYONE]
    for name in names:
        difference = gain * (STRETCH_OF_ALL_DB if name == EVERYONE else STRETCH_DB)
        yield Instruction("balance", "move", clause.text, f"{name}@{clause.names('place')[0]}", difference)


def _players(clause: Clause) -> Iterator[Instruction]:
    for item in clause.of(*_PLAYERS, "ambience"):
        ways = [LEVELS[name] for name in clause.names("effect") if name in LEVELS]
        field = _field_of(item)
        if _removes(clause, item):
            yield Instruction(field, "remove", clause.text, item.name)
        elif ways:
            gain = ways[0] * _sign(clause) * _scale(clause) * PLAYER_DB
            yield Instruction("balance", "move", clause.text, item.name, gain)
        elif _sign(clause) < 0:
            yield Instruction("balance", "move", clause.text, item.name, -PLAYER_DB * _scale(clause))
        else:
            # More of a player that plays already is a higher level; of another one, the player.
            more = PLAYER_DB * _scale(clause) if "more" in clause.names("modifier") else 0.0
            yield Instruction(field, "add", clause.text, item.name, more)


def _ways(clause: Clause) -> int:
    """Return whether a clause asks for more (1) or less (-1) of a quantity, or says neither (0)."""
    names = {*clause.names("effect"), *clause.names("modifier"), *clause.names("action")}
    if names & {"lower", "slower", "quieter", "shorter", "less", "remove", "half", "too"}:
        return -1
    return 1 if names & {"higher", "faster", "louder", "longer", "more", "double"} else 0


def _quantities(clause: Clause, ways: int, numbers: frozenset[str]) -> Iterator[Instruction]:
    """Yield what happens to a quantity that is named itself: ``half the length``, ``raise the tempo``."""
    for name in dict.fromkeys(clause.names("quantity")):
        if name == "volume":
            yield Instruction("loudness", "move", clause.text, amount=ways * _scale(clause) * LOUDNESS_DB)
            continue
        field, usual = ("tempo", TEMPOS["faster"]) if name == "tempo" else ("duration", LENGTHS["longer"])
        if field not in numbers:
            yield Instruction(field, "scale", clause.text, amount=_factor(usual, ways, clause))


def _effects(clause: Clause, numbers: frozenset[str]) -> Iterator[Instruction]:
    sign, scale = _sign(clause), _scale(clause)
    if clause.names("place") and clause.names("effect"):
        yield Instruction("balance", "impossible", clause.text, "a part of the piece can only be louder or quieter")
        return
    for effect in dict.fromkeys(clause.names("effect")):
        if effect in MOODS:
            valence, arousal = (sign * scale * step for step in MOODS[effect])
            yield Instruction("mood", "move", clause.text, amount=valence, second=arousal)
        elif effect in TEMPOS or effect in LENGTHS:
            field = "tempo" if effect in TEMPOS else "duration"
            # With a number, "10 bpm faster" says by how much itself.
            if field not in numbers:
                usual = {**TEMPOS, **LENGTHS}[effect]
                yield Instruction(field, "scale", clause.text, amount=_factor(usual, sign, clause))
        elif effect in ("louder", "quieter"):
            yield Instruction("loudness", "move", clause.text, amount=LEVELS[effect] * sign * scale * LOUDNESS_DB)
        else:
            yield Instruction("key", "move", clause.text, amount=2 * LEVELS[effect] * sign)


def _factor(usual: float, sign: int, clause: Clause) -> float:
    """Return the factor of a quantity: the usual one more or less, or 2 or 0.5 where the words say so."""
    if "double" in clause.names("modifier"):
        return 2.0 if usual > 1 else 0.5
    if "half" in clause.names("modifier"):
        return 0.5
    step = 1 + (usual - 1) * min(_scale(clause), _AMOUNTS["large"])
    return step if sign > 0 else 1 / step


def _moods(clause: Clause) -> Iterator[Instruction]:
    # "Happier" is an effect, and a word of the prompt's tables too where they know its stem.
    effects = clause.of("effect")
    for item in clause.of("mood"):
        if any(effect.start < item.end and item.start < effect.end for effect in effects):
            continue
        sign = -1 if item.refused or _removes(clause, item) else _sign(clause)
        steps = [
            sign * _scale(clause) * _MOOD_SHARE * axis if abs(axis) >= _NEAR_MIDDLE else 0.0
            for axis in value("mood", item.name)["at"]
        ]
        yield Instruction("mood", "move", clause.text, item.name, *steps)


def _colours(clause: Clause) -> Iterator[Instruction]:
    less = _sign(clause) < 0 or clause.is_negated or "remove" in clause.names("action")
    for thing in clause.names("thing"):
        if thing in ("reverb", "dry"):
            name = "dry" if (thing == "dry") != less else "spacious"
            yield Instruction("production", "add", clause.text, name)
    for item in clause.of("production"):
        action = "remove" if less or item.refused else "add"
        # The opposite of a spacious sound is a dry one, and the other way round.
        opposite = OPPOSITES.get(item.name)
        if action == "remove" and opposite:
            yield Instruction("production", "add", clause.text, opposite)
        elif not any(other.start < item.end and item.start < other.end for other in clause.of("ambience")):
            yield Instruction("production", action, clause.text, item.name)


def _forms(clause: Clause) -> Iterator[Instruction]:
    for item in clause.of("genre"):
        if item.refused or _sign(clause) < 0:
            yield Instruction("genre", "impossible", clause.text, "say which genre it should be instead")
        else:
            yield Instruction("genre", "set", clause.text, item.name)
    if "fade" in clause.names("thing"):
        yield Instruction("ending", "set", clause.text, "soft" if clause.is_negated else "fade")
    if "loop" in clause.names("thing"):
        yield Instruction("loop", "set", clause.text, "no" if clause.is_negated else "yes")
    for item in clause.of("form"):
        kind, _, name = item.name.partition("/")
        if kind == "ending":
            yield Instruction("ending", "set", clause.text, name)
        elif kind == "form" and name == "loop":
            yield Instruction("loop", "set", clause.text, "no" if item.refused else "yes")
        elif kind == "form":
            yield Instruction("form", "set", clause.text, name)


def _of_numbers(text: ChangeText) -> Iterator[Instruction]:
    """Yield what the prompt's reader reads from numbers and names of keys and meters."""
    parsed, written = text.parsed, text.parsed.prompt.written
    for tempo in parsed.tempos:
        middle = round((tempo.low + tempo.high) / 2, 2)
        way = _way_beside(text, tempo.first, TEMPOS) if middle < SLOWEST_TEMPO else 0
        action, amount = ("move", way * middle) if way else ("set", middle)
        yield Instruction("tempo", action, written(tempo.first, tempo.last), amount=amount, second=tempo.beat or 0.0)
    for length in parsed.durations:
        way = _way_beside(text, length.first, LENGTHS)
        action, amount = ("move", way * length.low) if way else ("set", length.low)
        yield Instruction("duration", action, written(length.first, length.last), amount=amount)
    for bars in parsed.bars:
        yield Instruction("bars", "set", written(bars.first, bars.last), amount=bars.low)
    for level in parsed.loudness[-1:]:
        yield Instruction("loudness", "set", written(level.first, level.last), amount=level.lufs)
    if parsed.meter is not None:
        yield Instruction("meter", "set", text.prompt.text, str(parsed.meter))
    if parsed.key is not None:
        words = parsed.prompt.text[parsed.key.start : parsed.key.end].strip()
        mode = parsed.key.mode or ("major" if parsed.key.tonic is not None else "")
        tonic = -1 if parsed.key.tonic is None else parsed.key.tonic
        yield Instruction("key", "set", words, mode, tonic)


def _way_beside(text: ChangeText, place: int, effects: Mapping[str, float]) -> int:
    """Return 1 or -1 where the clause of a number says that it is a difference, as in ``30 seconds longer``."""
    at = text.parsed.prompt.words[place].start
    clause = next((clause for clause in text.clauses if clause.start <= at < clause.end), None)
    found = [effects[name] for name in clause.names("effect") if name in effects] if clause else []
    return (1 if found[0] > 1 else -1) * _sign(clause) if found and clause else 0


def _check_agreement(found: Sequence[Instruction]) -> None:
    """Raise InvalidRequest for two instructions that cannot both hold."""
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            if one != other and _clash(one, other):
                words = " and ".join(dict.fromkeys(repr(each.words) for each in (one, other)))
                raise InvalidRequest("words", f"{words} contradict each other about {one.field}; give only one")


def _clash(one: Instruction, other: Instruction) -> bool:
    if one.field != other.field or "impossible" in (one.action, other.action):
        # Without a player there is nothing to turn up.
        pair = {(one.field, one.action), (other.field, other.action)}
        return pair == {("instruments", "remove"), ("balance", "move")} and one.name == other.name
    if "only" in (one.action, other.action):
        return False
    if one.field in ("instruments", "ambience", "production"):
        return one.name == other.name and one.action != other.action
    if one.field == "mood":
        return one.amount * other.amount < -0.04 or one.second * other.second < -0.04
    if one.field == "balance":
        return one.name == other.name and one.amount * other.amount < 0
    if one.field in ("tempo", "duration") and "scale" in (one.action, other.action) and one.action != other.action:
        # "Faster, 120 bpm": the number says how much.
        return False
    if one.action != other.action:
        return True
    same_way = (one.amount - 1) * (other.amount - 1) > 0 if one.action == "scale" else one.amount * other.amount > 0
    return not same_way if one.action in ("scale", "move") else (one.name, one.amount) != (other.name, other.amount)
