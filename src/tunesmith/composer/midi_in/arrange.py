"""Song → a piece of a genre around it: the melody stays note for note, the composer writes the rest to follow it.

song ─► key, meter, tempo, bars, chords ─► sections, band ─► melody fixed ─► the writers of the other parts
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.check_request import check_request
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.means import genre_of
from tunesmith.composer.midi_in.harmony import chords_of_notes
from tunesmith.composer.midi_in.key import key_of, meter_of
from tunesmith.composer.midi_in.parser import broken
from tunesmith.composer.midi_in.score import bars_of_song, instrument_of, mean_pitch, melody_of
from tunesmith.composer.midi_in.song import MidiVoice, Song
from tunesmith.composer.score import Note, TempoMap
from tunesmith.composer.theory import Key, Meter
from tunesmith.composer.writing.band.choose_band import choose_band, register_for, with_someone
from tunesmith.composer.writing.form.casts import with_casts
from tunesmith.composer.writing.form.sections import build_sections
from tunesmith.composer.writing.form.tempo import FormTimeline
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.score_writer import Writing, score_of, write_part, writing_order, written_part
from tunesmith.composer.writing.transposition import moved_chords, moved_on, shift_between
from tunesmith.composer.writing.written_score import WrittenPart, WrittenScore
from tunesmith.errors import InvalidRequest
from tunesmith.request import MAX_TEMPO_BPM, MIN_TEMPO_BPM, GenerationRequest

REFUSED = ("duration", "bars", "hits", "loop", "meter", "score_edits")
"""Fields that the notes of the file decide."""
LEAD = "melody"


@dataclass(frozen=True, slots=True)
class Given:
    """What the file gives: ``melody`` None where it has only chords."""

    song: Song
    key: Key
    meter: Meter
    bars: int
    melody: MidiVoice | None


def arrange_song(song: Song, request: GenerationRequest) -> tuple[Brief, Writing]:
    """Return the brief and the piece of a request around the song's melody, or its chords where it has no melody.

    ``key`` and ``tempo_bpm`` of the request move the song; otherwise they are the file's own, or estimated.
    Raises InvalidRequest for fields that the notes decide, and for a song without pitched notes.
    """
    given = _given(song)
    for field in REFUSED:
        if getattr(request, field) not in (None, (), False):
            raise InvalidRequest(field, "is decided by the notes of the MIDI file; leave it out")
    brief = _brief(request, given)
    shift = shift_between(given.key, brief.key) if request.key is not None else 0
    plan, duration = _plan(brief, given, shift)
    fixed = plan.first_player(LEAD) if given.melody is not None else None
    written: dict[str, tuple[Note, ...]] = {}
    for player in writing_order(plan.players):
        written[player.name] = _melody(given, player, shift) if player is fixed else write_part(plan, player, written)
    parts = tuple(
        WrittenPart(player, written[player.name], "fixed", interpretation=None)
        if player is fixed
        else written_part(brief, player, written[player.name])
        for player in plan.players
    )
    whole = WrittenScore(plan, duration, parts)
    return brief, Writing(score_of(brief, whole), whole, song.warnings)


def _given(song: Song) -> Given:
    if not song.pitched:
        raise broken("has only drums; a melody or chords are needed to write music around")
    meter = song.meter or meter_of(song.pitched)
    return Given(song, song.key or key_of(song.pitched), meter, bars_of_song(song, meter), melody_of(song.voices))


def _brief(request: GenerationRequest, given: Given) -> Brief:
    """Return the brief of the request with the song's key, meter, tempo and bars, which the prompt does not change."""
    felt = given.song.tempo_map.changes[0][1] / given.meter.felt_beat
    asked = {"key": request.key or str(given.key), "meter": str(given.meter), "bars": given.bars + 1}
    if request.tempo_bpm is None and MIN_TEMPO_BPM <= felt <= MAX_TEMPO_BPM:
        asked["tempo_bpm"] = felt
    brief = check_request(request.model_copy(update=asked))
    return replace(
        brief, form="track" if brief.form in ("loop", "sting", "bumper") else brief.form, hits=(), duration=None
    )


def _plan(brief: Brief, given: Given, shift: int) -> tuple[Plan, float]:
    genre = genre_of(brief)
    tempo_map = given.song.tempo_map
    if abs(brief.quarters_per_minute - tempo_map.changes[0][1]) > 1e-3:
        # Asked for, or the only one that the composer can play: changes keep their proportion.
        scale = brief.quarters_per_minute / tempo_map.changes[0][1]
        tempo_map = TempoMap(tuple((beat, bpm * scale) for beat, bpm in tempo_map.changes))
    # One bar more than the notes begin in, for the last chord.
    bars = given.bars + 1
    duration = tempo_map.seconds_at(bars * brief.meter.beats_per_bar)
    timeline = FormTimeline(bars, tempo_map, duration)
    sections = build_sections(brief, genre, timeline)
    chords = moved_chords(chords_of_notes(given.song.pitched, given.key, given.meter, bars), shift)
    players = _band(brief, genre, given)
    players = with_someone(players, [section.energy for section in sections])
    plan = Plan(brief, genre, brief.key, brief.meter, tempo_map, sections, chords, players)
    return with_casts(plan, players), duration


def _band(brief: Brief, genre: Genre, given: Given) -> tuple[Player, ...]:
    """Return the genre's band with one lead for the given melody, in the register in which it lies."""
    players = choose_band(brief, genre)
    if given.melody is None:
        return players
    leads = [player for player in players if player.role == LEAD]
    others = tuple(player for player in players if player.role != LEAD)
    tool = instrument_of(given.melody)
    lead = leads[0] if leads else Player(LEAD, LEAD, tool, "", register_for(LEAD, None, instrument(tool)), 0.0)
    return (replace(lead, entry=0.0), *others)


def _melody(given: Given, player: Player, shift: int) -> tuple[Note, ...]:
    """Return the given melody for the player's instrument: moved by octaves as a whole where its range asks for it."""
    assert given.melody is not None
    tool = instrument(player.instrument)
    moved = moved_on(tool, given.melody.notes, shift)
    return tuple(moved) if _fits(moved, player) else moved_on(tool, moved, _octaves(moved, player))


def _fits(notes: tuple[Note, ...], player: Player) -> bool:
    tool = instrument(player.instrument)
    return all(tool.low <= note.pitch <= tool.high for note in notes)


def _octaves(notes: tuple[Note, ...], player: Player) -> int:
    """Return the octaves, in semitones, that bring the notes nearest to the player's register."""
    return 12 * round((player.register - mean_pitch(notes)) / 12)
