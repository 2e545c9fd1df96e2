"""The form: sections with an energy curve, fitted to a number of bars and to the hit points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.rng import weighted_choice
from tunesmith.composer.score import Section
from tunesmith.composer.writing.form.tempo import FormTimeline, HitBar

OPENINGS = frozenset({"intro"})
CLOSINGS = frozenset({"outro", "ending"})
CONTRASTS = ("bridge", "break")
BED_ENERGY = (0.25, 0.5)
# A section boundary this near to a hit moves onto it.
SNAP_BARS = 2
BUILD_BARS = 4
LONG_BARS = 48
# In bars.
LONGEST_CLOSE = 5
# How much less energy a closing has that leads to a final hit than the section before it.
HELD_BACK = 0.08


@dataclass(frozen=True, slots=True)
class _SectionDraft:
    """A section before it has a place."""

    name: str
    bars: int
    energy: float


def build_sections(
    brief: Brief, genre: Genre, timeline: FormTimeline, random: np.random.Generator
) -> tuple[Section, ...]:
    """Return sections that cover the timeline's bars exactly, in order, one starting at every hit."""
    plan = weighted_choice(random, genre.forms, [form.weight for form in genre.forms])
    written = [_read(text) for text in plan.sections]
    drafts = _fitted(written, timeline.bars, brief, genre, random)
    drafts = [replace(draft, energy=_energy(draft, brief)) for draft in drafts]
    sections = _placed(drafts)
    for hit in timeline.hits:
        if 0 < hit.bar < timeline.bars:
            sections = _with_start_at(sections, hit.bar)
    return _with_climax(sections, timeline.hits)


def _read(text: str) -> _SectionDraft:
    name, bars, energy = text.split(":")
    return _SectionDraft(name, int(bars), float(energy))


def _placed(drafts: Sequence[_SectionDraft]) -> tuple[Section, ...]:
    sections, bar = [], 0
    for draft in drafts:
        sections.append(Section(draft.name, bar, draft.bars, draft.energy))
        bar += draft.bars
    return tuple(sections)


def _energy(draft: _SectionDraft, brief: Brief) -> float:
    if brief.form == "bed":
        low, high = BED_ENERGY
        return round(min(high, max(low, 0.25 + 0.3 * draft.energy)), 3)
    # A sting is over before it could build up, so it is energetic at once.
    if brief.form == "sting":
        return max(draft.energy, 0.75)
    return round(min(1.0, max(0.05, draft.energy + 0.06 * brief.mood.arousal)), 3)


def _fitted(
    written: Sequence[_SectionDraft], bars: int, brief: Brief, genre: Genre, random: np.random.Generator
) -> list[_SectionDraft]:
    body = [draft for draft in written if draft.name not in OPENINGS | CLOSINGS] or [_SectionDraft("A", 8, 0.6)]
    if brief.loop:
        return _filled(body, bars, genre.phrase_bars, random)
    opening = next((draft for draft in written if draft.name in OPENINGS), _SectionDraft("intro", 4, 0.3))
    closing = next((draft for draft in reversed(written) if draft.name in CLOSINGS), _SectionDraft("outro", 4, 0.35))
    if bars == 1:
        return [_SectionDraft("ending", 1, max(draft.energy for draft in body))]
    first = 0 if brief.form in ("sting", "bumper") else _intro_bars(opening.bars, bars)
    last = _closing_bars(closing.bars, bars, big=brief.ending == "big" or brief.form == "sting")
    middle = bars - first - last
    stray = middle % 4
    # Odd bars make the ending longer, not the verse.
    if bars >= 16 and stray and last + stray <= LONGEST_CLOSE:
        middle, last = middle - stray, last + stray
    inner = _filled(body, middle, genre.phrase_bars, random)
    return [
        *([replace(opening, bars=first)] if first else []),
        *inner,
        _closing(closing, last, inner[-1].energy, brief, genre.ending),
    ]


def _closing(closing: _SectionDraft, bars: int, before: float, brief: Brief, kind: str) -> _SectionDraft:
    """Return the closing section: a long one winds down; a final hit or a bar or two keep the energy before it."""
    if brief.ending == "big":
        return _SectionDraft("ending", bars, min(1.0, max(before, 0.85)))
    if brief.ending != "soft" and (bars <= 2 or kind == "hit"):
        return _SectionDraft("ending", bars, before if bars <= 2 else max(closing.energy, before - HELD_BACK))
    return replace(closing, bars=bars)


def _intro_bars(written: int, bars: int) -> int:
    wanted = 0 if bars < 6 else 1 if bars < 10 else 2 if bars < 24 else written
    return min(wanted, written, 8 if bars < 96 else 16)


