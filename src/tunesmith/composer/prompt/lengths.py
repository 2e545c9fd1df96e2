"""Form, duration and bars: what was requested, made consistent, with usual values for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tunesmith.composer.brief import Reason
from tunesmith.composer.prompt.defaults import DEFAULT_SECONDS, TempoChoice, exact_tempo, loop_bars
from tunesmith.composer.prompt.hit_points import fixed_hits
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.theory import Meter
from tunesmith.errors import InvalidRequest
from tunesmith.request import (
    MAX_DURATION_SECONDS,
    MAX_TEMPO_BPM,
    MIN_DURATION_SECONDS,
    MIN_TEMPO_BPM,
    Form,
    GenerationRequest,
    Hit,
)  # fmt: skip

_FORMS: tuple[Form, ...] = ("sting", "bumper", "loop", "bed", "track")
_MOST_BARS = 2_000
_AGREE_SECONDS = 0.02
_AFTER_LAST_HIT = 6.0


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a piece.

    ``duration`` is in seconds, None where ``bars`` decides; ``tempo`` is changed where bars and duration fix it.
    """

    duration: float | None
    bars: int | None
    tempo: TempoChoice
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...] = ()


def read_form(request: GenerationRequest, parsed: ParsedPrompt) -> tuple[Form, Reason]:
    """Choose the form: a flag, the prompt's word, or a full track."""
    if request.loop or request.form:
        form: Form = "loop" if request.loop else request.form or "track"
        return form, Reason("form", form, "flag", "asked for")
    named = [name.removeprefix("form/") for name in parsed.names("form") if name.startswith("form/")]
    # From the most specific word to the least: "a looping track" is a loop.
    for form in _FORMS:
        if form in named:
            words = parsed.words_for("form", f"form/{form}")
            return form, Reason("form", form, "prompt", f"the prompt says {words!r}")
    return "track", Reason("form", "track", "genre", "a whole piece, the default")


def read_length(
    request: GenerationRequest, parsed: ParsedPrompt, form: Form, meter: Meter, tempo: TempoChoice
) -> Length:
    """Choose duration and bars; raise InvalidRequest where flags contradict each other."""
    duration, bars, reasons, warnings = _requested_length(request, parsed)
    length = Length(duration, bars, tempo, tuple(reasons), tuple(warnings))
    if duration is None and bars is None:
        return _usual(fixed_hits(request, parsed), form, meter, length)
    if bars is not None and duration is None:
        return _by_bars(request, meter, length)
    return length if bars is None else _by_both(request, meter, length)


def _requested_length(
    request: GenerationRequest, parsed: ParsedPrompt
) -> tuple[float | None, int | None, list[Reason], list[str]]:
    reasons: list[Reason] = []
    warnings: list[str] = []
    duration, bars = request.duration, request.bars
    if duration is not None:
        reasons.append(Reason("duration", f"{duration:g} s", "flag", "asked for"))
    # Bars in a flag decide the length, so a duration in the prompt would only contradict them.
    elif parsed.durations and bars is None:
        duration = _within_limits(parsed.durations[-1].low, warnings)
        words = parsed.prompt.written(parsed.durations[-1].first, parsed.durations[-1].last)
        reasons.append(Reason("duration", f"{duration:g} s", "prompt", f"the prompt says {words!r}"))
        if len({d.low for d in parsed.durations}) > 1:
            warnings.append(f"duration: the prompt names several; the last, {duration:g} s, is used")
    if bars is not None:
        reasons.append(Reason("bars", str(bars), "flag", "asked for"))
    # The duration flag decides the length, so bars in the prompt are not used.
    elif parsed.bars and request.duration is None and 1 <= parsed.bars[-1].low <= _MOST_BARS:
        bars = int(parsed.bars[-1].low)
        reasons.append(Reason("bars", str(bars), "prompt", f"the prompt says {bars} bars"))
        if len({b.low for b in parsed.bars}) > 1:
            warnings.append(f"bars: the prompt names several; the last, {bars}, is used")
    elif parsed.bars and request.duration is None:
        warnings.append(f"bars: must be 1 to {_MOST_BARS}, got {parsed.bars[-1].low:g} in the prompt; left out")
    return duration, bars, reasons, warnings


