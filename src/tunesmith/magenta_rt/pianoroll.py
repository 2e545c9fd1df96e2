"""Piano roll: notes in seconds as the state of every pitch in every frame, 25 frames a second.

pitch 67  0 0 0 2 1 1 2 1 0      a note, and the same pitch again
pitch 60  2 1 1 1 0 0 0 0 0
frame     0 1 2 3 4 5 6 7 8
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tunesmith.errors import InvalidRequest
from tunesmith.generator import NoteSheet, TimedNote
from tunesmith.magenta_rt.conditioning import NUM_PITCHES, NoteState

# Frames of SpectroStream's codes a second.
FRAME_RATE = 25
MAX_POLYPHONY = 24
"""The most pitches at once: twice what the composer's fullest bands play, and more than such models have learned."""
GUARD_SEMITONES = 2
"""An accompaniment keeps so far from every pitch that sounds, or it would blur the notes of the piece."""

Roll = npt.NDArray[np.int8]


def pianoroll(sheet: NoteSheet) -> Roll:
    """Return the NoteState of every pitch, (frames, 128), over the whole length of a sheet.

    A note is ONSET in the frame nearest to its start, then HELD until the frame nearest to its end, one frame at least.
    Every other pitch is OFF, or UNSAID where the sheet lets the model add notes. Raises InvalidRequest for a pitch
    outside 0–127, for a time that is no number, and for more than MAX_POLYPHONY pitches at once.
    """
    frames = max(1, math.ceil(round(FRAME_RATE * sheet.duration, 6)))
    roll: Roll = np.zeros((frames, NUM_PITCHES), np.int8)
    for note in sheet.notes:
        _check(note)
        if note.start < sheet.duration and note.end > 0:
            _enter(roll, note, sheet.lead_frames)
    at_once = (roll > NoteState.OFF).sum(axis=1)
    fullest = int(at_once.argmax())
    check_polyphony(int(at_once[fullest]), f" at {fullest / FRAME_RATE:.2f} s")
    return with_unsaid_pitches(roll) if sheet.accompanies else roll


def check_polyphony(pitches: int, when: str = "") -> None:
    """Raise InvalidRequest for more than MAX_POLYPHONY pitches at once; ``when`` follows their number."""
    if pitches > MAX_POLYPHONY:
        raise InvalidRequest("notes", f"must be at most {MAX_POLYPHONY} pitches at once, got {pitches}{when}")


def _enter(roll: Roll, note: TimedNote, lead_frames: int) -> None:
    first = round(FRAME_RATE * note.start) - lead_frames
    last = max(first + 1, round(FRAME_RATE * note.end) - lead_frames)
    # What lies before the first frame begins with it, and a last onset rounds to a frame that is still there.
    first = min(max(0, first), len(roll) - 1)
    last = max(first + 1, last)
    held = roll[first + 1 : last, note.pitch]
    # The same pitch of another part may begin meanwhile: its onset stays.
    np.maximum(held, np.int8(NoteState.HELD), out=held)
    roll[first, note.pitch] = NoteState.ONSET


def _check(note: TimedNote) -> None:
    if not 0 <= note.pitch < NUM_PITCHES:
        raise InvalidRequest("notes", f"must have pitches from 0 to {NUM_PITCHES - 1}, got {note.pitch}")
    if not (math.isfinite(note.start) and math.isfinite(note.end)):
        raise InvalidRequest("notes", f"must start and end at a number of seconds, got {note.start} and {note.end}")


def with_unsaid_pitches(roll: Roll) -> Roll:
    """Return a roll with every pitch UNSAID that is more than GUARD_SEMITONES away from all that sound."""
    sounding = roll > NoteState.OFF
    near = sounding.copy()
    for distance in range(1, GUARD_SEMITONES + 1):
        near[:, distance:] |= sounding[:, :-distance]
        near[:, :-distance] |= sounding[:, distance:]
    return np.where(near, roll, np.int8(NoteState.UNSAID))
