"""The form: sections with an energy curve, fitted to a number of bars and to the hit points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.score import Section
from tunesmith.composer.writing.form.climax import peaks_of, with_release
from tunesmith.composer.writing.form.drafts import CLOSINGS, OPENINGS, SectionDraft, read_draft
from tunesmith.composer.writing.form.repetition import choruses, laid_out
from tunesmith.composer.writing.form.tempo import FormTimeline, HitBar
from tunesmith.composer.writing.form.variation import varied

BED_ENERGY = (0.25, 0.5)
# How much more energy the liveliest mood has than a moderate one.
LIVELIER = 0.06
# A section boundary this near to a hit moves onto it.
SNAP_BARS = 2
BUILD_BARS = 4
# In bars.
LONGEST_CLOSE = 5
CHORUS_BARS, LONGEST_TAG = 12, 8
# How much less energy a closing has that leads to a final hit than the section before it.
HELD_BACK = 0.08
# In a piece of fewer bars, the closing winds down only in part: it keeps this share of the energy before it.
SHORT_PIECE, KEPT_SHARE = 28, 0.6


def build_sections(brief: Brief, genre: Genre, timeline: FormTimeline) -> tuple[Section, ...]:
    """Return sections that cover the timeline's bars exactly, in order, one starting at every hit."""
    names = [" ".join(form.sections) for form in genre.forms]
    drawn = brief.choice("form", "form", options=names, weights=[form.weight for form in genre.forms])
    written = varied([read_draft(text) for text in drawn.split()], brief, genre)
    drafts = _fitted(written, timeline.bars, brief, genre)
    drafts = [replace(draft, energy=_energy(draft, brief)) for draft in drafts]
    sections = _placed(drafts)
    for hit in timeline.hits:
        if 0 < hit.bar < timeline.bars:
            sections = _with_start_at(sections, hit.bar)
    return with_release(_with_climax(sections, timeline.hits), peaks_of(brief, timeline.tempo_map, timeline.bars))


def _placed(drafts: Sequence[SectionDraft]) -> tuple[Section, ...]:
    sections, bar = [], 0
    for draft in drafts:
        sections.append(Section(draft.name, bar, draft.bars, draft.energy))
        bar += draft.bars
    return tuple(sections)


def _energy(draft: SectionDraft, brief: Brief) -> float:
    if brief.form == "bed":
        low, high = BED_ENERGY
        return round(min(high, max(low, 0.25 + 0.3 * draft.energy)), 3)
    # A sting is over before it could build up, so it is energetic at once.
    if brief.form == "sting":
        return max(draft.energy, 0.75)
    return round(min(1.0, max(0.05, draft.energy + LIVELIER * brief.mood.arousal)), 3)


def in_usual_mood(sections: Sequence[Section], brief: Brief) -> tuple[Section, ...]:
    """Return the sections with about the energy that they have in the mood which the piece has by itself."""
    if brief.usual is None or brief.form in ("bed", "sting"):
        return tuple(sections)
    less = LIVELIER * (brief.usual.arousal - brief.mood.arousal)
    return tuple(replace(section, energy=round(section.energy + less, 3)) for section in sections)


def _fitted(written: Sequence[SectionDraft], bars: int, brief: Brief, genre: Genre) -> list[SectionDraft]:
    body = [draft for draft in written if draft.name not in OPENINGS | CLOSINGS] or [SectionDraft("A", 8, 0.6)]
    if brief.loop:
        return _filled(body, bars, brief, genre)
    opening = next((draft for draft in written if draft.name in OPENINGS), SectionDraft("intro", 0, 0.3))
    closing = next((draft for draft in reversed(written) if draft.name in CLOSINGS), SectionDraft("outro", 4, 0.35))
    if bars == 1:
        return [SectionDraft("ending", 1, max(draft.energy for draft in body))]
    first = 0 if brief.form in ("sting", "bumper") else requested_intro(brief, _intro_bars(opening.bars, bars), bars)
    last = _closing_bars(closing.bars, bars, big=brief.ending == "big" or brief.form == "sting")
    if genre.harmony.style == "blues":
        first, last = _around_choruses(first, last, bars)
    else:
        first, last = _around_phrases(first, last, bars)
    inner = _filled(body, bars - first - last, brief, genre)
    if bars < SHORT_PIECE and brief.ending != "soft":
        closing = replace(closing, energy=max(closing.energy, KEPT_SHARE * inner[-1].energy))
    return [
        *([replace(opening, bars=first)] if first else []),
        *inner,
        _closing(closing, last, inner[-1].energy, brief, genre.ending),
    ]


