"""The arrangement: who plays in which bars.

Something enters or leaves every four bars. A section starts without some of the players that its energy allows and
gathers them; the section with the most energy ends with everyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.rng import chance_of, weighted_choice
from tunesmith.composer.score import Section
from tunesmith.composer.writing.form.drafts import CLOSINGS, OPENINGS
from tunesmith.composer.writing.plan import HARMONIC, Cast, Plan, Player

BLOCK_BARS = 4
REST_BARS = 2
# In bars; shorter pieces are over before an arrangement is heard.
SHORTEST_PIECE = 8
# Players that a texture can do without, however few there are.
SPARE = frozenset({"percussion", "arpeggio", "pad", "counter"})
ACCOMPANYING = frozenset({"chords", "pad", "arpeggio", "bass", "drone", "drums"})
# How often a player rests for two bars of each block in a section.
REST_CHANCE = 0.65
# Spare players from which two of them wait at the start of a section.
MANY_SPARE = 4
# How often the lead announces its hook in the intro, comes back with it in the ending, and rests in a long piece.
ANNOUNCED, RECALLED, LAID_OUT = 0.75, 0.75, 0.25
LONG_BARS = 48


@dataclass(frozen=True, slots=True)
class Block:
    """Up to five bars of a section: its first ones, its last ones, or both.

    ``visit`` counts the sections of that name before, ``number`` the blocks before in the section. An ``inner`` section
    is neither intro, finale nor closing: a longer piece has it too, and maybe more bars of it.
    """

    section: Section
    visit: int
    number: int
    bar: int
    bars: int
    first: bool
    last: bool
    inner: bool


@dataclass(frozen=True, slots=True)
class _Rest:
    """Two bars in which ``player`` rests, the first two of a block (``early``) or the last two."""

    player: Player
    early: bool


def arranged(plan: Plan) -> Plan:
    """Return the plan with its casts; a piece of a few bars keeps everyone throughout."""
    if plan.bars < SHORTEST_PIECE:
        return plan
    blocks = list(blocks_of(plan.sections))
    opening = [block for block in blocks if block.section.name in OPENINGS]
    casts: list[Cast] = []
    for block in blocks[len(opening) :]:
        casts += _casts(plan, block, casts[-1].players if casts else frozenset())
    # Backwards, since an intro of another length must not change what follows it.
    for block in reversed(opening):
        casts = [*_casts(plan, block, casts[0].players if casts else frozenset()), *casts]
    return replace(plan, casts=tuple(casts))


def everywhere_heard(plan: Plan, heard: Sequence[Player]) -> Plan:
    """Return the plan with one of the ``heard`` players in each cast that has none of them."""
    names = {player.name for player in heard if player.role != "effects"}
    pitched = [player for player in heard if player.role in ACCOMPANYING - {"drums"}] or list(heard)
    first = min(pitched, key=lambda player: player.entry)
    if not plan.casts:
        entry = min(first.entry, *(section.energy for section in plan.sections))
        silent = all(player.entry > entry for player in heard)
        return replace(
            plan, players=tuple(replace(p, entry=entry) if silent and p is first else p for p in plan.players)
        )
    return replace(
        plan,
        casts=tuple(
            cast if cast.players & names else replace(cast, players=cast.players | {first.name}) for cast in plan.casts
        ),
    )


def blocks_of(sections: Sequence[Section]) -> Iterator[Block]:
    """Yield the blocks of all sections in order."""
    visits: dict[str, int] = {}
    finale = max((section.bar for section in sections if section.name not in CLOSINGS), default=0)
    for section in sections:
        visit = visits[section.name] = visits.get(section.name, -1) + 1
        inner = section.bar < finale and section.name not in OPENINGS
        for number, bars in enumerate(sizes := _block_sizes(section.bars, inner=inner)):
            first, last = number == 0, number == len(sizes) - 1
            yield Block(section, visit, number, section.bar + sum(sizes[:number]), bars, first, last, inner)


def _block_sizes(bars: int, *, inner: bool) -> list[int]:
    """Return the bars of the blocks of a section; a rest of one or two bars is no block of its own in a last one."""
    if inner and bars > BLOCK_BARS:
        # As a section of more bars begins.
        whole, rest = divmod(bars, BLOCK_BARS)
        sizes = [BLOCK_BARS] * whole
        return [*sizes[:-1], BLOCK_BARS + 1] if rest == 1 else [*sizes, *([rest] if rest else [])]
    count = max(1, (bars + 1) // BLOCK_BARS)
    return [*[BLOCK_BARS] * (count - 1), bars - (count - 1) * BLOCK_BARS]


def _random(plan: Plan, purpose: str, block: Block) -> np.random.Generator:
    return plan.brief.rng("form", purpose, block.section.name, block.visit, block.number)


def _casts(plan: Plan, block: Block, before: frozenset[str]) -> list[Cast]:
    """Return the casts of a block: one, or two where somebody plays in only half of it."""
    random = _random(plan, "arrangement", block)
    full = [player for player in plan.players if player.entry <= block.section.energy + 1e-9]
    sounding = _accompanied(plan, [player for player in full if player.role != "effects"])
    rest = _recurring_rest(plan, block, sounding)
    # A rest that returns changes the texture already, and leaves four bars as like the four before as a loop.
    playing = sounding if rest else _without(plan, block, sounding, before, random)
    names = frozenset(player.name for player in (*playing, *(p for p in full if p.role == "effects")))
    lead = plan.first_player("melody")
    if lead is not None and plan.brief.form != "bed":
        names = _with_lead(plan, block, lead, names)
        others = any(player is not lead for player in playing)
        if others and _announces(plan, block):
            return _halves(block, names - {lead.name}, names | {lead.name}, block.bars - REST_BARS)
    rest = rest or (_last_rest(plan, block, playing) if len(playing) == len(sounding) else None)
    return _with_a_rest(block, rest, names) if rest else [Cast(block.bar, block.bars, names)]


def _accompanied(plan: Plan, sounding: list[Player]) -> list[Player]:
    """Add who enters next where only the lead would play: its announcement in the intro begins with a rest."""
    lead = plan.first_player("melody")
    others = [p for p in plan.players if p is not lead and p.role in ACCOMPANYING]
    if lead is None or not others or any(player is not lead for player in sounding):
        return sounding
    return [*sounding, min(others, key=lambda player: player.entry)]


def _with_lead(plan: Plan, block: Block, lead: Player, names: frozenset[str]) -> frozenset[str]:
    """Let the lead come back with its hook in the closing, and rest now and then in a long piece."""
    section = block.section
    if section.name in CLOSINGS and not plan.brief.loop:
        recalls = chance_of(plan.brief.rng("form", "recall of the hook"), RECALLED)
        return names | {lead.name} if recalls else names
    again = plan.bars >= LONG_BARS and block.visit >= 2 and block.first and not block.last
    if again and chance_of(_random(plan, "lead lays out", block), LAID_OUT):
        return names - {lead.name}
    return names


def _announces(plan: Plan, block: Block) -> bool:
    """Return whether the lead enters with its hook in the last bars of the intro."""
    intro = block.section.name == "intro" and block.last and block.bars > REST_BARS
    return intro and chance_of(plan.brief.rng("form", "hook in the intro"), ANNOUNCED)


def _without(
    plan: Plan, block: Block, sounding: list[Player], before: frozenset[str], random: np.random.Generator
) -> list[Player]:
    """Leave out the players that wait, and one more where the cast would stay as it was."""
    if len(sounding) <= 2:
        # A duo opens with one of the two.
        alone = block.section.name == "intro" and block.first and not block.last
        return sorted(sounding, key=lambda player: player.entry)[:1] if alone else sounding
    spare = _spare(plan, sounding)
    waiting = _waiting(plan, block, spare or _steady(block, sounding), random)
    playing = [player for player in sounding if player not in waiting]
    heard = {player.name for player in plan.players if player.name in before and player.role != "effects"}
    if {player.name for player in playing} != heard:
        return playing
    # An intro is no fuller than what follows it.
    if waiting and not _is_peak(plan, block) and block.section.name not in OPENINGS:
        # Who waited comes in, so that the texture changes without growing thinner.
        options, playing = [player for player in spare if player in playing] or waiting, sounding
    else:
        options = [player for player in spare if player in playing]
    if not options:
        return playing
    left = weighted_choice(random, options)
    return [player for player in playing if player is not left]


def _spare(plan: Plan, sounding: Sequence[Player]) -> list[Player]:
    """Return the players that the texture can do without: those of spare roles, and all but the first of the others.

    An instrument that the brief names is heard throughout: nobody who asks for a banjo wants to wait for it.
    """
    firsts = {role: plan.first_player(role) for role in ("chords", "melody", "bass")}
    spare = [p for p in sounding if p.role in SPARE or (p.role in firsts and p is not firsts[p.role])]
    asked = [p for p in spare if p.instrument in plan.brief.instruments]
    spare = [
        p for p in spare if p not in asked or any(o.instrument == p.instrument and o not in asked for o in sounding)
    ]
    if any(p.role in ("chords", "drone") for p in sounding):
        return spare
    # Somebody has to play the harmony.
    return [p for p in spare if p.role not in HARMONIC]


def _steady(block: Block, sounding: Sequence[Player]) -> list[Player]:
    """Return who may wait where nobody is spare: drums or bass at the start of the first section after the intro."""
    if len(sounding) <= 2 or block.visit or not block.first or block.last or block.section.name != "A":
        return []
    return [player for player in sounding if player.role in ("drums", "bass")]


def _waiting(plan: Plan, block: Block, spare: Sequence[Player], random: np.random.Generator) -> list[Player]:
    peak = _is_peak(plan, block)
    if block.last and (peak or not block.first):
        return []
    count = 2 if block.first and not peak and len(spare) >= MANY_SPARE else 1
    # Who enters latest waits longest; the small draw varies the order.
    return sorted(spare, key=lambda player: -(player.entry + 0.3 * float(random.random())))[:count]


def _is_peak(plan: Plan, block: Block) -> bool:
    """Return whether nothing has more energy: a section that a longer piece goes on after is no peak."""
    return not block.inner and block.section.energy >= max(section.energy for section in plan.sections)


def _recurring_rest(plan: Plan, block: Block, sounding: Sequence[Player]) -> _Rest | None:
    """Return who rests for two bars of every block of the section, the same ones each time, or None."""
    random = plan.brief.rng("form", "rest", block.section.name, block.visit)
    chance, early, order = random.random(), chance_of(random, 0.4), random.random()
    options = _spare(plan, sounding)
    # The beginning of a longer block has the rest that falls into it.
    long_enough = block.bars >= BLOCK_BARS or (block.inner and (early or block.bars > REST_BARS))
    if len(sounding) <= 2 or not long_enough or not options or chance >= REST_CHANCE:
        return None
    return _Rest(options[int(order * len(options))], early)


def _last_rest(plan: Plan, block: Block, playing: Sequence[Player]) -> _Rest | None:
    """Return who rests in the last bars of a section where nobody is spare: drums or bass."""
    options = [player for player in playing if player.role in ("drums", "bass")]
    small = len(playing) > 1 and options and not _spare(plan, playing)
    if not small or not block.last or block.bars < BLOCK_BARS or _is_peak(plan, block):
        return None
    return _Rest(weighted_choice(_random(plan, "last rest", block), options), early=False)


def _with_a_rest(block: Block, rest: _Rest, names: frozenset[str]) -> list[Cast]:
    less = names - {rest.player.name}
    if rest.early:
        return _halves(block, less, names, REST_BARS)
    return _halves(block, names, less, REST_BARS if block.inner else block.bars - REST_BARS)


def _halves(block: Block, first: frozenset[str], second: frozenset[str], at: int) -> list[Cast]:
    at = min(at, block.bars)
    casts = [Cast(block.bar, at, first), Cast(block.bar + at, block.bars - at, second)]
    return [cast for cast in casts if cast.bars]