def _within_limits(seconds: float, warnings: list[str]) -> float:
    # A prompt is never refused for its length: it is limited, with a warning.
    limited = min(max(seconds, MIN_DURATION_SECONDS), MAX_DURATION_SECONDS)
    if limited != seconds:
        warnings.append(
            f"duration: must be {MIN_DURATION_SECONDS:g} to {MAX_DURATION_SECONDS:g} s, got {seconds:g} s in the "
            f"prompt; made {limited:g} s"
        )
    return limited


def _usual(hits: Sequence[Hit], form: Form, meter: Meter, length: Length) -> Length:
    if form == "loop" and not hits:
        bars = loop_bars(length.tempo.bpm, meter)
        return replace(length, bars=bars, reasons=(Reason("bars", str(bars), "genre", "a usual length for a loop"),))
    last_hit = max((hit.time for hit in hits), default=0.0)
    duration = DEFAULT_SECONDS.get(form, 30.0)
    because = f"the usual length of a {form}"
    # The last hit needs a few seconds of music after it, or the ending cuts off its effect.
    if last_hit and last_hit + _AFTER_LAST_HIT > duration:
        duration, because = min(last_hit + _AFTER_LAST_HIT, MAX_DURATION_SECONDS), "room for the last hit point"
    return replace(
        length, duration=duration, reasons=(*length.reasons, Reason("duration", f"{duration:g} s", "genre", because))
    )


def _seconds(bars: int, meter: Meter, bpm: float) -> float:
    return bars * meter.beats_per_bar / meter.felt_beat * 60 / bpm


def _by_bars(request: GenerationRequest, meter: Meter, length: Length) -> Length:
    assert length.bars is not None
    seconds = _seconds(length.bars, meter, length.tempo.bpm)
    # Between the limits, bars and tempo give the duration.
    if MIN_DURATION_SECONDS <= seconds <= MAX_DURATION_SECONDS:
        return length
    problem = (
        f"{length.bars} bars of {meter} at {length.tempo.bpm:g} bpm last {seconds:.1f} s; "
        f"the limits are {MIN_DURATION_SECONDS:g} and {MAX_DURATION_SECONDS:g} s"
    )
    if request.bars is not None:
        raise InvalidRequest("bars", problem)
    duration = min(max(seconds, MIN_DURATION_SECONDS), MAX_DURATION_SECONDS)
    return replace(
        length, bars=None, duration=duration, warnings=(*length.warnings, f"bars: {problem}; made {duration:g} s")
    )


def _by_both(request: GenerationRequest, meter: Meter, length: Length) -> Length:
    """Make bars and duration agree, by the tempo where it is open."""
    assert length.bars is not None
    assert length.duration is not None
    # The tolerance covers durations that were rounded to hundredths of a second.
    if (
        length.tempo.is_given
        and abs(_seconds(length.bars, meter, length.tempo.bpm) - length.duration) <= _AGREE_SECONDS
    ):
        return length
    bpm = _seconds(length.bars, meter, 1.0) / length.duration
    problem = (
        f"{length.bars} bars of {meter} in {length.duration:g} s need {bpm:.1f} bpm"
        + (f", but the tempo is {length.tempo.bpm:g} bpm" if length.tempo.is_given else "")
    )  # fmt: skip
    # An open tempo absorbs the difference, so that both bars and duration hold.
    if not length.tempo.is_given and MIN_TEMPO_BPM <= bpm <= MAX_TEMPO_BPM:
        because = f"{length.bars} bars must last {length.duration:g} s"
        return replace(length, tempo=exact_tempo(bpm, "flag" if request.bars else "prompt", because))
    # Only a contradiction among flags is an error; one in the prompt is settled, with a warning.
    if request.bars is not None and request.duration is not None and (request.tempo_bpm or not length.tempo.is_given):
        raise InvalidRequest(
            "bars", f"{problem} (limits {MIN_TEMPO_BPM:g} to {MAX_TEMPO_BPM:g}): bars, duration and tempo disagree"
        )
    if request.bars is not None and request.duration is not None:
        return replace(length, tempo=exact_tempo(bpm, "flag", "the bars and duration asked for fix it"),
                       warnings=(*length.warnings, f"tempo: {problem}; the flags win"))  # fmt: skip
    if request.bars is not None:
        return replace(
            length, duration=None, warnings=(*length.warnings, f"duration: {problem}; the bars asked for win")
        )
    return replace(length, bars=None, warnings=(*length.warnings, f"bars: {problem}; the duration wins"))
