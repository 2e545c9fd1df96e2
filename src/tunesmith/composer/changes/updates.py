"""From instructions to new values of a request's fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.balance import EVERYONE, MAX_LEVEL_DB, LevelChange, parse_level
from tunesmith.composer.changes.instructions import Instruction
from tunesmith.composer.changes.request_state import RequestState, reach_of
from tunesmith.composer.changes.values import RequestChange, shown_value
from tunesmith.composer.prompt.colours import OPPOSITES
from tunesmith.composer.score import ROLES
from tunesmith.composer.theory import Key
from tunesmith.request import (
    ADDING,
    MAX_DURATION_SECONDS,
    MAX_LOUDNESS_LUFS,
    MAX_TEMPO_BPM,
    MIN_DURATION_SECONDS,
    MIN_LOUDNESS_LUFS,
    MIN_TEMPO_BPM,
)


@dataclass
class RequestUpdates:
    """The values to set, collected while the instructions are read; a value of None leaves a field open."""

    before: RequestState
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _reasons: dict[str, list[str]] = field(default_factory=dict)
    _named: list[RequestChange] = field(default_factory=list)

    @property
    def touched(self) -> set[str]:
        """The fields that the words decide."""
        return set(self._reasons)

    def because(self, name: str) -> str:
        """Return the words that decide a field."""
        return ", ".join(dict.fromkeys(self._reasons.get(name, ())))

    def get(self, name: str) -> Any:
        """Return the new value of a field, or else the request's own."""
        return self.values[name] if name in self.values else getattr(self.before.request, name)

    def set(self, name: str, value: Any, words: str) -> None:
        """Set a field because of some words."""
        self.values[name] = value
        self._reasons.setdefault(name, []).append(words)

    def name(self, what: str, before: str, after: str, words: str) -> None:
        """Note a change in words of its own, where the field's old and new value would not say it."""
        self._named.append(RequestChange(what, before, after, f"because of {words!r}"))

    def unmoved(self, after: RequestState) -> Iterator[str]:
        """Yield a note for each field that the words set to what it is already."""
        for row in _ROWS:
            touched = [name for name in (row.field, *row.also) if name in self.touched]
            if touched and row.value(self.before) == row.value(after):
                yield f"{self.because(touched[0])!r} changes nothing: {row.label} is {row.value(after)} already"

    def changes(
        self, after: RequestState, given: Mapping[str, Any], followed: Mapping[str, str]
    ) -> tuple[RequestChange, ...]:
        """Return every change, those of the words first, then those of fields, then what follows from them."""
        found = list(self._named)
        fields = set(given)
        for row in _ROWS:
            was, now = row.value(self.before), row.value(after)
            touched = self.touched & {row.field, *row.also}
            if was == now:
                continue
            if touched:
                words = self.because(next(name for name in (row.field, *row.also) if name in touched))
                found.append(RequestChange(row.label, was, now, f"because of {words!r}"))
            elif fields & {row.field, *row.also}:
                found.append(RequestChange(row.label, was, now, "requested", "setting"))
            else:
                found.append(RequestChange(row.label, was, now, followed.get(row.field, "it follows"), "follows"))
        shown = {name for row in _ROWS for name in (row.field, *row.also)}
        for name in sorted(fields - shown):
            was, now = (shown_value(getattr(state.request, name)) for state in (self.before, after))
            if was != now:
                found.append(RequestChange(name, was, now, "requested", "setting"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _ShownField:
    """A field of the piece that changes are shown for; ``also`` are other fields that decide it."""

    field: str
    label: str
    value: Callable[[RequestState], str]
    also: tuple[str, ...] = ()


_ROWS = (
    _ShownField("genre", "genre", lambda state: state.genre.title),
    _ShownField("mood", "mood", lambda state: mood_text(state)),
    _ShownField("tempo_bpm", "tempo", lambda state: f"{state.tempo_bpm:g} bpm"),
    _ShownField("key", "key", lambda state: str(state.brief.key)),
    _ShownField("meter", "meter", lambda state: str(state.brief.meter)),
    _ShownField("form", "form", lambda state: state.brief.form, ("loop",)),
    _ShownField("duration", "length", lambda state: f"{round(state.timeline.duration, 2):g} s", ("bars",)),
    _ShownField("ending", "ending", lambda state: state.brief.ending or "as usual"),
    _ShownField("intro", "intro", lambda state: state.brief.intro or "as usual"),
    _ShownField("score_edits", "score edits", lambda state: shown_value(state.request.score_edits)),
    _ShownField("loudness_lufs", "loudness", lambda state: f"{state.loudness_lufs:g} LUFS"),
)


def mood_text(state: RequestState) -> str:
    """Return a mood as people read it: ``dark, calm (-0.5, -0.3)``."""
    mood = state.brief.mood
    described = next(reason.value for reason in state.brief.reasons if reason.field == "mood").partition(" (")[0]
    return f"{described} ({mood.valence:+.2f}, {mood.arousal:+.2f})"


def updates_of(before: RequestState, instructions: Sequence[Instruction]) -> RequestUpdates:
    """Return the new values that instructions set. Raises InvalidRequest for values beyond a limit."""
    updates = RequestUpdates(before)
    for one in instructions:
        if one.action == "impossible":
            updates.notes.append(f"{one.words!r} is left out: {one.name}")
        else:
            _SETTERS[one.field](updates, one)
    return updates


def _limited(updates: RequestUpdates, what: str, number: float, low: float, high: float) -> float:
    limited = min(max(number, low), high)
    if limited != number:
        updates.notes.append(f"{what}: must be {low:g} to {high:g}, got {number:g}; made {limited:g}")
    return limited


def _tempo(updates: RequestUpdates, one: Instruction) -> None:
    bpm = one.amount
    current = updates.values.get("tempo_bpm") or updates.before.tempo_bpm
    if one.action == "scale":
        bpm = float(round(current * one.amount))
    elif one.action == "move":
        bpm = current + one.amount
    elif one.second:
        # A tempo that counts a note value counts the meter's own beats in the request.
        bpm *= one.second / updates.before.brief.meter.felt_beat
    updates.set("tempo_bpm", _limited(updates, "tempo", bpm, MIN_TEMPO_BPM, MAX_TEMPO_BPM), one.words)


def _mood(updates: RequestUpdates, one: Instruction) -> None:
    mood = updates.before.brief.mood
    at = [mood.valence, mood.arousal]
    if updates.values.get("mood"):
        at = [float(number) for number in str(updates.values["mood"]).split(",")]
    new = [max(-1.0, min(1.0, round(axis + step, 2))) for axis, step in zip(at, (one.amount, one.second), strict=True)]
    if new == [round(axis, 2) for axis in at]:
        updates.notes.append(f"{one.words!r} is left out: the mood is as far that way as it goes")
        return
    updates.set("mood", f"{new[0]:g},{new[1]:g}", one.words)


def _key(updates: RequestUpdates, one: Instruction) -> None:
    key = Key.parse(updates.values["key"]) if updates.values.get("key") else updates.before.brief.key
    if one.action == "move":
        key = Key((key.tonic + round(one.amount)) % 12, key.mode)
    else:
        tonic = key.tonic if one.amount < 0 else int(one.amount)
        key = Key(tonic, one.name or key.mode)
    updates.set("key", str(key), one.words)


def _length(updates: RequestUpdates, one: Instruction) -> None:
    seconds = one.amount
    if one.action == "scale":
        seconds = max(1.0, float(round(updates.before.timeline.duration * one.amount)))
    elif one.action == "move":
        seconds = round(updates.before.timeline.duration + one.amount, 2)
    seconds = _limited(updates, "duration", seconds, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS)
    updates.set("duration", seconds, one.words)
    updates.values["bars"] = None


def _bars(updates: RequestUpdates, one: Instruction) -> None:
    updates.set("bars", int(one.amount), one.words)
    updates.values["duration"] = None


def _loudness(updates: RequestUpdates, one: Instruction) -> None:
    level = one.amount if one.action == "set" else updates.before.loudness_lufs + one.amount
    level = _limited(updates, "loudness", level, MIN_LOUDNESS_LUFS, MAX_LOUDNESS_LUFS)
    updates.set("loudness_lufs", round(level, 1), one.words)


def _player(updates: RequestUpdates, one: Instruction) -> None:
    if one.action == "only":
        _only(updates, one)
        return
    plays = updates.before.has(one.name)
    if one.action == "remove":
        if not plays:
            updates.notes.append(f"{one.words!r}: no {_plain(one.name)} plays")
        _leave_out(updates, one)
    elif plays and one.amount:
        _level(updates, one)
    elif plays:
        updates.notes.append(f"{one.words!r}: {_plain(one.name)} plays already; for more of it say 'louder'")
    else:
        _bring_in(updates, one)


def _only(updates: RequestUpdates, one: Instruction) -> None:
    """Leave out the roles that none of the named players has, and bring in those who do not play yet."""
    names = one.name.split("|")
    staying = frozenset[str]().union(*(reach_of(name) for name in names))
    kept = frozenset[str]().union(*(player for player in updates.before.players if player & staying))
    for role in ROLES:
        if role in updates.before.names and role not in kept:
            _leave_out(updates, replace(one, name=role))
    for name in names:
        if not updates.before.has(name):
            _bring_in(updates, replace(one, name=name))


def _leave_out(updates: RequestUpdates, one: Instruction) -> None:
    gone = set(reach_of(one.name))
    kept = tuple(name for name in updates.get("instruments") if not set(reach_of(name)) & gone)
    if kept != updates.get("instruments"):
        updates.values["instruments"] = kept
    _exclude(updates, one)


def _exclude(updates: RequestUpdates, one: Instruction) -> None:
    if one.name not in updates.get("without"):
        updates.set("without", (*updates.get("without"), one.name), one.words)
        updates.name("without", "–", _plain(one.name), one.words)


def _bring_in(updates: RequestUpdates, one: Instruction) -> None:
    wanted = set(reach_of(one.name))
    kept = tuple(name for name in updates.get("without") if not set(reach_of(name)) & wanted)
    if kept != updates.get("without"):
        updates.values["without"] = kept
    own = updates.get("instruments")
    gone = frozenset[str]().union(*(reach_of(name) for name in kept))
    # Where nobody else is left, a player cannot join: the piece is written for the new one.
    is_alone = all(player & gone for player in updates.before.players)
    name = one.name if is_alone else f"{ADDING}{one.name}"
    updates.set("instruments", (*own, name), one.words)
    updates.name("instruments", "–", _plain(one.name), one.words)


def _balance(updates: RequestUpdates, one: Instruction) -> None:
    who = one.name.partition("@")[0]
    if who != EVERYONE and not updates.before.has(who):
        updates.notes.append(f"{one.words!r} is left out: no {_plain(who)} plays")
        return
    _level(updates, one)


def _level(updates: RequestUpdates, one: Instruction) -> None:
    who, _, place = one.name.partition("@")
    start, end = map(int, place.split("-")) if place else (0, 100)
    levels = [parse_level(text) for text in updates.get("balance")]
    same = [level for level in levels if (level.name, level.start, level.end) == (who, start, end)]
    was = sum(level.gain_db for level in same)
    gain = max(-MAX_LEVEL_DB, min(MAX_LEVEL_DB, round(was + one.amount, 1)))
    others = [level for level in levels if level not in same]
    changed = LevelChange(who, gain, start, end)
    updates.set("balance", tuple(str(level) for level in (*others, changed)), one.words)
    label = _plain(who) + (f", {start} to {end} %" if place else "")
    updates.name(f"level of {label}", f"{was:+g} dB", f"{gain:+g} dB", one.words)


def _colour(updates: RequestUpdates, one: Instruction) -> None:
    own = updates.before.brief.production | updates.before.names
    if one.action == "remove":
        if one.name not in own and one.name not in updates.before.genre.mix.production:
            updates.notes.append(f"{one.words!r}: there is no {_plain(one.name)}")
        updates.values[one.field] = tuple(name for name in updates.get(one.field) if name != one.name)
        _exclude(updates, one)
    elif one.name in own and one.amount and one.field == "ambience":
        _level(updates, one)
    elif one.name in own:
        updates.notes.append(f"{one.words!r} is left out: it is {_plain(one.name)} already")
    else:
        named = tuple(name for name in updates.get(one.field) if name != OPPOSITES.get(one.name))
        if one.name in named:
            # "Dry, no reverb" says it twice.
            return
        updates.values["without"] = tuple(name for name in updates.get("without") if name != one.name)
        updates.set(one.field, (*named, one.name), one.words)
        updates.name(one.field, "–", _plain(one.name), one.words)


def _choice(updates: RequestUpdates, one: Instruction) -> None:
    updates.set(one.field, one.name, one.words)
    if one.field == "form" and updates.before.request.loop:
        updates.values["loop"] = False


def _loop(updates: RequestUpdates, one: Instruction) -> None:
    updates.set("loop", one.name == "yes", one.words)
    updates.values["form"] = "loop" if one.name == "yes" else "track"


def _plain(name: str) -> str:
    return name.replace("_", " ")


_SETTERS: Mapping[str, Callable[[RequestUpdates, Instruction], None]] = {
    "tempo": _tempo, "mood": _mood, "key": _key, "duration": _length, "bars": _bars, "loudness": _loudness,
    "instruments": _player, "balance": _balance, "production": _colour, "ambience": _colour, "genre": _choice,
    "meter": _choice, "ending": _choice, "intro": _choice, "form": _choice, "loop": _loop,
}  # fmt: skip
