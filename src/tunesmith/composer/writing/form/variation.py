"""Variation of a genre's forms by the seed: intros, repetitions, build-ups, breaks and a third idea."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.rng import chance_of
from tunesmith.composer.writing.form.drafts import BUILD_FROM, CONTRASTS, OPENINGS, STRONG, SectionDraft

Change = Callable[[list[SectionDraft]], list[SectionDraft]]

CHANCES: Mapping[str, float] = {
    "no intro": 0.12,
    "short intro": 0.35,
    "theme twice": 0.3,
    "no build-up": 0.35,
    "short theme": 0.2,
    "alternation": 0.2,
    "build-up": 0.35,
    "break": 0.2,
}
"""Change → how often a form has it, where it fits."""
# Bars of a theme that may be stated by half.
HALVED_BARS = 8
# Forms that are over before a variation would be heard, or that are level on purpose.
FIXED_FORMS = frozenset({"sting", "bumper", "bed"})


def varied(written: Sequence[SectionDraft], brief: Brief, genre: Genre) -> list[SectionDraft]:
    """Return the sections of a form as this seed plays it; each change has a draw of its own.

    No change depends on the length of the piece: see repetition.py.
    """
    drafts = list(written)
    # A chorus of twelve bars is the blues' own form.
    if brief.form in FIXED_FORMS or genre.harmony.style == "blues":
        return drafts
    for name, change in _changes(drafts, genre):
        if chance_of(brief.rng("form", name), CHANCES[name]):
            drafts = change(drafts)
    return drafts


def _changes(drafts: Sequence[SectionDraft], genre: Genre) -> Iterator[tuple[str, Change]]:
    yield "no intro", _without_intro
    yield "short intro", _with_short_intro
    yield "no build-up", _without_build_up
    yield "alternation", _with_alternation
    yield "short theme", _with_short_theme
    yield "theme twice", _with_theme_twice
    if _may_build(drafts, genre):
        yield "build-up", _with_build_up
    yield "break", _with_break


def _without_intro(drafts: list[SectionDraft]) -> list[SectionDraft]:
    return [draft for draft in drafts if draft.name not in OPENINGS]


def _with_short_intro(drafts: list[SectionDraft]) -> list[SectionDraft]:
    return [replace(draft, bars=max(2, draft.bars // 2)) if draft.name in OPENINGS else draft for draft in drafts]


def _with_theme_twice(drafts: list[SectionDraft]) -> list[SectionDraft]:
    names = [draft.name for draft in drafts]
    if "A" not in names:
        return drafts
    first = names.index("A")
    if names[first + 1 : first + 2] == ["A"]:
        return drafts
    return [*drafts[: first + 1], replace(drafts[first], energy=drafts[first].energy + 0.06), *drafts[first + 1 :]]


def _may_build(drafts: Sequence[SectionDraft], genre: Genre) -> bool:
    loud = max(draft.energy for draft in drafts) >= BUILD_FROM
    return loud and bool(genre.grooves) and all(draft.name != "build" for draft in drafts)


def _with_alternation(drafts: list[SectionDraft]) -> list[SectionDraft]:
    """State half of the first theme and half of the second before both are heard whole."""
    first = next((index for index, draft in enumerate(drafts) if draft.name == "A"), len(drafts))
    pair = drafts[first : first + 2]
    if [draft.name for draft in pair] != ["A", "B"] or any(draft.bars != HALVED_BARS for draft in pair):
        return drafts
    halves = [replace(draft, bars=draft.bars // 2, energy=draft.energy - 0.05) for draft in pair]
    return [*drafts[:first], *halves, *drafts[first:]]


def _with_short_theme(drafts: list[SectionDraft]) -> list[SectionDraft]:
    first = next((index for index, draft in enumerate(drafts) if draft.name == "A"), len(drafts))
    return [
        replace(draft, bars=draft.bars // 2) if index == first and draft.bars == HALVED_BARS else draft
        for index, draft in enumerate(drafts)
    ]


def _without_build_up(drafts: list[SectionDraft]) -> list[SectionDraft]:
    return [draft for draft in drafts if draft.name != "build"]


def _with_build_up(drafts: list[SectionDraft]) -> list[SectionDraft]:
    return _before_climax(drafts, SectionDraft("build", 4, 0.6))


def _with_break(drafts: list[SectionDraft]) -> list[SectionDraft]:
    if any(draft.name in CONTRASTS for draft in drafts):
        return drafts
    return _before_climax(drafts, SectionDraft("break", 4, 0.32))


def _before_climax(drafts: list[SectionDraft], added: SectionDraft) -> list[SectionDraft]:
    strong = [index for index, draft in enumerate(drafts) if draft.name in STRONG]
    if not strong or not strong[-1]:
        return drafts
    return [*drafts[: strong[-1]], added, *drafts[strong[-1] :]]
