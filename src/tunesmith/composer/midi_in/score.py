"""Song → score: every voice a part, with the instrument that comes nearest to its program."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.midi_in.harmony import chords_of_notes, is_line
from tunesmith.composer.midi_in.key import key_of, meter_of
from tunesmith.composer.midi_in.parser import broken
from tunesmith.composer.midi_in.song import CENTRE, USUAL_VOLUME, MidiVoice, Song
from tunesmith.composer.score import MixSettings, Note, Part, Score, Section
from tunesmith.composer.theory import Meter
from tunesmith.request import MAX_DURATION_SECONDS

RING_SECONDS = 2.0
"""How long the last notes ring."""

SYNTHESISED: Mapping[int, str] = {
    38: "saw_bass", 39: "fm_bass", 50: "string_pad", 51: "string_pad", 54: "choir_pad", 62: "synth_brass",
    63: "synth_brass", 80: "square_lead", 81: "saw_lead", 82: "sine_lead", 85: "choir_pad", 86: "supersaw",
    88: "glass_pad", 91: "choir_pad", 93: "glass_pad", 95: "sweep_pad", 98: "fm_bell", 118: "taiko_drum",
}  # fmt: skip
"""Instruments for programs that the table does not sample."""
# The last program of each group of General MIDI, and an instrument that stands for all of the group.
GROUPS: tuple[tuple[int, str], ...] = (
    (7, "piano"), (15, "vibraphone"), (23, "organ"), (31, "acoustic_guitar"), (39, "finger_bass"), (47, "strings"),
    (55, "strings"), (63, "brass_section"), (71, "clarinet"), (79, "flute"), (87, "saw_lead"), (95, "warm_pad"),
    (103, "warm_pad"), (111, "sitar"), (119, "steel_drum"), (127, "strings"),
)  # fmt: skip
KITS: Mapping[int, str] = {
    8: "room_kit", 16: "power_kit", 24: "electronic_kit", 25: "tr808_kit", 32: "jazz_kit", 40: "brush_kit",
    48: "orchestra_kit",
}  # fmt: skip
LOW = 50


def midi_score(song: Song, name: str) -> Score:
    """Return the score of a song, named after the file where it has no title; it sounds as the file says.

    Raises InvalidRequest for a song longer than a score can be.
    """
    key, meter = song.key or key_of(song.pitched or song.voices[0].notes), song.meter or meter_of(song.pitched)
    bars = bars_of_song(song, meter)
    duration = song.tempo_map.seconds_at(song.end) + RING_SECONDS
    if duration > MAX_DURATION_SECONDS:
        raise broken(f"lasts {duration:.0f} s; the limit is {MAX_DURATION_SECONDS:g} s")
    return Score(
        title=song.title or name,
        prompt=name,
        genre="",
        seed=0,
        key=key,
        meter=meter,
        tempo_map=song.tempo_map,
        duration=round(duration, 6),
        loop=False,
        form="track",
        sections=(Section("A", 0, bars, 0.7),),
        chords=chords_of_notes(song.pitched, key, meter, bars) if song.pitched else (),
        parts=_parts(song.voices),
        mix=MixSettings(),
        meter_changes=song.meter_changes,
    )


def bars_of_song(song: Song, meter: Meter) -> int:
    """Return the bars in which notes begin; raise InvalidRequest for more than a score can have."""
    last = max(note.start for voice in song.voices for note in voice.notes)
    bars = int(last / meter.beats_per_bar + 1e-9) + 1
    if song.tempo_map.seconds_at(last) > MAX_DURATION_SECONDS:
        raise broken(f"lasts {song.tempo_map.seconds_at(last):.0f} s; the limit is {MAX_DURATION_SECONDS:g} s")
    return bars


def instrument_of(voice: MidiVoice) -> str:
    """Return the instrument of a voice: that of its program, or of its group where the program is not there."""
    if voice.is_drums:
        return KITS.get(voice.program, "standard_kit")
    sampled = next((name for name in instruments() if _samples(name, voice.program)), None)
    group = next(name for last, name in GROUPS if voice.program <= last)
    return sampled or SYNTHESISED.get(voice.program) or group


def mean_pitch(notes: Sequence[Note]) -> float:
    """Return the mean of the pitches."""
    return sum(note.pitch for note in notes) / len(notes)


def melody_of(voices: Sequence[MidiVoice]) -> MidiVoice | None:
    """Return the voice that is most likely the melody: the highest single line that is no bass, or None."""
    lines = [voice for voice in voices if not voice.is_drums and is_line(voice.notes) and mean_pitch(voice.notes) > LOW]
    return max(lines, key=lambda voice: (len(voice.notes) >= 4, mean_pitch(voice.notes)), default=None)


def _samples(name: str, program: int) -> bool:
    tool = instrument(name)
    return tool.source == "bank" and not tool.is_kit and tool.program == program


def _parts(voices: Sequence[MidiVoice]) -> tuple[Part, ...]:
    melody = melody_of(voices)
    parts: list[Part] = []
    for voice in voices:
        played = instrument_of(voice)
        parts.append(
            Part(
                name=_unique(voice.name, {part.name for part in parts}),
                role="melody" if voice is melody else _role(voice, played),
                instrument=played,
                notes=voice.notes,
                gain_db=_gain_db(voice.volume),
                pan=round(max(-1.0, (voice.pan - CENTRE) / (CENTRE - 1)), 3),
            )
        )
    return tuple(parts)


def _unique(name: str, taken: Container[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} {number}"
    return unique


def _role(voice: MidiVoice, played: str) -> str:
    if voice.is_drums:
        return "drums"
    family = instrument(played).family
    if family == "bass" or (is_line(voice.notes) and mean_pitch(voice.notes) <= LOW):
        return "bass"
    if is_line(voice.notes):
        return "counter"
    return "pad" if family in ("strings", "voices", "pads") else "chords"


def _gain_db(volume: int) -> float:
    """Return the level of a channel volume: 40 dB a decade, as General MIDI recommends, 0 at the usual 100."""
    return -60.0 if volume == 0 else round(max(-60.0, 40 * math.log10(volume / USUAL_VOLUME)), 2)
