"""Brief → score: form, harmony and band first, then each player's notes in an order that lets them lock together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.means import genre_of
from tunesmith.composer.score import Ambience, MixSettings, Note, Score
from tunesmith.composer.theory import Key
from tunesmith.composer.writing.accompaniment.arpeggio import write_arpeggio
from tunesmith.composer.writing.accompaniment.bass import write_bass
from tunesmith.composer.writing.accompaniment.chords import write_chords
from tunesmith.composer.writing.accompaniment.drone import write_drone
from tunesmith.composer.writing.accompaniment.pad import write_pad
from tunesmith.composer.writing.balance import ambience_gain, gain_of, levels_of, stretches_of
from tunesmith.composer.writing.band.choose_band import is_heard, whole_band, with_someone
from tunesmith.composer.writing.band.guests import guests_of, with_guests
from tunesmith.composer.writing.drums.kit import write_drums
from tunesmith.composer.writing.form.breaks import without_rests
from tunesmith.composer.writing.form.casts import with_casts
from tunesmith.composer.writing.form.climax import usual_loudness
from tunesmith.composer.writing.form.half_time import half_timed
from tunesmith.composer.writing.form.modulation import modulated
from tunesmith.composer.writing.form.ritardando import with_ritardando
from tunesmith.composer.writing.form.sections import build_sections, in_usual_mood
from tunesmith.composer.writing.form.tempo import FormTimeline, solve_timeline
from tunesmith.composer.writing.harmony.progressions import write_harmony
from tunesmith.composer.writing.harmony.songbook import Setting
from tunesmith.composer.writing.melody.counter import write_counter
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.plan import OwnTune, Plan, Player, Writer
from tunesmith.composer.writing.play_score import played_parts
from tunesmith.composer.writing.transitions import write_effects
from tunesmith.composer.writing.transposition import moved_chords, moved_notes, shift_between
from tunesmith.composer.writing.written_score import WrittenPart, WrittenScore, following

WRITERS: Mapping[str, Writer] = {
    "drums": write_drums,
    "percussion": write_drums,
    "bass": write_bass,
    "drone": write_drone,
    "chords": write_chords,
    "pad": write_pad,
    "arpeggio": write_arpeggio,
    "melody": write_melody,
    "counter": write_counter,
    "effects": write_effects,
}
"""One writer per role, in the order in which they write."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A finished score with its warnings, and ``written``: the parts before the performance, also those not heard.

    ``guests`` are the names of the players that the request adds to the band.
    """

    score: Score
    written: WrittenScore
    warnings: tuple[str, ...] = ()
    guests: frozenset[str] = frozenset()


def write_score(brief: Brief) -> Writing:
    """Compose the piece of a brief; the same brief gives the same score.

    Raises InvalidRequest where hits or bars cannot be met, or ``without`` leaves no player.
    """
    genre = genre_of(brief)
    timeline = with_ritardando(solve_timeline(brief), brief, genre)
    plan = _planned(brief, genre, timeline)
    written = _written(plan, {})
    guests = guests_of(brief, genre, plan.players)
    if guests:
        plan = with_guests(plan, guests)
        written = _written(plan, written)
    plan, written = modulated(plan, written)
    shift = shift_between(plan.key, brief.key)
    plan = replace(plan, key=brief.key, chords=moved_chords(plan.chords, shift))
    lines = tuple(
        written_part(
            brief,
            player,
            moved_notes(player, written[player.name], shift),
            mute=player not in guests and not is_heard(brief, player),
        )
        for player in plan.players
    )
    whole = WrittenScore(plan, timeline.duration, lines)
    return Writing(score_of(brief, whole), whole, timeline.warnings, frozenset(guest.name for guest in guests))


def written_part(brief: Brief, player: Player, notes: tuple[Note, ...], *, mute: bool = False) -> WrittenPart:
    """Return the part of a player with the levels that the brief gives it."""
    levels = levels_of(brief, player.role, player.instrument)
    # As many digits as a part has, to which the gain is added.
    louder = replace(player, gain_db=round(player.gain_db, 2) + gain_of(levels)) if levels else player
    stretches = tuple(level for level in levels if not level.is_everywhere)
    return WrittenPart(louder, notes, following(player.role), mute=mute, levels=stretches)


def score_of(brief: Brief, written: WrittenScore) -> Score:
    """Return the score of a brief: the plan's form and harmony, the parts as played, the genre's mix and ambience."""
    plan = written.plan
    return Score(
        title=brief.title,
        prompt=brief.prompt,
        genre=brief.genre,
        seed=brief.seed,
        key=plan.key,
        meter=plan.meter,
        tempo_map=plan.tempo_map,
        duration=written.duration,
        loop=brief.loop,
        form=brief.form,
        sections=plan.sections,
        chords=plan.chords,
        parts=played_parts(written),
        ambience=_ambience(brief, plan.genre),
        mix=_mix(brief, plan.genre),
    )


def _planned(brief: Brief, genre: Genre, timeline: FormTimeline) -> Plan:
    # Written in the key that the seed draws, and moved as a whole: another key is a transposition.
    own = brief.home or brief.key
    home = Key(own.tonic, brief.key.mode)
    sections = build_sections(brief, genre, timeline)
    setting = Setting(genre, home, brief.meter, brief.mood, brief.loop, own.mode)
    chords = write_harmony(setting, sections, brief.seed_of("chords"))
    energies = [section.energy for section in in_usual_mood(sections, brief)]
    players = with_someone(whole_band(brief, genre), energies)
    plan = Plan(brief, genre, home, brief.meter, timeline.tempo_map, sections, chords, players)
    plan = replace(plan, own_tune=_own_tune(plan, own))
    heard = [player for player in players if is_heard(brief, player)]
    return with_casts(plan, heard)


def _own_tune(plan: Plan, own: Key) -> OwnTune | None:
    """Return what the lead would be written for without the mood of the request; None where there is none."""
    brief, genre = plan.brief, plan.genre
    if brief.usual is None:
        return None
    by_itself = replace(brief, mood=brief.usual, usual=None)
    band = whole_band(by_itself, genre)
    lead = next((player for player in band if player.role == "melody"), None)
    if lead is None:
        return None
    setting = Setting(genre, own, brief.meter, brief.usual, brief.loop, own.mode)
    chords = write_harmony(setting, plan.sections, brief.seed_of("chords"))
    return OwnTune(own, chords, lead, any(player.role == "counter" for player in band))


def _written(plan: Plan, before: Mapping[str, tuple[Note, ...]]) -> Mapping[str, tuple[Note, ...]]:
    """Return the notes of every player; those whose notes are known from ``before`` keep them."""
    written = dict(before)
    for player in writing_order(player for player in plan.players if player.name not in before):
        written[player.name] = write_part(plan, player, written)
    return written


def writing_order(players: Iterable[Player]) -> list[Player]:
    """Return the players in the order in which they write, so that each finds what it locks to.

    Drums come first so that the bass can lock to them, the lead before the counter-melody that answers it.
    """
    order = list(WRITERS)
    return sorted(players, key=lambda player: order.index(player.role))


def write_part(plan: Plan, player: Player, written: Mapping[str, tuple[Note, ...]]) -> tuple[Note, ...]:
    """Return the notes of one player before the performance, given those of the players before it in the order."""
    notes = WRITERS[player.role](replace(plan, written=dict(written)), player)
    # At once, so that the writers that follow hear the rests.
    return without_rests(plan, player, half_timed(plan, player, notes))


def _ambience(brief: Brief, genre: Genre) -> tuple[Ambience, ...]:
    names = dict.fromkeys((*brief.ambience, *genre.mix.ambience))
    return tuple(Ambience(name, ambience_gain(brief, name)) for name in names if name not in brief.without)


def _mix(brief: Brief, genre: Genre) -> MixSettings:
    """Return the genre's mix with the production, loudness, space and mood of the brief."""
    base = genre.mix.settings()
    spacious = "spacious" in brief.production
    dry = "dry" in brief.production
    # Sorted: the order of a set changes from process to process.
    requested = sorted(brief.production - {"spacious", *brief.without})
    own = [name for name in base.production if name not in brief.without]
    # A bed lies under speech, which needs its octaves for itself.
    requested += ["speech_room"] if brief.form == "bed" else []
    return replace(
        base,
        loudness_lufs=usual_loudness(brief, genre) if brief.loudness_lufs is None else brief.loudness_lufs,
        room=base.room * (0.25 if dry else 1.0),
        hall=0.0 if dry else min(1.0, base.hall + (0.4 if spacious else 0.0)),
        brightness_db=max(-12.0, min(6.0, base.brightness_db + 1.5 * brief.mood.valence)),
        production=tuple(dict.fromkeys((*own, *requested))),
        levels=stretches_of(brief),
    )
