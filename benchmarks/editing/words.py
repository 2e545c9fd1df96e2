"""Whether words that ask for a change are understood: 120 phrases in seven languages (phrases.yaml).

    python benchmarks/editing/words.py

A phrase counts where all that it asks for changes, in the right direction or to the right value, and nothing else is
named as changed. The even-numbered half was never looked at while the reader was tuned. The last line is JSON.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tunesmith.composer.changes import EditedRequest, edit_request
from tunesmith.composer.changes.request_state import RequestState
from tunesmith.composer.prompt.instrument_words import flag_left_out
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

PHRASES = Path(__file__).with_name("phrases.yaml")
LANGUAGES = (("English", 26), ("Spanish", 16), ("German", 17), ("French", 15), ("Portuguese", 15), ("Japanese", 15),
             ("Chinese", 16))  # fmt: skip
"""The languages in the order of the phrases, with their numbers."""
INTROS = {"none": 0, "short": 1, "": 2, "long": 3}

LABELS = {
    "valence": "mood", "arousal": "mood", "transpose": "key", "duration": "length",
    "second_half": "level of all, 50 to 100 %", "first_half": "level of all, 0 to 50 %",
}  # fmt: skip


def measure() -> dict[str, float]:
    """Return the share of phrases that are understood, of all and of the untuned half."""
    results = [is_understood(*row) for row in phrases()]
    return {
        "edit_words_understood": round(sum(results) / len(results), 3),
        "edit_words_understood_untuned": round(sum(results[1::2]) / len(results[1::2]), 3),
    }


def phrases() -> list[tuple[GenerationRequest, str, dict[str, Any]]]:
    """Return the request, the words and the expected change of every phrase."""
    table = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    requests = {name: GenerationRequest.checked(**fields) for name, fields in table["pieces"].items()}
    return [(requests[row["piece"]], row["words"], row["change"]) for row in table["phrases"]]


def is_understood(request: GenerationRequest, words: str, expected: Mapping[str, Any]) -> bool:
    """Return whether the words change all that is expected of them, and nothing else."""
    try:
        edited = edit_request(request, words)
    except InvalidRequest:
        return False
    named = {change.field for change in edited.changes if change.source == "words"}
    if expected.get("unknown"):
        return not named and bool(edited.not_understood)
    allowed = {_label(field) for field in expected}
    before, after = RequestState.of(request), RequestState.of(edited.request)
    return named <= allowed and all(_holds(before, after, edited, field, value) for field, value in expected.items())


def _label(field: str) -> str:
    return field.replace("balance ", "level of ") if field.startswith("balance") else LABELS.get(field, field)


def _holds(before: RequestState, after: RequestState, edited: EditedRequest, field: str, value: Any) -> bool:
    if field == "without":
        return all(flag_left_out(name) <= after.brief.without for name in value)
    if field == "instruments":
        # A family gives one of its players; more of a player that plays already is a higher level.
        return all(after.has(name) for name in value) and after.request != before.request
    if field in ("production", "ambience"):
        return set(value) <= set(getattr(after.brief, field))
    if field.endswith("_half") or field.startswith("balance"):
        change = next(change for change in edited.changes if change.field == _label(field))
        return _is_up(float(change.after.split()[0]) - float(change.before.split()[0]), value)
    if field == "transpose":
        return bool((after.brief.key.tonic - before.brief.key.tonic) % 12 == value % 12)
    now = NUMBERS[field]
    if value in ("up", "down"):
        return _is_up(now(after) - now(before), value)
    return bool(now(after) == (str(value) if field in ("key", "meter", "genre", "ending") else value))


def _is_up(difference: float, direction: str) -> bool:
    return difference > 0.01 if direction == "up" else difference < -0.01


NUMBERS: Mapping[str, Callable[[RequestState], Any]] = {
    "valence": lambda state: state.brief.mood.valence,
    "arousal": lambda state: state.brief.mood.arousal,
    "tempo": lambda state: state.tempo_bpm,
    "duration": lambda state: round(state.timeline.duration, 3),
    "loudness": lambda state: state.loudness_lufs,
    "key": lambda state: str(state.brief.key),
    "meter": lambda state: str(state.brief.meter),
    "genre": lambda state: state.brief.genre,
    "ending": lambda state: state.brief.ending,
    "intro": lambda state: INTROS[state.brief.intro],
}


def main() -> None:
    """Print the tuned phrases that are not understood, the share by language, and the numbers as JSON."""
    rows, shares, place = phrases(), defaultdict[str, list[bool]](list), 0
    for language, number in LANGUAGES:
        for index, row in enumerate(rows[place : place + number], start=place + 1):
            shares[language].append(is_understood(*row))
            if index % 2 and not shares[language][-1]:
                print(f"{index}: {row[1]!r} is not understood")
        place += number
    for language, results in shares.items():
        print(f"{language:12}{sum(results):3} of {len(results)}")
    print(json.dumps(measure()))


if __name__ == "__main__":
    main()
