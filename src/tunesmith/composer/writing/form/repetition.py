"""Forms of any length: a genre's sections, round by round without end, and as much of them as fits before a finale.

    round 1 (the genre's sections) ─ contrast ─ round 2 ─ contrast ─ …
    ├───── first sections ─────┤ + finale: a piece; a longer one begins with the same sections

No section depends on the length of the piece, so a longer piece, or one of another tempo, keeps the sections that both
have, bar for bar and at the same energy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.rng import chance_of
from tunesmith.composer.writing.form.drafts import BUILD_FROM, CONTRASTS, STRONG, SectionDraft

# What comes between the rounds, in turn: first a third idea, then each seed starts elsewhere.
THIRD_IDEA = SectionDraft("C", 8, 0.5)
BETWEEN: tuple[SectionDraft, ...] = (
    SectionDraft("break", 4, 0.3),
    SectionDraft("bridge", 8, 0.45),
    SectionDraft("D", 8, 0.5),
    SectionDraft("break", 8, 0.25),
    SectionDraft("C", 8, 0.55),
)
# How much less energy the first section has than it would have later, over how many sections it grows, and how much a
# round may differ at random.
GROWTH, GROWING, WOBBLE = 0.08, 6, 0.04
# How much the finale stands out from every other section, and how far below it the themes lie at most.
CLIMAX_MARGIN, CONTRAST = 0.05, 0.38
IDEAS = frozenset({"C", "D", "bridge"})
# In bars.
LONG_ROUND = 24
SHORT_BODY, LONG_BODY = 6, 20
LONGER_THEME = 0.35
LEAD_INS = (SectionDraft("", 0, 0.0), SectionDraft("break", 4, 0.32), SectionDraft("build", 4, 0.6))
"""What may come between the first sections and the finale."""
BRIDGE = SectionDraft("bridge", 8, 0.45)
"""What comes there where as many bars are left and the theme has been heard twice."""


def laid_out(body: Sequence[SectionDraft], bars: int, brief: Brief, genre: Genre) -> list[SectionDraft]:
    """Return sections of exactly ``bars``: as many of the endless form as leave room for a finale, and that."""
    finale = next((draft for draft in reversed(body) if draft.name in STRONG), body[-1])
    peak = max(draft.energy for draft in body)
    taken = _first_sections(endless(body, genre.phrase_bars, peak, brief), bars, _shortest_finale(bars))
    # The same section twice in a row would be no climax.
    if len(taken) > 1 and taken[-1].name == finale.name:
        taken.pop()
    if not taken:
        return _short(body[0], replace(finale, energy=peak), bars, brief)
    left = bars - sum(draft.bars for draft in taken)
    taken += _lead_in(taken, left - _usual_finale(bars), brief, rolls=bool(genre.grooves) and peak >= BUILD_FROM)
    return [*taken, replace(finale, bars=bars - sum(draft.bars for draft in taken), energy=peak)]


def _first_sections(drafts: Iterator[SectionDraft], bars: int, room: int) -> list[SectionDraft]:
    """Return the sections that fit into ``bars`` beside a finale of at least ``room`` bars."""
    taken: list[SectionDraft] = []
    for draft in drafts:
        bars -= draft.bars
        if bars < room:
            return taken
        taken.append(draft)
    return taken


def _lead_in(taken: Sequence[SectionDraft], bars: int, brief: Brief, *, rolls: bool) -> list[SectionDraft]:
    """Return what comes between the first sections and the finale, in up to ``bars``; often nothing."""
    before = taken[-1]
    if before.name in (*CONTRASTS, "build") or bars < LEAD_INS[1].bars:
        return []
    if bars >= BRIDGE.bars:
        # A theme is heard twice before something else comes.
        twice = len(taken) > 1 and taken[-2].name == before.name
        return [BRIDGE if twice or before.bars > bars else before]
    options = [draft for draft in LEAD_INS if rolls or draft.name != "build"]
    name = brief.choice("form", "before the finale", options=[draft.name for draft in options])
    return [draft for draft in options if draft.name == name and draft.bars]


def _shortest_finale(bars: int) -> int:
    return 8 if bars >= LONG_BODY else 4 if bars >= 8 else 2 if bars >= 4 else 1


def _usual_finale(bars: int) -> int:
    return 8 if bars >= LONG_BODY else 4


def endless(body: Sequence[SectionDraft], phrase: int, peak: float, brief: Brief) -> Iterator[SectionDraft]:
    """Yield the sections of a form without end, each at its own energy."""
    first = int(brief.rng("form", "contrast").integers(len(BETWEEN)))
    number = 0
    for turn in itertools.count():
        random = brief.rng("form", "round", turn)
        start = int(random.integers(len(body))) if turn else 0
        change = float(random.uniform(-WOBBLE, WOBBLE)) if turn else 0.0
        around = [*body[start:], *body[:start]]
        drafts = [_contrast(first, turn, phrase), *around] if turn else _with_third_idea(around)
        for draft in _leading(drafts):
            yield replace(draft, energy=_energy(draft, change, number, peak))
            number += 1


def _with_third_idea(drafts: list[SectionDraft]) -> list[SectionDraft]:
    """Put a third idea into a round so long that none would come before its end."""
    ends = itertools.accumulate(draft.bars for draft in drafts)
    place = next((index + 1 for index, end in enumerate(ends) if end >= LONG_ROUND), len(drafts))
    if place >= len(drafts) - 1 or any(draft.name in IDEAS for draft in drafts):
        return drafts
    # A build-up or break leads into what follows it.
    while place > 1 and drafts[place - 1].name in ("build", "break"):
        place -= 1
    return [*drafts[:place], THIRD_IDEA, *drafts[place:]]


def _leading(drafts: Sequence[SectionDraft]) -> Iterator[SectionDraft]:
    """Yield the sections of a round, with a bridge for a build-up that leads nowhere, and amid three equal ones."""
    names = ["", *(draft.name for draft in drafts), ""]
    for draft, before, following in zip(drafts, names, names[2:], strict=False):
        aimless = (draft.name == "build" and following not in STRONG) or before == draft.name == following
        yield SectionDraft("bridge", draft.bars, 0.8 * draft.energy) if aimless else draft


def _contrast(first: int, turn: int, phrase: int) -> SectionDraft:
    draft = THIRD_IDEA if turn == 1 else BETWEEN[(first + turn) % len(BETWEEN)]
    return replace(draft, bars=max(draft.bars, min(phrase, 8)))


def _energy(draft: SectionDraft, change: float, number: int, peak: float) -> float:
    """Return the energy of the ``number``-th section: it grows, and stays below the finale's."""
    energy = draft.energy + change - GROWTH * max(0.0, 1 - number / GROWING)
    # A theme comes near enough to the finale to stay one texture with it.
    least = 0.2 if draft.name in CONTRASTS else peak - CONTRAST
    return min(max(0.2, least, energy), peak - CLIMAX_MARGIN)


def _short(theme: SectionDraft, finale: SectionDraft, bars: int, brief: Brief) -> list[SectionDraft]:
    """Return the first phrase of the first section and the finale, in a piece too short for the whole section."""
    first = 4 if bars >= SHORT_BODY else 2 if bars >= 4 else 1
    # What is left over goes to the finale or, for some seeds, to the theme.
    if bars > 2 * first and chance_of(brief.rng("form", "longer theme"), LONGER_THEME):
        first = bars - first
    if bars < 4 or theme.name == finale.name or first >= bars:
        return [replace(theme, bars=bars, energy=(theme.energy + finale.energy) / 2)]
    # As in a longer piece, of which this is the beginning.
    energy = _energy(theme, 0.0, 0, finale.energy)
    return [replace(theme, bars=first, energy=energy), replace(finale, bars=bars - first)]


def choruses(body: Sequence[SectionDraft], bars: int, length: int) -> list[SectionDraft]:
    """Return choruses of ``length`` bars: the body's sections in turn, the last one the fullest."""
    count = bars // length
    named = [replace(body[index % len(body)], bars=length) for index in range(count)]
    top = max(draft.energy for draft in body)
    return [*named[:-1], replace(named[-1], energy=top)]
