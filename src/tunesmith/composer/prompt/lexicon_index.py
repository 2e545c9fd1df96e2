"""The word tables, and the index built from them so that a cold start need not parse fifty files."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

import yaml

from tunesmith.composer.genre import Loader, genre_names
from tunesmith.composer.prompt.text import phrase_key, stem_key

LANGUAGES = ("en", "es", "de", "fr", "pt", "ja", "zh")
TABLES = {
    "instruments": "instrument", "families": "family", "moods": "mood", "production": "production",
    "ambience": "ambience", "tempo": "tempo", "forms": "form", "words": "word", "uses": "use", "places": "use",
    "weather_and_seasons": "use", "stories": "use", "occasions": "use", "work_and_home": "use",
    "eras_and_traditions": "use", "situations": "use", "daily_life": "use", "artists": "artist", "modes": "mode",
    "styles": "style", "labels": "label", "means": "means",
}  # fmt: skip
_OTHER_TABLES = ("numbers", "clashes", "hints", "lends", "notes", "numbered", "moments", "compounds")
# Only these lines affect prompts, so that a change of a groove does not make the index stale.
_OWN_WORDING = re.compile(
    r"^(?:title|family|aliases|anchors|valence|arousal|tempo):.*\n(?:[ #-].*\n|\n)*", re.MULTILINE
)
_PLAYERS, _JOINING = frozenset({"instrument", "family", "means"}), frozenset({"word:and", "word:subordinate"})
_EXACT_ONLY = frozenset({"word", "artist", "label"})

SEPARATOR = "|"
"""What separates the meanings of a phrase in the index."""

Index = Mapping[str, Any]


def lexicon_text(name: str) -> str:
    """Return the text of one table of the lexicon."""
    folder = resources.files("tunesmith.composer.prompt") / "lexicon"
    # The digest must not depend on the line endings of a checkout.
    return (folder / f"{name}.yaml").read_text(encoding="utf-8").replace("\r\n", "\n")


@functools.cache
def genre_wording(name: str) -> str:
    """Return the lines of a genre file about prompts: title, family, aliases, anchors, mood and tempo."""
    text = (resources.files("tunesmith.composer") / "genres" / f"{name}.yaml").read_text(encoding="utf-8")
    return "".join(_OWN_WORDING.findall(text.replace("\r\n", "\n") + "\n"))


def lexicon_table(name: str) -> dict[str, Any]:
    """Return one parsed table of the lexicon."""
    table: dict[str, Any] = yaml.load(lexicon_text(name), Loader=Loader)  # noqa: S506  CSafeLoader is safe
    return {str(key): value for key, value in table.items()}


def digest(*texts: str) -> str:
    """Return a short digest of the texts."""
    return hashlib.blake2b("\x1f".join(texts).encode(), digest_size=12).hexdigest()


@functools.cache
def sources_digest() -> str:
    """Return the digest of all sources of the index."""
    lexicon = [lexicon_text(name) for name in (*TABLES, *_OTHER_TABLES)]
    return digest(*lexicon, *(f"{name}\n{genre_wording(name)}" for name in genre_names()))


def build_index() -> dict[str, Any]:
    """Parse every table into one index: phrases and stems -> entries, and the values of the entries."""
    phrases, stems, values = _phrases_stems_and_values()
    return {
        "digest": sources_digest(),
        "phrases": _joined(phrases),
        "stems": _joined(stems),
        "values": values,
        "numbers": {
            phrase_key(word): float(number)
            for number, words in lexicon_table("numbers").items()
            for word in words.split(",")
        },
        **{name: lexicon_table(name) for name in ("clashes", "hints", "lends")},
        "notes": {phrase_key(words): float(beats) for words, beats in lexicon_table("notes").items()},
        "numbered": {
            kind: sorted({phrase_key(word) for word in words.split(",")})
            for kind, words in lexicon_table("numbered").items()
        },
        "compounds": {
            kind: [phrase_key(word) for word in words.split(",")] for kind, words in lexicon_table("compounds").items()
        },
        "moments": {
            phrase_key(word): kind for kind, row in lexicon_table("moments").items() for word in _words_of(row)
        },
    }


def _phrases_stems_and_values() -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, dict[str, Any]]]:
    phrases: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    values: dict[str, dict[str, Any]] = {}
    for kind, name, value, words in _entries():
        values.setdefault(kind, {})[name] = value
        own_name = phrase_key(name.replace("_", " "))
        for key in map(phrase_key, words):
            is_alias = kind == "genre" and key != own_name
            if is_alias and _describes(key, phrases):
                continue
            # An alias that is ambiguous only hints at its genre; the genre's own name never does.
            strength = _strength(phrases.get(key, ())) if is_alias else kind
            _add(phrases, key, f"{strength}:{name}")
            # Function words, names and labels match exactly only: their stems would match other words too. Ideographs
            # and kana have no endings.
            if kind not in _EXACT_ONLY and key.isascii():
                _add(stems, stem_key(key), f"{strength}:{name}")
    return phrases, stems, values


def _describes(alias: str, phrases: Mapping[str, list[str]]) -> bool:
    """Return whether an alias only joins moods and players: ``sad piano``, ``piano and strings``.

    Such words limit and colour the music; as the name of a genre they would hide what they say.
    """
    words, parts, place = alias.split(" "), list[set[str]](), 0
    while place < len(words):
        last = next((end for end in range(len(words), place, -1) if " ".join(words[place:end]) in phrases), None)
        if last is None:
            return False
        entries = phrases[" ".join(words[place:last])]
        parts.append({entry if entry.startswith("word:") else entry.partition(":")[0] for entry in entries})
        place = last
    players = [part for part in parts if part & _PLAYERS]
    is_joined = any(part & _JOINING for part in parts) and any("instrument" in part for part in players)
    moods = [part for part in parts if "mood" in part]
    is_plain = all(part & (_PLAYERS | _JOINING | {"mood"}) for part in parts)
    return is_plain and bool(players) and bool(moods or (is_joined and len(players) > 1))


def _joined(table: Mapping[str, list[str]]) -> dict[str, str]:
    # One string an entry: JSON reads it much faster than a list.
    return {key: SEPARATOR.join(entries) for key, entries in table.items()}


def _strength(others: Iterable[str]) -> str:
    """Return how strong an alias of a genre is.

    An alias that also means a mood, a use or a player only hints at the genre (``style``); one that is a function word
    or names only the means, such as ``acoustic``, does not count.
    """
    kinds = {entry.partition(":")[0] for entry in others}
    if kinds & {"word", "label", "means"}:
        return ""
    return "genre" if kinds <= {"genre", "form", "style", "production"} else "style"


def _add(table: dict[str, list[str]], key: str, entry: str) -> None:
    if key and not entry.startswith(":") and entry not in table.setdefault(key, []):
        table[key].append(entry)


def _entries() -> Iterator[tuple[str, str, Any, list[str]]]:
    for table, kind in TABLES.items():
        for name, row in lexicon_table(table).items():
            yield kind, name, {key: value for key, value in row.items() if key not in LANGUAGES}, _words_of(row)
    for name in genre_names():
        own: dict[str, Any] = yaml.load(genre_wording(name), Loader=Loader)  # noqa: S506  CSafeLoader is safe
        aliases = [str(word) for words in own["aliases"].values() for word in words]
        value = {
            "at": [own["valence"], own["arousal"]],
            "title": own["title"],
            "family": own["family"],
            "tempo": [own["tempo"][end] for end in ("low", "typical", "high")],
        }
        yield "genre", name, value, [*aliases, own["title"], name.replace("_", " ")]


def _words_of(row: Mapping[str, Any]) -> list[str]:
    """Return the words of an entry of a table in all its languages."""
    return [word for language in LANGUAGES for word in str(row.get(language, "")).split(",") if word.strip()]


def index_path() -> Any:
    """Return the path of the built index in the package."""
    return resources.files("tunesmith.composer.prompt") / "index.json"


@functools.cache
# Cached: a process reads and checks the index once, not once per prompt.
def index() -> Index:
    """Return the index: the one in the package where it is current, otherwise a fresh one."""
    path = index_path()
    if path.is_file():
        built: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        # The digest detects edited tables, in a checkout where the index was not rebuilt.
        if built["digest"] == sources_digest():
            return built
    return build_index()
