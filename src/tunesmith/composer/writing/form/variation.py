"""Variation of a genre's forms by the seed: intros, repetitions, build-ups, breaks and a third idea."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.rng import chance_of, rng_for, weighted_choice
from tunesmith.composer.writing.form.drafts import CONTRASTS, OPENINGS, STRONG, SectionDraft
from tunesmith.composer.writing.form.tempo import FormTimeline

Change = Callable[[list[SectionDraft]], list[SectionDraft]]

CHANCES: Mapping[str, float] = {
    "no intro": 0.12,
    "short intro": 0.35,
    "theme twice": 0.3,
    "chorus first": 0.12,
    "build-up": 0.35,
    "break": 0.35,
}
"""Change → how often a form has it, where it fits."""
# Forms that are over before a variation would be heard, or that are level on purpose.
FIXED_FORMS = frozenset({"sting", "bumper", "bed"})
# Bars of the whole piece from which a theme may come twice, and a chorus first and yet again at the end.
ROOM_FOR_TWO, ROOM_FOR_THREE = 24, 44
# Energy of the fullest section from which a roll may lead into it.
BUILD_FROM = 0.75
# Pieces longer than this have a third idea.
THIRD_IDEA_SECONDS = 90.0
THIRD_IDEA = SectionDraft("C", 8, 0.5)
DIVISIONS: tuple[tuple[float, str], ...] = (
    (3.0, "A B"),
    (0.4, "A B A B"),
    (0.7, "A build B"),
    (0.6, "A B B"),
    (0.8, "a B"),
)
"""(weight, division) of a body of two sections; a small letter is a shorter one."""


def varied(written: Sequence[SectionDraft], brief: Brief, genre: Genre, timeline: FormTimeline) -> list[SectionDraft]:
    """Return the sections of a form as this seed plays it; each change has a draw of its own."""
    drafts = list(written)
    # A chorus of twelve bars is the blues' own form.
    if brief.form in FIXED_FORMS or genre.harmony.style == "blues":
        return drafts
    for name, change in _changes(drafts, genre, timeline.bars):
        if chance_of(rng_for(brief.seed, "form", name), CHANCES[name]):
            drafts = change(drafts)
    return _with_third_idea(drafts) if timeline.duration > THIRD_IDEA_SECONDS else drafts


def _changes(drafts: Sequence[SectionDraft], genre: Genre, bars: int) -> Iterator[tuple[str, Change]]:
    yield "no intro", _without_intro
    yield "short intro", _with_short_intro
    if bars >= ROOM_FOR_TWO:
        yield "theme twice", _with_theme_twice
    if bars >= ROOM_FOR_THREE:
        yield "chorus first", _with_chorus_first
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


def _with_chorus_first(drafts: list[SectionDraft]) -> list[SectionDraft]:
    first = next((index for index, draft in enumerate(drafts) if draft.name == "A"), None)
    chorus = next((draft for draft in drafts if draft.name == "B"), None)
    if first is None or chorus is None:
        return drafts
    # Held back, so that its return still is the climax.
    return [*drafts[:first], replace(chorus, energy=chorus.energy - 0.15), *drafts[first:]]


def _may_build(drafts: Sequence[SectionDraft], genre: Genre) -> bool:
    loud = max(draft.energy for draft in drafts) >= BUILD_FROM
    return loud and bool(genre.grooves) and all(draft.name != "build" for draft in drafts)


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


def _with_third_idea(drafts: list[SectionDraft]) -> list[SectionDraft]:
    """Put a third theme in the place of the bridge, or else before the climax."""
    names = [draft.name for draft in drafts]
    if "C" in names:
        return drafts
    if "bridge" in names:
        place = names.index("bridge")
        return [*drafts[:place], replace(THIRD_IDEA, energy=max(0.4, drafts[place].energy)), *drafts[place + 1 :]]
    strong = [index for index, name in enumerate(names) if name in STRONG]
    place = strong[-1] if strong and strong[-1] else len(drafts)
    # A build-up or break leads into the climax, so the new theme comes before it.
    while place > 1 and names[place - 1] in ("build", "break"):
        place -= 1
    return [*drafts[:place], THIRD_IDEA, *drafts[place:]]


def divided(drafts: list[SectionDraft], brief: Brief, genre: Genre) -> list[SectionDraft]:
    """Divide a short body of two sections in another way: in alternation, with a build-up, or with a second chorus."""
    whole = len(drafts) == 2 and drafts[0].bars >= 8 and all(draft.bars % 4 == 0 for draft in drafts)
    if not whole or brief.form in FIXED_FORMS:
        return drafts
    options = [option for option in DIVISIONS if option[1] != "A build B" or _may_build(drafts, genre)]
    random = rng_for(brief.seed, "form", "division")
    kind = weighted_choice(random, [name for _, name in options], [weight for weight, _ in options])
    one, two = drafts
    if kind == "A B A B" and one.bars == two.bars == 8:
        first, second = replace(one, bars=4), replace(two, bars=4)
        return [first, replace(second, energy=two.energy - 0.1), replace(first, energy=one.energy + 0.05), second]
    if kind == "A build B":
        return [replace(one, bars=one.bars - 4), SectionDraft("build", 4, (one.energy + two.energy) / 2), two]
    if kind == "A B B":
        return [replace(one, bars=4), replace(two, bars=one.bars - 4, energy=two.energy - 0.1), two]
    if kind == "a B":
        return [replace(one, bars=one.bars - 4), replace(two, bars=two.bars + 4)]
    return drafts
