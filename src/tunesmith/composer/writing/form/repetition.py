"""Long forms: the sections of a genre repeated round by round, with contrasts between them and one climax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.rng import rng_for
from tunesmith.composer.writing.form.drafts import CONTRASTS, STRONG, SectionDraft

# In bars; shorter pieces repeat without a contrast.
LONG_BARS = 48
# What comes between the rounds, in turn; each seed starts elsewhere.
BETWEEN: tuple[SectionDraft, ...] = (
    SectionDraft("C", 8, 0.55),
    SectionDraft("break", 4, 0.3),
    SectionDraft("bridge", 8, 0.45),
    SectionDraft("D", 8, 0.5),
    SectionDraft("break", 8, 0.25),
)
# How much less energy the first section has than the last, and how much a round may differ at random.
GROWTH, WOBBLE = 0.14, 0.04
# How much the climax stands out from every other section.
CLIMAX_MARGIN = 0.05


def repeated(body: Sequence[SectionDraft], bars: int, phrase: int, seed: int) -> list[SectionDraft]:
    """Repeat the body to ``bars``, in long pieces with a contrast before each round; a strong section closes."""
    if bars == sum(draft.bars for draft in body):
        return list(body)
    finale = next((draft for draft in reversed(body) if draft.name in STRONG), body[-1])
    drafts: list[SectionDraft] = list(body)
    room = bars - finale.bars
    first = int(rng_for(seed, "form", "contrast").integers(len(BETWEEN)))
    turn = 0
    while sum(draft.bars for draft in drafts) < room:
        random = rng_for(seed, "form", "round", turn)
        start = int(random.integers(len(body))) if turn else 0
        if bars >= LONG_BARS:
            drafts.append(_contrast(drafts, first + turn, phrase))
        # A small random change keeps rounds from being copies.
        change = float(random.uniform(-WOBBLE, WOBBLE))
        around = [*body[start:], *body[:start]]
        drafts += [replace(draft, energy=min(1.0, max(0.2, draft.energy + change))) for draft in around]
        turn += 1
    if room <= 0:
        return cut(drafts, bars)
    return _grown(_broken_up([*_without_stub(cut(drafts, room)), finale]))


def _broken_up(drafts: Sequence[SectionDraft]) -> list[SectionDraft]:
    """Put a bridge in the middle of three equal sections in a row, and where a build-up leads nowhere."""
    result = list(drafts)
    for index in range(1, len(result) - 1):
        before, draft, after = result[index - 1 : index + 2]
        aimless = draft.name == "build" and after.name not in STRONG
        if aimless or before.name == draft.name == after.name:
            result[index] = SectionDraft("bridge", draft.bars, 0.8 * draft.energy)
    return result


def _contrast(drafts: Sequence[SectionDraft], turn: int, phrase: int) -> SectionDraft:
    """Return the next contrast, but not the one that was heard last."""
    last = next((draft.name for draft in reversed(drafts) if draft.name in CONTRASTS), "")
    draft = BETWEEN[turn % len(BETWEEN)]
    if draft.name == last:
        draft = BETWEEN[(turn + 1) % len(BETWEEN)]
    return replace(draft, bars=max(draft.bars, min(phrase, 8)))


def _grown(drafts: Sequence[SectionDraft]) -> list[SectionDraft]:
    """Let the energy grow from the first section to the last, beside its own ups and downs."""
    steps = max(1, len(drafts) - 1)
    return [
        replace(draft, energy=max(0.2, draft.energy - GROWTH * (1 - index / steps)))
        for index, draft in enumerate(drafts)
    ]


def _without_stub(drafts: list[SectionDraft]) -> list[SectionDraft]:
    # A section of fewer than four bars is no phrase, so it joins the one before.
    if len(drafts) > 1 and drafts[-1].bars < 4:
        last = drafts.pop()
        drafts[-1] = replace(drafts[-1], bars=drafts[-1].bars + last.bars)
    return drafts


def arched(drafts: Sequence[SectionDraft]) -> list[SectionDraft]:
    """Give the last strong section the most energy of all, so that the piece builds towards one climax."""
    strong = [index for index, draft in enumerate(drafts) if draft.name in STRONG]
    if len(drafts) < 3 or not strong:
        return list(drafts)
    climax = strong[-1]
    top = max(draft.energy for draft in drafts)
    return [
        replace(draft, energy=top if index == climax else min(draft.energy, top - CLIMAX_MARGIN))
        for index, draft in enumerate(drafts)
    ]


def cut(drafts: Sequence[SectionDraft], bars: int) -> list[SectionDraft]:
    """Cut the last section, or extend it, so that all sections last exactly ``bars``."""
    result: list[SectionDraft] = []
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


def choruses(body: Sequence[SectionDraft], bars: int, length: int) -> list[SectionDraft]:
    """Return choruses of ``length`` bars: the body's sections in turn, the last one the fullest."""
    count = bars // length
    named = [replace(body[index % len(body)], bars=length) for index in range(count)]
    top = max(draft.energy for draft in body)
    return [*named[:-1], replace(named[-1], energy=top)]
