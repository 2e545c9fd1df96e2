"""Response schemas of scores and outlines. Times are in seconds from the start of the piece."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tunesmith.server.apis.native.schemas import JobEvent, ResponseModel

NoteRow = tuple[float, float, int, int]
FigureRow = tuple[int, int, int]


class SectionDocument(ResponseModel):
    """A section of the form."""

    name: str
    start: float
    end: float
    energy: float = Field(description="0 to 1.")


class ChordDocument(ResponseModel):
    """A chord, spelled for the key of the piece."""

    name: str
    start: float
    end: float
    bar: int = Field(description="From 1.")
    beat: float = Field(description="From 1, in quarter notes.")
    beats: float = Field(description="Its length in quarter notes.")


class PartDocument(ResponseModel):
    """A part and its notes."""

    name: str = Field(description="Unique in the piece, as the stems are called.")
    role: str
    instrument: str = Field(description="As the field `instruments` of a request takes it.")
    label: str = Field(description="The instrument in words.")
    is_drums: bool = Field(description="Whether the pitches are General MIDI drums.")
    entry: float = Field(description="The intensity, 0 to 1, from which the part plays.")
    notes: list[NoteRow] = Field(description="Start and length in seconds, MIDI pitch, velocity 1 to 127.")


class ScoreDocument(ResponseModel):
    """What the composer has written for a request."""

    title: str
    genre: str
    seed: int
    key: str
    meter: str
    tempo_bpm: float = Field(description="At the start, in felt beats.")
    bars: int
    duration: float
    loop: bool
    form: str
    bar_starts: list[float]
    sections: list[SectionDocument]
    chords: list[ChordDocument]
    parts: list[PartDocument]
    figure: list[FigureRow] = Field(
        description="The melody, small: start and length in 200ths of the piece, MIDI pitch; at most 48 notes."
    )
    is_exact: bool = Field(description="False: another version made the sound, and may have written other notes.")


class ScoreEvent(JobEvent):
    """The event of a job with its score, null where it cannot be written."""

    score: dict[str, Any] | None


class PeaksDocument(ResponseModel):
    """The outline of a file: the largest and the mean amplitude of each of its stretches, of equal length."""

    duration: float
    points: int
    peak: list[int] = Field(description="0 to 255, which is full scale.")
    rms: list[int] = Field(description="0 to 255, which is full scale.")
