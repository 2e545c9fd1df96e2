"""The record of a written score: what its notes were written for, so that a change of it can be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.composer.brief import Mood
from tunesmith.composer.score import Note
from tunesmith.composer.score_file.document import ScorePosition
from tunesmith.composer.score_file.form import bars_of, read_form
from tunesmith.composer.score_file.frame import Grid, ScoreFrame, read_chords, read_tempo_map
from tunesmith.composer.theory import Key, Meter
from tunesmith.errors import InvalidRequest
from tunesmith.request import COMPOSED_ENDINGS, MAX_DURATION_SECONDS, MAX_SEED, Hit

FRAME_FIELDS = ("key", "meter", "tempo", "duration", "seed", "sections", "chords")
FIELDS = (*FRAME_FIELDS, "mood", "ending", "exact_length", "hits", "locks", "notes")
ENDINGS = ("", *COMPOSED_ENDINGS)
DIGEST_BYTES = 4


@dataclass(frozen=True, slots=True)
class Record:
    """What the composer wrote for: the ``frame``, and of the brief ``mood``, ``ending`` and ``hits``.

    ``exact_length`` says that the length in seconds was asked for, not that in bars. ``digests`` has, by the composer's
    name of each part, the digest of the notes as they were written; ``locks`` the seeds of decisions that draw from
    another one than the piece's.
    """

    frame: ScoreFrame
    mood: Mood = field(default_factory=Mood)
    ending: str = ""
    exact_length: bool = True
    hits: tuple[Hit, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    locks: Mapping[str, int] = field(default_factory=dict)

    def is_untouched(self, name: str, notes: Sequence[Note]) -> bool:
        """Return whether the notes of a part are those that were written."""
        return self.digests.get(name) == digest(notes)


def digest(notes: Sequence[Note]) -> str:
    """Return eight characters that change with any note."""
    text = ";".join(f"{n.start:.5f} {n.length:.5f} {n.pitch} {n.velocity} {n.glide}" for n in notes)
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def read_record(place: ScorePosition) -> Record:
    """Return the record of a document; raise InvalidScore."""
    fields = place.fields(FIELDS, FRAME_FIELDS)
    meter = fields["meter"].read(Meter.parse)
    sections = read_form(fields["sections"]).played
    grid = Grid(bars_of(sections), meter.beats_per_bar)
    frame = ScoreFrame(
        key=fields["key"].read(Key.parse),
        meter=meter,
        tempo_map=read_tempo_map(fields["tempo"], grid),
        sections=sections,
        chords=read_chords(fields["chords"], grid),
        duration=fields["duration"].number(0.1, MAX_DURATION_SECONDS),
        seed=fields["seed"].whole(0, MAX_SEED),
    )
    return Record(
        frame,
        Mood(*_mood(fields["mood"])) if "mood" in fields else Mood(),
        fields["ending"].one_of(ENDINGS) if "ending" in fields else "",
        fields["exact_length"].flag() if "exact_length" in fields else True,
        tuple(_hits(fields["hits"])) if "hits" in fields else (),
        {name: value.text() for name, value in fields["notes"].pairs()} if "notes" in fields else {},
        {name: value.whole(0, MAX_SEED) for name, value in fields["locks"].pairs()} if "locks" in fields else {},
    )


def _mood(place: ScorePosition) -> list[float]:
    values = [item.number(-1, 1) for item in place.items()]
    if len(values) != 2:
        raise place.mistake(f"mood must have two numbers, got {len(values)}")
    return values


def _hits(place: ScorePosition) -> Iterator[Hit]:
    for item in place.items():
        try:
            yield Hit.parse(item.text())
        except InvalidRequest as error:
            raise item.mistake(error.problem) from None
