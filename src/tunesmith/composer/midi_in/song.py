"""The voices of a MIDI file: its notes by track, channel and program, with tempo, meter and key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tunesmith.composer.midi_in.parser import META, MidiChunks, MidiEvent, broken, parse_midi
from tunesmith.composer.score import MeterChanges, Note, TempoMap
from tunesmith.composer.theory import Key, Meter, on_grid

DRUM_CHANNEL = 9
MAX_NOTES = 100_000
MAX_VOICES = 64
# In quarter notes a minute: what a score can have.
SLOWEST, FASTEST = 10.0, 999.0
STANDARD_TEMPO = 120.0
"""The tempo of a file that names none, by the standard."""

MICROSECONDS = 60e6
"""Microseconds in a minute."""

# The upper half of a status byte; the lower half is the channel.
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, BEND = 0x8, 0x9, 0xB, 0xC, 0xE
# Types of meta events.
TRACK_NAME, TEMPO, METER, KEY = 0x03, 0x51, 0x58, 0x59
# Numbers of controllers.
VOLUME, PAN, PEDAL = 7, 10, 64
# What General MIDI sets at the start.
USUAL_VOLUME, CENTRE = 100, 64
SHORTEST = 1 / 64
TONICS_OF_SHARPS = {sharps: (7 * sharps) % 12 for sharps in range(-7, 8)}


@dataclass(frozen=True, slots=True)
class MidiVoice:
    """The notes, sorted by start, that one program plays; ``volume`` and ``pan`` are 0–127."""

    name: str
    channel: int
    program: int
    notes: tuple[Note, ...]
    volume: int = USUAL_VOLUME
    pan: int = CENTRE

    @property
    def is_drums(self) -> bool:
        """Whether it plays on channel 10, whose pitches are drums."""
        return self.channel == DRUM_CHANNEL


@dataclass(frozen=True, slots=True)
class Song:
    """What a MIDI file holds; ``key``, ``meter`` and ``tempo_is_given`` are None or false where it does not say."""

    title: str
    voices: tuple[MidiVoice, ...]
    tempo_map: TempoMap
    meter: Meter | None
    key: Key | None
    tempo_is_given: bool
    meter_changes: MeterChanges = ()
    warnings: tuple[str, ...] = ()

    @property
    def pitched(self) -> tuple[Note, ...]:
        """All notes that are no drums, sorted by start."""
        notes = [note for voice in self.voices if not voice.is_drums for note in voice.notes]
        return tuple(sorted(notes, key=lambda note: (note.start, note.pitch)))

    @property
    def end(self) -> float:
        """The beat at which the last note ends."""
        return max(note.end for voice in self.voices for note in voice.notes)


def read_song(content: bytes) -> Song:
    """Return the song of a Standard MIDI File.

    Raises InvalidRequest for a file that is damaged, without notes, or beyond the limits of a score.
    """
    chunks = parse_midi(content)
    voices = _Playback(chunks).voices()
    if not voices:
        raise broken("has no notes")
    if len(voices) > MAX_VOICES:
        raise broken(f"must have at most {MAX_VOICES} voices, got {len(voices)}")
    if (count := sum(len(voice.notes) for voice in voices)) > MAX_NOTES:
        raise broken(f"must have at most {MAX_NOTES} notes, got {count}")
    metas = sorted((event for track in chunks.tracks for event in track if event.kind == META), key=_tick)
    meters = _meter_map(metas, chunks)
    return Song(
        title=next((name for track in chunks.tracks if (name := _name(track))), ""),
        voices=voices,
        tempo_map=_tempo_map(metas, chunks),
        meter=meters[0][1] if meters else None,
        key=next(_keys(metas), None),
        tempo_is_given=any(event.first == TEMPO for event in metas),
        meter_changes=meters[1:],
        warnings=tuple(_warnings(chunks, meters)),
    )


def _tick(event: MidiEvent) -> int:
    return event.tick


def _beats(tick: int, chunks: MidiChunks) -> float:
    return on_grid(tick / chunks.ticks_per_beat)


def _name(track: Sequence[MidiEvent]) -> str:
    content = next((event.content for event in track if event.kind == META and event.first == TRACK_NAME), b"")
    # The standard leaves the character set open; UTF-8 is what programs write today.
    text = content.decode("utf-8", errors="replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:60]


def _tempo_map(metas: Sequence[MidiEvent], chunks: MidiChunks) -> TempoMap:
    changes: dict[float, float] = {0.0: STANDARD_TEMPO}
    for event in metas:
        if event.first != TEMPO or len(event.content) != 3:
            continue
        microseconds = int.from_bytes(event.content, "big")
        bpm = _bpm(microseconds)
        if not SLOWEST <= bpm <= FASTEST:
            raise broken(f"tempo must be {SLOWEST:g} to {FASTEST:g} quarter notes a minute, got {bpm:g}")
        # Of two tempos on one tick the later one holds.
        changes[_beats(event.tick, chunks)] = bpm
    return TempoMap(tuple(sorted(changes.items())))


def _bpm(microseconds: int) -> float:
    """Return the shortest tempo that is written as this many microseconds a quarter note."""
    if not microseconds:
        return float("inf")
    exact = MICROSECONDS / microseconds
    shorter = (round(exact, decimals) for decimals in range(4))
    return next((bpm for bpm in shorter if bpm and round(MICROSECONDS / bpm) == microseconds), round(exact, 6))


def _meter_map(metas: Sequence[MidiEvent], chunks: MidiChunks) -> MeterChanges:
    """Return the meters and the beats where they begin; the first one holds from the start."""
    changes: dict[float, Meter] = {}
    for at, meter in _meters(metas, chunks):
        # Of two meters at one place the later one holds; one that is named again changes nothing.
        changes[at if changes else 0.0] = meter
    places = sorted(changes.items())
    return tuple(place for number, place in enumerate(places) if not number or place[1] != places[number - 1][1])


def _meters(metas: Sequence[MidiEvent], chunks: MidiChunks) -> Iterator[tuple[float, Meter]]:
    for event in metas:
        if event.first != METER or len(event.content) < 2:
            continue
        numerator, power = event.content[0], event.content[1]
        try:
            yield _beats(event.tick, chunks), Meter(numerator, 2 ** min(power, 8))
        except ValueError:
            raise broken(f"meter must be 1–15 over 2, 4, 8 or 16, got {numerator}/2^{power}") from None


def _keys(metas: Sequence[MidiEvent]) -> Iterator[Key]:
    for event in metas:
        if event.first == KEY and len(event.content) >= 2:
            sharps = int.from_bytes(event.content[:1], "big", signed=True)
            if sharps in TONICS_OF_SHARPS:
                tonic = TONICS_OF_SHARPS[sharps]
                # A minor key has the signature of the major key three semitones above.
                yield Key((tonic - 3) % 12, "minor") if event.content[1] else Key(tonic, "major")


def _warnings(chunks: MidiChunks, meters: MeterChanges) -> Iterator[str]:
    if len(meters) > 1:
        names = ", ".join(dict.fromkeys(str(meter) for _, meter in meters[1:4]))
        yield f"midi: the meter changes to {names}; sections and chords count bars of {meters[0][1]} throughout"
    if any(
        event.kind == BEND and (event.first, event.second) != (0, CENTRE) for track in chunks.tracks for event in track
    ):
        yield "midi: pitch bends are left out"


@dataclass(slots=True)
class _ChannelState:
    """The program and the controllers of a channel, and what sounds on it."""

    program: int = 0
    volume: int = USUAL_VOLUME
    pan: int = CENTRE
    pedal: bool = False
    # By track and pitch: start tick and velocity of the keys that are down.
    down: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)
    # Track, start, pitch and velocity of the notes that only the pedal holds.
    held: list[tuple[int, int, int, int]] = field(default_factory=list)


# Track and channel; the track is SHARED where the channel's state comes from other tracks.
_Place = tuple[int, int]
SHARED = -1


class _Playback:
    """Plays the events of all tracks in time, and collects the notes by track, channel and program.

    A track that chooses its own program keeps it, whatever other tracks choose on its channel: files with more parts
    than channels share some. The other tracks have the channel's state, which a track of its own may set.
    """

    def __init__(self, chunks: MidiChunks) -> None:
        self._chunks = chunks
        self._states: dict[_Place, _ChannelState] = {}
        self._notes: dict[tuple[int, int, int], list[Note]] = {}
        self._choosing = {
            (number, event.channel)
            for number, track in enumerate(chunks.tracks)
            for event in track
            if event.kind == PROGRAM
        }

    def voices(self) -> tuple[MidiVoice, ...]:
        """Return the voices in the order of tracks and channels."""
        events = [(event.tick, number, event) for number, track in enumerate(self._chunks.tracks) for event in track]
        # Stable: events of one moment stay in their order within a track.
        for _, number, event in sorted(events, key=lambda found: found[0]):
            if event.kind != META:
                self._play(number, event)
        last = max((tick for tick, _, _ in events), default=0)
        for place, state in self._states.items():
            self._end(place, state, last)
        return tuple(self._voice(*found) for found in sorted(self._notes))

    def _voice(self, track: int, index: int, program: int) -> MidiVoice:
        state = self._state((track, index))
        name = _name(self._chunks.tracks[track]) or f"track {track + 1}"
        notes = sorted(self._notes[track, index, program], key=lambda note: (note.start, note.pitch))
        return MidiVoice(name, index, program, tuple(notes), state.volume, state.pan)

    def _place(self, place: _Place) -> _Place:
        return place if place in self._choosing else (SHARED, place[1])

    def _state(self, place: _Place) -> _ChannelState:
        return self._states.setdefault(self._place(place), _ChannelState())

    def _play(self, track: int, event: MidiEvent) -> None:
        place = (track, event.channel)
        state = self._state(place)
        if event.kind in (CONTROL, PROGRAM):
            for chosen in dict.fromkeys((self._place(place), (SHARED, event.channel))):
                self._change(chosen, event)
        elif event.kind == NOTE_ON and event.second:
            state.down.setdefault((track, event.first), []).append((event.tick, event.second))
        elif event.kind in (NOTE_ON, NOTE_OFF) and state.down.get((track, event.first)):
            start, velocity = state.down[track, event.first].pop(0)
            if state.pedal and event.channel != DRUM_CHANNEL:
                state.held.append((track, start, event.first, velocity))
            else:
                self._add(track, event.channel, state.program, (start, event.tick, event.first, velocity))

    def _change(self, place: _Place, event: MidiEvent) -> None:
        state = self._states.setdefault(place, _ChannelState())
        if event.kind == PROGRAM:
            # What still sounds belongs to the program before.
            if event.first != state.program:
                self._end(place, state, event.tick)
            state.program = event.first
        elif event.first == VOLUME:
            state.volume = event.second
        elif event.first == PAN:
            state.pan = event.second
        elif event.first == PEDAL:
            state.pedal = event.second >= CENTRE
            if not state.pedal:
                self._release(place, state, event.tick)

    def _release(self, place: _Place, state: _ChannelState, tick: int) -> None:
        for track, start, pitch, velocity in state.held:
            self._add(track, place[1], state.program, (start, tick, pitch, velocity))
        state.held.clear()

    def _end(self, place: _Place, state: _ChannelState, tick: int) -> None:
        """End the notes of all keys that are down, and all that the pedal holds."""
        self._release(place, state, tick)
        for (track, pitch), keys in state.down.items():
            for start, velocity in keys:
                self._add(track, place[1], state.program, (start, tick, pitch, velocity))
        state.down.clear()

    def _add(self, track: int, channel: int, program: int, sounded: tuple[int, int, int, int]) -> None:
        start, end, pitch, velocity = sounded
        beat = _beats(start, self._chunks)
        length = max(on_grid(SHORTEST), on_grid(_beats(end, self._chunks) - beat))
        self._notes.setdefault((track, channel, program), []).append(Note(beat, length, pitch, velocity))
