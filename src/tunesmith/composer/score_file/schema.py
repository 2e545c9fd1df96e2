"""The JSON Schema of score files, from the same tables with which the loader checks them.

It sees each value by itself. What depends on several only the loader can check: that beats lie within the meter and
bars within the sections, that names differ, that a part that follows has a genre.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.genre import genre_names
from tunesmith.composer.instruments import instruments
from tunesmith.composer.score import AMBIENCES, OCTAVE_GAINS, OCTAVES, PRODUCTION, ROLES
from tunesmith.composer.score_file import load, part_entry, record
from tunesmith.composer.score_file.dump import FORMAT_VERSION
from tunesmith.composer.score_file.form import MAX_BARS, MAX_REPEATS
from tunesmith.composer.score_file.frame import TEMPO_LIMITS
from tunesmith.composer.theory import CHORD_QUALITIES, MODES
from tunesmith.composer.writing.written_score import FOLLOWS
from tunesmith.request import MAX_DURATION_SECONDS, MAX_SEED

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The version that editors read."""

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
"""Text: YAML takes an unquoted 7 for a number, and the loader takes it as written."""

NUMBER = r"\d+(\.\d+)?"
LEVEL = r"^[+-]?\d+(\.\d+)?(@\d{1,3}-\d{1,3})?$"
PITCH = r"[A-Ga-g][#b♯♭]?-?\d+"


def score_schema() -> Schema:
    """Return the JSON Schema of a score file, as plain JSON values."""
    properties = _document()
    # A field that one of the two lacks would be refused or unchecked without a word.
    assert properties.keys() == {*load.REQUIRED, *load.OPTIONAL}
    return {
        "$schema": DIALECT,
        "title": "Tunesmith score",
        "description": "A piece of music as tunesmith render plays it; see docs/score-file.md.",
        **_mapping(properties, load.REQUIRED),
        "definitions": {"part": _part(), "section": _section(), "notes": _notes(), "chords": _chords()},
    }


def _document() -> Schema:
    return {
        "tunesmith": _named(_whole(FORMAT_VERSION, FORMAT_VERSION), "The version of the format."),
        "title": SCALAR,
        "prompt": SCALAR,
        "genre": {"anyOf": [_one_of(genre_names()), SCALAR]},
        "seed": _whole(0, MAX_SEED),
        "key": _named(_key(), "Such as A minor, F# dorian, Bb."),
        "meter": _named(_meter(), "Such as 4/4, 3/4, 6/8."),
        "meters": _named(_places(_meter()), "Other meters from these bars on; bars are counted in the first."),
        "tempo": _tempo(),
        "duration": _number(0.1, MAX_DURATION_SECONDS),
        "loop": {"type": "boolean"},
        "form": _one_of(load.FORMS),
        "transpose": _named(_whole(*part_entry.WHOLE_RANGES["transpose"]), "Semitones, for the whole piece."),
        "groove": _named(_number(*part_entry.RANGES["groove"]), "How much of the genre's groove; 1 is as usual."),
        "humanize": _named(_number(*part_entry.RANGES["humanize"]), "How much chance; 1 is as usual."),
        "mix": _mapping(
            {
                **{name: _number(*limits) for name, limits in load.MIX_RANGES.items()},
                **{name: _octave_gains() for name in OCTAVE_GAINS},
                "production": _list(_one_of(PRODUCTION)),
                "levels": _list(_text(LEVEL, "a level in dB such as 3 or 6@50-100")),
            }
        ),
        "ambience": _list(
            _mapping({"name": _one_of(AMBIENCES), "gain_db": _number(*part_entry.RANGES["gain_db"])}, ("name",))
        ),
        "sections": _named(_list(_reference("section"), 1), "Mappings, or names of sections that are known."),
        "chords": _named(_reference("chords"), "Bar: 'beat chord length', beats count from 1."),
        "parts": _list(_reference("part")),
        "written": _named(_record(), "What the notes were written for; leave it as it is."),
    }


def _part() -> Schema:
    properties = {
        "name": _named(SCALAR, "A name of your own."),
        "role": _one_of(ROLES),
        "instrument": _one_of(instruments()),
        "follow": _named(_one_of(FOLLOWS), "What the part follows when the score changes."),
        "player": _mapping(
            {
                **dict.fromkeys(part_entry.PLAYER_WORDS, SCALAR),
                "voicing": _one_of(part_entry.VOICINGS),
                "register": _whole(*part_entry.REGISTER_LIMITS),
                "echo": _mapping(
                    {
                        **{name: _number(*limits) for name, limits in part_entry.ECHO_LIMITS.items()},
                        "repeats": _whole(1, part_entry.MOST_REPEATS),
                    }
                ),
            }
        ),
        **{name: _number(*limits) for name, limits in part_entry.RANGES.items()},
        **{name: _whole(*limits) for name, limits in part_entry.WHOLE_RANGES.items()},
        **{name: {"type": "boolean"} for name in part_entry.FLAGS},
        "levels": _list(_text(LEVEL, "a level in dB such as 3 or 6@50-100")),
        "notes": _named(_reference("notes"), "Bar: 'beat pitch length velocity [glide]', beats count from 1."),
    }
    assert properties.keys() == set(part_entry.FIELDS)
    part = _mapping(properties, part_entry.REQUIRED)
    # A part without notes must follow something.
    followers = _one_of(one for one in FOLLOWS if one != "fixed")
    part["anyOf"] = [{"required": ["notes"]}, {"required": ["follow"], "properties": {"follow": followers}}]
    return part


