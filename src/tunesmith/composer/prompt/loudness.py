"""The loudness that a prompt asks for: ``at -16 LUFS``, ``LUFS: -20``, ``menos 14 LUFS``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Reason
from tunesmith.composer.prompt.text import Prompt
from tunesmith.request import MAX_LOUDNESS_LUFS, MIN_LOUDNESS_LUFS, Form

BED_LUFS = -22.0
"""The loudness of a bed: speech at −16 LUFS stays 6 LU above it."""
_UNIT = r"(?:db\s?)?(?:lufs|lkfs)"
_MINUS = r"(?:[-−–‒－]|minus|menos|moins|マイナス|负|負)"
_NUMBER = r"\d{1,3}(?:[.,]\d+)?"
_LOUDNESS = re.compile(
    rf"(?<![\d.,:]){_MINUS}?\s?({_NUMBER})\s?-?{_UNIT}(?![^\W_])|(?<![^\W_]){_UNIT}\s?[:=]?\s?{_MINUS}?\s?({_NUMBER})"
)


@dataclass(frozen=True, slots=True)
class RequestedLoudness:
    """A requested integrated loudness in LUFS (EBU R 128), as ``written``; its words are ``first`` to ``last``.

    ``last`` is exclusive.
    """

    lufs: float
    first: int
    last: int
    written: str


def read_loudness(prompt: Prompt) -> tuple[RequestedLoudness, ...]:
    """Return every loudness in a prompt, in its order; without a sign it is negative, as music always is."""
    found = []
    # Read from the text: the sign is no word.
    for loudness in _LOUDNESS.finditer(prompt.folded):
        places = prompt.places(*loudness.span())
        lufs = -float((loudness[1] or loudness[2]).replace(",", "."))
        found.append(RequestedLoudness(lufs, places[0], places[-1] + 1, prompt.text[slice(*loudness.span())].strip()))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LoudnessTarget:
    """The loudness to master to in LUFS, None for the genre's own, with its reasons and warnings."""

    lufs: float | None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


def loudness_target(flag: float | None, requested: Sequence[RequestedLoudness], form: Form) -> LoudnessTarget:
    """Return the loudness: the flag's, the last one of the prompt, or that of a bed, which lies under speech."""
    if flag is not None:
        return LoudnessTarget(flag)
    if not requested:
        reason = Reason("loudness", f"{BED_LUFS:g}", "genre", "a bed lies under speech")
        return LoudnessTarget(BED_LUFS, (reason,)) if form == "bed" else LoudnessTarget(None)
    last = requested[-1]
    lufs = min(max(last.lufs, MIN_LOUDNESS_LUFS), MAX_LOUDNESS_LUFS)
    warnings = []
    if lufs != last.lufs:
        warnings.append(
            f"loudness: must be {MIN_LOUDNESS_LUFS:g} to {MAX_LOUDNESS_LUFS:g} LUFS, got {last.lufs:g} in the prompt; "
            f"made {lufs:g}"
        )
    if len({one.lufs for one in requested}) > 1:
        warnings.append(f"loudness: the prompt names several; the last, {lufs:g} LUFS, is used")
    return LoudnessTarget(
        lufs, (Reason("loudness", f"{lufs:g}", "prompt", f"the prompt says {last.written!r}"),), tuple(warnings)
    )
