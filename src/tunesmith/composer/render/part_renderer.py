"""Part rendering: notes in order, one tone of the voice each, cut off as on the real instrument."""

from __future__ import annotations

import math
from collections.abc import Callable

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import instrument
from tunesmith.composer.render.active_note import ActiveNote
from tunesmith.composer.render.intensity import length_in_samples, sample_at
from tunesmith.composer.render.legato import (
    CROSSFADE,
    NOISE_GAIN,
    SKIPPED,
    connects,
    glide_between,
    joins,
    without_attack,
)
from tunesmith.composer.render.note_chance import note_chances
from tunesmith.composer.render.note_fall import fall_of, fallen
from tunesmith.composer.rng import share
from tunesmith.composer.score import Note, Part, Score
from tunesmith.composer.sound.noise_kinds import is_exact
from tunesmith.composer.sound.onset_noise import OnsetNoise, Struck, level_of
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone, Voice

Voices = Callable[[str], Voice]
"""Instrument name → its voice."""

LEVEL_SPREAD_DB = 2.8
"""By how much chance raises or lowers a note's level at most."""

# A held note must stop within one attack; a ringing one may take longer, which is gentler.
HELD_FADE = round(0.008 * SAMPLE_RATE)
RELEASE_SECONDS = 0.4
RELEASED_FADE = round(0.03 * SAMPLE_RATE)


def balance(pan: float) -> tuple[float, float]:
    """Return the gains (left, right) of a constant-power balance, both 1 at the centre."""
    angle = (min(1.0, max(-1.0, pan)) + 1) * math.pi / 4
    return math.sqrt(2) * math.cos(angle), math.sqrt(2) * math.sin(angle)


class PartPlayer:
    """The renderer of one part; blocks must come in order, and the sum does not depend on their sizes."""

    def __init__(self, score: Score, part: Part, voices: Voices, intensity: float | None = None) -> None:
        self._score = score
        self._part = part
        self._voice = voices(part.instrument)
        self._choke_group: Callable[[int], int] = getattr(self._voice, "choke_group", lambda _pitch: 0)
        gain = 10 ** (part.gain_db / 20)
        left, right = balance(part.pan)
        self._gains = (gain * left, gain * right)
        # Players play softer at low intensity, which also makes the samples darker; a gain would not.
        self._velocity_scale = 1.0 if intensity is None else 0.82 + 0.18 * intensity
        self._end = length_in_samples(score)
        self._next = 0
        played = instrument(part.instrument)
        self._chances = [0] * len(part.notes) if is_exact(played) else _chances(score, part)
        self._noise = OnsetNoise(played)
        self._played = played
        self._connects = connects(part.role, played)
        self._fall = fall_of(part.role, played)
        self._sounding: list[ActiveNote] = []
        # Apart from the notes, because noise takes no part in polyphony and choking.
        self._noises: list[ActiveNote] = []

    @property
    def work(self) -> float:
        """A measure of the time that rendering takes: the seconds that sound, as every note has its release."""
        beats = sum(note.length for note in self._part.notes)
        return beats * 60 / self._score.tempo_map.changes[0][1] + RELEASE_SECONDS * len(self._part.notes)

    @property
    def finished(self) -> bool:
        """Whether every note has been played and has decayed."""
        return self._next >= len(self._part.notes) and not self._sounding and not self._noises

    def add_to(self, target: Samples, start: int) -> None:
        """Add the part's sound from sample ``start`` to ``target``, (2, n)."""
        stop = start + target.shape[1]
        self._take_notes(stop)
        for sound in (*self._sounding, *self._noises):
            sound.add_to(target, start)
        self._sounding = [sound for sound in self._sounding if sound.end > stop]
        self._noises = [sound for sound in self._noises if sound.end > stop]

    def _take_notes(self, stop: int) -> None:
        notes = self._part.notes
        while self._next < len(notes):
            at = sample_at(self._score, notes[self._next].start)
            if at >= min(stop, self._end):
                break
            self._begin(notes[self._next], at)
            self._next += 1
        # Notes past the end never sound; without them the part can finish.
        if stop >= self._end:
            self._next = len(notes)

    def _begin(self, note: Note, at: int) -> None:
        released = max(at + 1, sample_at(self._score, note.end))
        joined = self._joined(note, at, released)
        tone = self._tone(note, at, released, joined)
        group = self._choke_group(note.pitch)
        self._make_room(at, group, HELD_FADE if joined is None else CROSSFADE)
        sound = self._voice.sound(tone)
        if self._fall is not None:
            sound = fallen(sound, self._fall)
        gain = 10 ** (LEVEL_SPREAD_DB * (2 * share(tone.chance, 3) - 1) / 20) if tone.chance else 1.0
        gains = gain * self._gains[0], gain * self._gains[1]
        heard = sound if joined is None else without_attack(sound)
        self._sounding.append(ActiveNote(heard, at, released, gains, group))
        self._touch(tone, level_of(sound) * (1 if joined is None else NOISE_GAIN), (at, released), gains)

    def _joined(self, note: Note, at: int, released: int) -> Note | None:
        """Return the note before if this one continues it, else None."""
        if not self._connects or not self._next:
            return None
        before = self._part.notes[self._next - 1]
        gap = at - sample_at(self._score, before.end)
        return before if joins(before, note, gap / SAMPLE_RATE, (released - at) / SAMPLE_RATE) else None

    def _tone(self, note: Note, at: int, released: int, joined: Note | None) -> Tone:
        """Return the note as a tone; one that continues another is longer by the attack that it leaves out."""
        velocity = min(127, max(1, round(note.velocity * self._velocity_scale)))
        chance = self._chances[self._next]
        glide = note.glide if joined is None else glide_between(joined, note, self._played, chance)
        seconds = (released - at + (0 if joined is None else SKIPPED)) / SAMPLE_RATE
        return Tone(note.pitch, velocity, seconds, glide, self._next, chance)

    def _touch(self, tone: Tone, level: float, span: tuple[int, int], gains: tuple[float, float]) -> None:
        """Add the noise of the onset and of the release, which are at the ends of ``span``."""
        struck = Struck(level, tone.velocity, tone.seconds, share(tone.chance, 0))
        both = self._noise.onset(tone.pitch, struck), self._noise.release(tone.pitch, struck)
        self._noises += [
            ActiveNote(noise, start, start, gains) for noise, start in zip(both, span, strict=True) if noise is not None
        ]

    def _make_room(self, at: int, group: int, fade: int) -> None:
        # A closed hat silences the open one, as on a real kit.
        if group:
            for sound in self._sounding:
                if sound.choke_group == group:
                    sound.cut_at(at, HELD_FADE)
        if self._played.polyphony == 1:
            for sound in self._sounding:
                sound.cut_at(at, fade if sound.released > at else RELEASED_FADE)
            return
        # The oldest notes give way, as on a synthesiser with a fixed number of voices.
        held = [sound for sound in self._sounding if sound.cut is None and sound.released > at]
        for sound in held[: max(0, len(held) - self._played.polyphony + 1)]:
            sound.cut_at(at, HELD_FADE)


def _chances(score: Score, part: Part) -> list[int]:
    chances: list[int] = note_chances(score.seed, part.name, part.notes).tolist()
    return chances
