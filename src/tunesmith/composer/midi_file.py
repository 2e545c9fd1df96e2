"""Score ⇄ Standard MIDI File: one track per part, 960 ticks per beat, so that every written time is exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mido

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.score import Note, Part, Score
from tunesmith.composer.theory import TICKS_PER_BEAT

# Channel 10 of General MIDI, counted from 0.
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
# In semitones either way, the widest range that players commonly support.
BEND_RANGE = 48
BEND_STEPS = 12
GLIDE_BEATS = 0.25

# The General MIDI program that comes nearest to each family of synthesised instruments.
NEAREST_PROGRAM = {"synth": 81, "pads": 89, "bass": 38, "chip": 80, "plucked": 25, "keys": 16, "effects": 96}

# Tick, rank (which comes first at the same tick), message.
Event = tuple[int, int, mido.Message]


def write_midi(score: Score, path: Path) -> None:
    """Write the score as a Standard MIDI File of format 1."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_conductor(score))
    melodic = 0
    for part in score.parts:
        played = instrument(part.instrument)
        # Channels repeat beyond 15 melodic parts: parts that share one lose their own program, but no note is lost.
        channel = DRUM_CHANNEL if played.is_kit else MELODIC_CHANNELS[melodic % len(MELODIC_CHANNELS)]
        melodic += not played.is_kit
        file.tracks.append(_track(part, played, channel))
    file.save(path)


def _conductor(score: Score) -> mido.MidiTrack:
    meta = mido.MetaMessage
    key = f"{score.key.tonic_name}{'m' if score.key.is_minor else ''}"
    events: list[Event] = [
        (0, 0, meta("track_name", name=score.title)),
        (0, 0, meta("text", text=f"Tunesmith, seed {score.seed}: {score.prompt}")),
        (0, 1, meta("key_signature", key=key)),
    ]
    events += [
        (_ticks(beat), 1, meta("time_signature", numerator=meter.numerator, denominator=meter.denominator))
        for beat, meter in ((0.0, score.meter), *score.meter_changes)
    ]
    events += [(_ticks(beat), 2, meta("set_tempo", tempo=mido.bpm2tempo(bpm))) for beat, bpm in score.tempo_map.changes]
    bar = score.meter.beats_per_bar
    events += [(_ticks(section.bar * bar), 3, meta("marker", text=section.name)) for section in score.sections]
    return _delta_timed(events)


def _track(part: Part, played: Instrument, channel: int) -> mido.MidiTrack:
    program = played.program if played.source == "bank" else NEAREST_PROGRAM.get(played.family, 0)
    events: list[Event] = [
        (0, 0, mido.MetaMessage("track_name", name=part.name)),
        (0, 1, mido.Message("program_change", channel=channel, program=program)),
        (0, 1, mido.Message("control_change", channel=channel, control=10, value=round(63.5 + 63.5 * part.pan))),
    ]
    if any(note.glide for note in part.notes):
        events += [(0, 1, message) for message in _bend_range(channel)]
    for note in part.notes:
        start, end = _ticks(note.start), _ticks(note.end)
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        # A note-off sorts before a note-on at the same tick, so that a repeated pitch is not cut off at its start.
        events += [(start, 3, on), (end, 2, mido.Message("note_off", channel=channel, note=note.pitch, velocity=64))]
        events += _glide(note, channel)
    return _delta_timed(events)


def _bend_range(channel: int) -> Iterator[mido.Message]:
    # Registered parameter 0 is the bend range: select it (101, 100), then set semitones (6) and cents (38).
    for control, value in ((101, 0), (100, 0), (6, BEND_RANGE), (38, 0)):
        yield mido.Message("control_change", channel=channel, control=control, value=value)


def _glide(note: Note, channel: int) -> Iterator[Event]:
    if not note.glide:
        return
    length = min(GLIDE_BEATS, note.length)
    for step in range(BEND_STEPS + 1):
        # The note keeps its target pitch; the bend starts at the glide's origin and returns to zero.
        bend = note.glide / BEND_RANGE * (1 - step / BEND_STEPS) * 8192
        message = mido.Message("pitchwheel", channel=channel, pitch=max(-8192, min(8191, round(bend))))
        # The first bend comes before the note-on, or the attack would sound at the wrong pitch.
        yield _ticks(note.start + length * step / BEND_STEPS), 2 if step == 0 else 4, message


def _delta_timed(events: list[Event]) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _ticks(beats: float) -> int:
    return round(beats * TICKS_PER_BEAT)
