"""The names of fields of requests: their spellings, their aliases, and suggestions for unknown ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tunesmith.suggestions import LONGEST, near_names

FIELD_ALIASES: Mapping[str, str] = {
    "bpm": "tempo_bpm", "tempo": "tempo_bpm",
    "length": "duration", "seconds": "duration", "duration_seconds": "duration", "length_seconds": "duration",
    "guidance": "guidance_scale", "cfg_scale": "guidance_scale",
    "loudness": "loudness_lufs", "lufs": "loudness_lufs",
    "hit": "hits", "locks": "lock", "feeling": "mood",
    "instrument": "instruments", "exclude": "without", "style": "genre",
    "time_signature": "meter", "rate": "sample_rate", "samplerate": "sample_rate", "negative": "negative_prompt",
    "sound_font": "soundfont", "text": "prompt", "description": "prompt", "topk": "top_k", "topp": "top_p",
    "num_inference_steps": "steps", "num_steps": "steps", "style_strength": "strength",
}  # fmt: skip
"""Aliases of request fields, in plain form (see ``plain_form``)."""


def plain_form(name: str) -> str:
    """Return a name in snake case: ``tempoBpm``, ``Tempo-BPM`` and ``tempo bpm`` give ``tempo_bpm``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()[: LONGEST + 1])
    return re.sub(r"[-\s]+", "_", words).lower()


def field_for(name: str, known: Collection[str], aliases: Mapping[str, str] = FIELD_ALIASES) -> str | None:
    """Return the known field for a name, another spelling of it or an alias; None if there is none."""
    plain = plain_form(name)
    candidates = (name, plain, aliases.get(plain, ""))
    return next((candidate for candidate in candidates if candidate in known), None)


def did_you_mean_field(name: str, known: Collection[str], aliases: Mapping[str, str] = FIELD_ALIASES) -> str:
    """Return ``"; did you mean X?"`` for a request field: X is the field itself, even if an alias of it is nearest."""
    field = field_for(name, known, aliases)
    if field is None:
        # Consider only aliases of fields that this request has.
        words = {alias: meant for alias, meant in aliases.items() if meant in known}
        near = near_names(plain_form(name), [*known, *words])
        field = words.get(near[0], near[0]) if near else None
    return f"; did you mean {field}?" if field else ""