def requested_intro(brief: Brief, usual: int, bars: int) -> int:
    """Return the bars of the intro: the form's own, or none, half or twice as many by request."""
    return {"none": 0, "short": usual // 2, "long": min(2 * max(usual, 2), bars // 4)}.get(brief.intro, usual)


def _around_phrases(first: int, last: int, bars: int) -> tuple[int, int]:
    """Lengthen or shorten the closing, or else the intro, so that whole phrases of four bars lie between them.

    A piece of less than 16 bars has phrases of two, one of less than eight any.
    """
    phrase = 4 if bars >= 16 else 2 if bars >= 8 else 1
    stray = (bars - first - last) % phrase
    if not stray or last + stray <= LONGEST_CLOSE:
        return first, last + stray
    missing = phrase - stray
    if last > missing:
        return first, last - missing
    return (first - missing, last) if first >= missing else (first, last)


def _around_choruses(first: int, last: int, bars: int) -> tuple[int, int]:
    """Return the lengths of intro and closing that leave whole choruses of twelve bars, the nearest to those given."""
    options = [
        (abs(intro - first) + abs(close - last), intro, close)
        for intro in (0, 2, 4)
        for close in range(1, LONGEST_TAG + 1)
        if bars - intro - close >= CHORUS_BARS and (bars - intro - close) % CHORUS_BARS == 0
    ]
    if options:
        return min(options)[1:]
    return _around_phrases(first, last, bars)


def _closing(closing: SectionDraft, bars: int, before: float, brief: Brief, kind: str) -> SectionDraft:
    """Return the closing section: a long one winds down; a final hit or a bar or two keep the energy before it."""
    if brief.ending == "big":
        return SectionDraft("ending", bars, min(1.0, max(before, 0.85)))
    if brief.ending != "soft" and (bars <= 2 or kind == "hit"):
        return SectionDraft("ending", bars, before if bars <= 2 else max(closing.energy, before - HELD_BACK))
    return replace(closing, bars=bars)


def _intro_bars(written: int, bars: int) -> int:
    wanted = 0 if bars < 6 else 1 if bars < 10 else 2 if bars < 24 else written
    return min(wanted, written, 8 if bars < 96 else 16)


def _closing_bars(written: int, bars: int, *, big: bool) -> int:
    if bars < 10 or big:
        return 1
    return 2 if bars < 28 else min(max(2, written), 4)


def _filled(body: Sequence[SectionDraft], bars: int, brief: Brief, genre: Genre) -> list[SectionDraft]:
    """Return as much of the form as fits into exactly ``bars``: its first sections, then a finale."""
    if genre.harmony.style == "blues" and bars % CHORUS_BARS == 0:
        return choruses(body, bars, CHORUS_BARS)
    return laid_out(body, bars, brief, genre)


def _with_start_at(sections: Sequence[Section], bar: int) -> tuple[Section, ...]:
    """Move the nearest boundary onto ``bar``, or divide the section there and lift the energy of the second half."""
    starts = [section.bar for section in sections]
    if bar in starts:
        return tuple(sections)
    total = sections[-1].bar + sections[-1].bars
    index = min(range(len(starts)), key=lambda i: abs(starts[i] - bar))
    before = starts[index - 1] if index else 0
    after = starts[index + 1] if index + 1 < len(starts) else total
    # Moving a boundary must not remove a section.
    if index and abs(starts[index] - bar) <= SNAP_BARS and before < bar < after:
        starts[index] = bar
        return _restarted(sections, starts, total)
    inside = max(i for i, start in enumerate(starts) if start < bar)
    section = sections[inside]
    lifted = replace(section, bar=bar, energy=min(1.0, section.energy + 0.1))
    divided = [*sections[: inside + 1], lifted, *sections[inside + 1 :]]
    return _restarted(divided, [s.bar for s in divided], total)


def _restarted(sections: Sequence[Section], starts: Sequence[int], total: int) -> tuple[Section, ...]:
    ends = [*starts[1:], total]
    return tuple(
        replace(section, bar=start, bars=end - start)
        for section, start, end in zip(sections, starts, ends, strict=True)
    )


def _with_climax(sections: Sequence[Section], hits: Sequence[HitBar]) -> tuple[Section, ...]:
    """Give the section at each climax the most energy, with a build-up before it."""
    climaxes = {hit.bar for hit in hits if hit.climax}
    if not climaxes:
        return tuple(sections)
    result: list[Section] = []
    for section in sections:
        if section.bar in climaxes:
            result = _with_build(result)
            name = section.name if section.name in ("B", "drop") else "B"
            result.append(replace(section, name=name if section.bars > 1 else "ending", energy=1.0))
        else:
            # Lowered, so that the climax is the only peak.
            result.append(replace(section, energy=min(section.energy, 0.85)))
    return tuple(result)


def _with_build(before: list[Section]) -> list[Section]:
    if not before or before[-1].name in ("build", "intro"):
        return before
    last = before[-1]
    if last.bars <= BUILD_BARS + 1:
        return [*before[:-1], replace(last, name="build", energy=min(0.7, last.energy + 0.1))]
    kept = last.bars - BUILD_BARS
    return [
        *before[:-1],
        replace(last, bars=kept),
        Section("build", last.bar + kept, BUILD_BARS, min(0.7, last.energy + 0.1)),
    ]