def _closing_bars(written: int, bars: int, *, big: bool) -> int:
    if bars < 10 or big:
        return 1
    return 2 if bars < 28 else min(max(2, written), 4)


def _filled(body: Sequence[_SectionDraft], bars: int, phrase: int, random: np.random.Generator) -> list[_SectionDraft]:
    """Cut or repeat the body to exactly ``bars``."""
    if bars >= sum(draft.bars for draft in body):
        return _repeated(body, bars, phrase, random)
    return _peaked(_shortened(body, bars), max(draft.energy for draft in body))


def _shortened(body: Sequence[_SectionDraft], bars: int) -> list[_SectionDraft]:
    kept = _thinned(body, bars)
    total = sum(draft.bars for draft in kept)
    if total <= bars:
        return _cut(kept, bars)
    kept = kept[: 2 if bars >= 4 else 1]
    # Whole phrases where there is room: a form in multiples of four bars sounds intended.
    grain = 4 if bars >= 8 else 2 if bars >= 4 else 1
    first = max(grain, round(kept[0].bars * bars / sum(s.bars for s in kept) / grain) * grain)
    if len(kept) == 1 or first >= bars:
        return [replace(kept[0], bars=bars)]
    return [replace(kept[0], bars=first), replace(kept[1], bars=bars - first)]


def _peaked(drafts: Sequence[_SectionDraft], peak: float) -> list[_SectionDraft]:
    """Give the fullest section the energy of the whole form's peak, so that a short piece still has the full band.

    A piece of one section goes half the way.
    """
    fullest = max(drafts, key=lambda draft: (draft.energy, drafts.index(draft)))
    energy = peak if len(drafts) > 1 else (fullest.energy + peak) / 2
    return [replace(draft, energy=max(draft.energy, energy)) if draft is fullest else draft for draft in drafts]


def _thinned(body: Sequence[_SectionDraft], bars: int) -> list[_SectionDraft]:
    """Leave out sections until the rest fits: repetitions first, then contrasts, then any recapitulation."""
    kept = list(body)
    # The order of preference keeps A and B, without which the form has no contrast.
    while sum(draft.bars for draft in kept) > bars:
        spare = (
            [i for i in range(1, len(kept)) if kept[i].name == kept[i - 1].name]
            or [i for i, draft in enumerate(kept) if i and draft.name in (*CONTRASTS, "build")]
            or [i for i in range(2, len(kept)) if kept[i].name in {draft.name for draft in kept[:i]}]
            or list(range(2, len(kept)))
        )
        if not spare:
            return kept
        kept.pop(spare[-1])
    return kept


def _cut(drafts: Sequence[_SectionDraft], bars: int) -> list[_SectionDraft]:
    """Cut the last section, or extend it, so that all sections last exactly ``bars``."""
    result: list[_SectionDraft] = []
    left = bars
    for draft in drafts:
        if left <= 0:
            break
        result.append(replace(draft, bars=min(draft.bars, left)))
        left -= draft.bars
    # A section that runs past its length is stated again.
    while left > 0:
        last = result[-1]
        more = min(left, max(4, last.bars))
        if left <= 4 or more < 4:
            result[-1] = replace(last, bars=last.bars + left)
            break
        result.append(replace(last, bars=more))
        left -= more
    return result


def _repeated(
    body: Sequence[_SectionDraft], bars: int, phrase: int, random: np.random.Generator
) -> list[_SectionDraft]:
    """Repeat the body round by round: each round starts elsewhere, after a contrast, and with a new energy."""
    drafts: list[_SectionDraft] = list(body)
    names = {draft.name for draft in body}
    round_number = 0
    while sum(draft.bars for draft in drafts) < bars:
        round_number += 1
        if bars >= LONG_BARS and not names & set(CONTRASTS) and round_number % 2:
            drafts.append(_SectionDraft(CONTRASTS[int(random.integers(2))], max(4, phrase), 0.35))
        # Small random lifts keep rounds from being copies; on average the piece grows.
        lift = float(random.uniform(-0.06, 0.08))
        start = int(random.integers(len(body))) if round_number > 1 else 0
        around = [*body[start:], *body[:start]]
        drafts += [replace(draft, energy=min(1.0, max(0.2, draft.energy + lift))) for draft in around]
    drafts = _cut(drafts, bars)
    # A section of fewer than four bars is no phrase, so it joins the one before.
    if len(drafts) > 1 and drafts[-1].bars < 4:
        last = drafts.pop()
        drafts[-1] = replace(drafts[-1], bars=drafts[-1].bars + last.bars)
    return drafts


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