def _section() -> Schema:
    whole = {
        "name": SCALAR,
        "bars": _whole(1, MAX_BARS),
        "energy": _number(0, 1),
        "gain_db": _number(*part_entry.RANGES["gain_db"]),
        "repeat": _whole(1, MAX_REPEATS),
    }
    return {"anyOf": [SCALAR, _mapping(whole, ("name",))]}


def _record() -> Schema:
    properties = {
        "key": _key(),
        "meter": _meter(),
        "tempo": _tempo(),
        "duration": _number(0.1, MAX_DURATION_SECONDS),
        "seed": _whole(0, MAX_SEED),
        "sections": _list(_reference("section"), 1),
        "chords": _reference("chords"),
        "mood": {**_list(_number(-1, 1), 2), "maxItems": 2},
        "ending": _one_of(record.ENDINGS),
        "exact_length": {"type": "boolean"},
        "hits": _list(SCALAR),
        "locks": {"type": "object", "additionalProperties": _whole(0, MAX_SEED)},
        "notes": {"type": "object", "additionalProperties": SCALAR},
    }
    assert properties.keys() == set(record.FIELDS)
    return _mapping(properties, record.FRAME_FIELDS)


def _notes() -> Schema:
    drums = "|".join(map(re.escape, DRUM_KEYS))
    entry = rf"{NUMBER}\s+({PITCH}|{drums}|\d+)\s+{NUMBER}\s+{NUMBER}(\s+-?{NUMBER})?"
    return _by_bar(_entries(entry, "beat pitch length velocity, such as 1 A4 1.5 90, 2.5 C5 0.5 80"))


def _chords() -> Schema:
    qualities = "|".join(re.escape(quality) for quality in sorted(CHORD_QUALITIES, key=len, reverse=True))
    entry = rf"{NUMBER}\s+[A-G][#b]?({qualities})(/[A-G][#b]?)?\s+{NUMBER}"
    return _by_bar(_entries(entry, "beat chord length, such as 1 Am7 2, 3 F 2"))


def _text(pattern: str, meaning: str) -> Schema:
    """Return text of a pattern; ``meaning`` is what editors say where it does not match, in place of the pattern."""
    return {"type": "string", "pattern": pattern, "patternErrorMessage": f"must be {meaning}"}


def _entries(entry: str, meaning: str) -> Schema:
    """Return a list of entries as text, in which an entry may be empty: a comma too many is no mistake."""
    return _text(rf"^\s*({entry})?\s*(,\s*({entry})?\s*)*$", meaning)


def _by_bar(value: Schema) -> Schema:
    return {"type": "object", "patternProperties": {r"^\d+$": value}, "additionalProperties": False}


def _tempo() -> Schema:
    bpm = _number(*TEMPO_LIMITS)
    return {"anyOf": [bpm, _places(bpm)]}


def _places(value: Schema) -> Schema:
    places = {"type": "object", "patternProperties": {r"^\d+( beat \d{1,3}(\.\d+)?)?$": value}}
    return {**places, "additionalProperties": False, "minProperties": 1}


def _key() -> Schema:
    modes = "|".join([*MODES, "m", "M", "min", "maj", "ionian", "aeolian"])
    pattern = rf"^\s*[A-Ga-g]([#♯b♭]|[ -]?sharp\b|[ -]?flat\b)?\s*({modes})?\s*$"
    return _text(pattern, "a key such as A minor, F# dorian or Bb")


def _meter() -> Schema:
    return _text(r"^\s*(0?[1-9]|1[0-5])\s*/\s*(0?2|0?4|0?8|16)\s*$", "a meter such as 4/4, 3/4 or 6/8")


def _reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _named(schema: Mapping[str, Any], description: str) -> Schema:
    # Beside a reference, draft 7 ignores every other word.
    return (
        {"allOf": [dict(schema)], "description": description}
        if "$ref" in schema
        else {**schema, "description": description}
    )


def _mapping(properties: Mapping[str, Any], required: Iterable[str] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _list(items: Schema, at_least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": at_least}


def _octave_gains() -> Schema:
    return {**_list(_number(*load.GAIN_RANGE), OCTAVES), "maxItems": OCTAVES}


def _one_of(names: Iterable[str]) -> Schema:
    return {"enum": list(names)}


def _number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}
