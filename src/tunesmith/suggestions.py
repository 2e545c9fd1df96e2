"""Near names: which known name a misspelt one, or another common word for it, means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping

FIELD_ALIASES: Mapping[str, str] = {
    "bpm": "tempo_bpm", "tempo": "tempo_bpm",
    "length": "duration", "seconds": "duration", "duration_seconds": "duration", "length_seconds": "duration",
    "guidance": "guidance_scale", "cfg_scale": "guidance_scale",
    "loudness": "loudness_lufs", "lufs": "loudness_lufs",
    "hit": "hits", "instrument": "instruments", "exclude": "without", "style": "genre",
    "time_signature": "meter", "rate": "sample_rate", "samplerate": "sample_rate", "negative": "negative_prompt",
    "sound_font": "soundfont", "text": "prompt", "description": "prompt", "topk": "top_k", "topp": "top_p",
}  # fmt: skip
"""Other common words for the fields of a request, in plain form (see ``plain_form``)."""

LONGEST = 60
"""Names with more characters are not compared: no slip of the pen, and comparing takes the square of the length."""


def plain_form(name: str) -> str:
    """Return a name in lower case with underscores: ``tempoBpm``, ``Tempo-BPM`` and ``tempo bpm`` → ``tempo_bpm``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()[: LONGEST + 1])
    return re.sub(r"[-\s]+", "_", words).lower()


def field_for(name: str, known: Collection[str], aliases: Mapping[str, str] = FIELD_ALIASES) -> str | None:
    """Return the known field that a name stands for: itself, another spelling or an alias; None if there is none."""
    plain = plain_form(name)
    candidates = (name, plain, aliases.get(plain, ""))
    return next((candidate for candidate in candidates if candidate in known), None)


def near_names(name: str, known: Iterable[str], *, limit: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return up to ``limit`` known names that are like this one whatever their case, the nearest first.

    ``cutoff`` is how alike they must be, from 0 to 1 (the same).
    """
    if not name or len(name) > LONGEST:
        return []
    by_lower = {one.lower(): one for one in known}
    return [by_lower[near] for near in difflib.get_close_matches(name.lower(), by_lower, n=limit, cutoff=cutoff)]


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 1, cutoff: float = 0.6) -> str:
    """Return ``"; did you mean X?"`` to put behind an error, or nothing where no known name is near."""
    near = near_names(name, known, limit=limit, cutoff=cutoff)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def did_you_mean_field(name: str, known: Collection[str], aliases: Mapping[str, str] = FIELD_ALIASES) -> str:
    """Return ``"; did you mean X?"`` for a field of a request: X is the field, also where an alias of it is near."""
    field = field_for(name, known, aliases)
    if field is None:
        words = {alias: meant for alias, meant in aliases.items() if meant in known}
        near = near_names(plain_form(name), [*known, *words])
        field = words.get(near[0], near[0]) if near else None
    return f"; did you mean {field}?" if field else ""
