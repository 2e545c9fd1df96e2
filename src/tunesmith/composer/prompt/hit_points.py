"""Hit points: those of the flags, or the moments that a prompt gives to a climax or a hit."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.composer.brief import Reason
from tunesmith.composer.prompt.moments import Moment
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest, Hit

_MOST_HITS = 16


@dataclass(frozen=True, slots=True)
class HitPoints:
    """The hit points of a piece in time order, with their reasons and warnings."""

    hits: tuple[Hit, ...]
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


def fixed_hits(request: GenerationRequest, parsed: ParsedPrompt) -> tuple[Hit, ...]:
    """Return the hits whose time does not depend on the length: the flags' or the prompt's."""
    return request.hits or tuple(_hit(moment, moment.time) for moment in _moments(parsed) if not moment.from_end)


def read_hits(request: GenerationRequest, parsed: ParsedPrompt, duration: float | None) -> HitPoints:
    """Return the hits: the flags', or the prompt's that lie within ``duration`` seconds (None where bars decide)."""
    if request.hits:
        return HitPoints(request.hits)
    hits: dict[float, Hit] = {}
    reasons, warnings = [], []
    for moment in _moments(parsed):
        words = parsed.prompt.written(moment.first, moment.last)
        time = (duration or 0.0) - moment.time if moment.from_end else moment.time
        if time <= 0 or (duration is not None and time >= duration):
            limit = "the length" if duration is None else f"0 to {duration:g} s"
            warnings.append(f"hit: must lie within {limit}, got {words!r} in the prompt; left out")
            continue
        hits[time] = _hit(moment, time)
        reasons.append(Reason("hit", f"{time:g} s ({moment.kind})", "prompt", f"the prompt says {words!r}"))
    return HitPoints(tuple(hits[time] for time in sorted(hits)), tuple(reasons), tuple(warnings))


def _moments(parsed: ParsedPrompt) -> tuple[Moment, ...]:
    # What lies beyond every limit is no moment of a piece.
    return tuple(moment for moment in parsed.moments if moment.time <= MAX_DURATION_SECONDS)[:_MOST_HITS]


def _hit(moment: Moment, time: float) -> Hit:
    return Hit(time=time, climax=moment.kind == "climax")
