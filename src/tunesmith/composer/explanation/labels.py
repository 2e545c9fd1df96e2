"""Labels: values of a brief as words that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tunesmith.composer.prompt.lexicon import value

_FORMS: Mapping[str, str] = {
    "track": "Whole piece", "loop": "Loop", "sting": "Sting", "bumper": "Bumper", "bed": "Bed under speech",
}  # fmt: skip
_ENDINGS: Mapping[str, str] = {"big": "Big ending", "soft": "Soft ending", "fade": "Fades out"}
_PRODUCTION: Mapping[str, str] = {
    "tape": "Tape sound", "wow": "Wavering tape", "vinyl": "Vinyl sound", "lofi": "Lo-fi sound",
    "distortion": "Distortion", "bitcrush": "Crushed bits", "telephone": "Telephone sound", "dry": "Dry, no echo",
    "spacious": "Spacious",
}  # fmt: skip
_ACRONYMS: Mapping[str, str] = {"fm": "FM", "edm": "EDM", "808": "808"}
_SECONDS_A_MINUTE = 60


def named(name: str) -> str:
    """Return an identifier as words: ``fm_electric_piano`` -> ``FM electric piano``."""
    words = [_ACRONYMS.get(word, word) for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def key_label(key: str) -> str:
    """Return a key with the signs of music: ``C# minor`` -> ``C♯ minor``."""
    tonic, space, mode = key.partition(" ")
    return tonic.replace("#", "♯").replace("b", "♭") + space + mode


def time_label(seconds: float) -> str:
    """Return seconds as ``m:ss``, with tenths where they are not whole."""
    # In tenths first, so that 59.96 is 1:00 and not 0:60.
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 10 * _SECONDS_A_MINUTE)
    return f"{minutes}:{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")


def tempo_label(bpm: float) -> str:
    """Return a tempo: ``84 bpm``."""
    return f"{round(bpm, 1):g} bpm"


def bars_label(bars: int) -> str:
    """Return a number of bars: ``1 bar``, ``8 bars``."""
    return f"{bars} bar" if bars == 1 else f"{bars} bars"


def mood_label(described: str) -> str:
    """Return a mood without its numbers: ``bright, calm (valence …)`` -> ``Bright, calm``."""
    words = described.partition(" (")[0]
    return words[:1].upper() + words[1:]


def signed_label(number: float, unit: str) -> str:
    """Return a number with a typographic minus and its unit: ``−14 LUFS``."""
    return f"{number:g} {unit}".replace("-", "−")


_LABELS: Mapping[str, Callable[[str], str]] = {
    # From the index: the files of all genres take a second to read.
    "genre": lambda name: str(value("genre", name)["title"]),
    "key": key_label,
    "meter": str,
    "mood": mood_label,
    "form": lambda name: _FORMS.get(name, named(name)),
    "ending": lambda name: _ENDINGS.get(name, named(name)),
    "production": lambda name: _PRODUCTION.get(name, named(name)),
    "without": lambda name: f"No {named(name).lower()}",
}


def label_of(field: str, value: str) -> str:
    """Return the label of a value of the brief that is a name."""
    return _LABELS.get(field, named)(value)
