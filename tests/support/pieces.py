"""Small scores for tests, by hand and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tunesmith.composer.score import Ambience, ChordSpan, MixSettings, Note, Part, Score, Section, TempoMap
from tunesmith.composer.theory import CHORD_QUALITIES, MODES, TICKS_PER_BEAT, Chord, Key, Meter

BARS = 4
METERS = (Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(5, 4), Meter(7, 8))


def small_score() -> Score:
    """Return two bars of flute and drums in A minor."""
    melody = (Note(0, 1.5, 69, 92), Note(1.5, 0.5, 72, 80, -2), Note(4, 2, 71, 100))
    drums = tuple(Note(beat, 0.25, 36 if beat % 2 == 0 else 38, 100) for beat in range(8))
    return Score(
        title="Test: a title, with marks",
        prompt="tëst 'prompt' # not a comment",
        genre="lofi",
        seed=7,
        key=Key.parse("A minor"),
        meter=Meter(4, 4),
        tempo_map=TempoMap(((0.0, 90.0),)),
        duration=6.5,
        loop=False,
        form="track",
        sections=(Section("intro", 0, 1, 0.3), Section("A", 1, 1, 0.6)),
        chords=(ChordSpan(0, 4, Chord.parse("Am7")), ChordSpan(4, 4, Chord.parse("D/F#"))),
        parts=(
            Part("melody", "melody", "flute", melody, -1.5, 0.2, 0.4),
            Part("drums", "drums", "standard_kit", drums),
        ),
        ambience=(Ambience("rain", -3.0),),
        mix=MixSettings(production=("tape", "wow")),
    )


def ticks(low: int, high: int) -> st.SearchStrategy[float]:
    """Times in beats on the written grid, from ``low`` to ``high`` ticks."""
    return st.integers(low, high).map(lambda tick: tick / TICKS_PER_BEAT)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Any score of four bars; in one part no two notes of a pitch overlap."""
    meter = draw(st.sampled_from(METERS))
    end = round(BARS * meter.beats_per_bar * TICKS_PER_BEAT)
    notes = st.builds(
        Note, ticks(0, end - 1), ticks(1, 4000), st.integers(21, 108), st.integers(1, 127), st.integers(-12, 12)
    )
    chords = st.builds(
        ChordSpan,
        ticks(0, end - 1),
        ticks(1, 4000),
        st.builds(Chord, st.integers(0, 11), st.sampled_from(sorted(CHORD_QUALITIES)), st.none() | st.integers(0, 11)),
    )
    instruments = ("flute", "piano", "standard_kit", "bass_808")
    parts = draw(
        st.lists(
            st.tuples(st.sampled_from(instruments), st.lists(notes, max_size=12), st.floats(-24, 12)),
            min_size=1,
            max_size=3,
        )
    )
    score = small_score()
    return Score(
        title=draw(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)),
        prompt=draw(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)),
        genre="lofi",
        seed=draw(st.integers(0, 2**53 - 1)),
        key=Key(draw(st.integers(0, 11)), draw(st.sampled_from(sorted(MODES)))),
        meter=meter,
        tempo_map=TempoMap(((0.0, draw(st.floats(40, 220))), (meter.beats_per_bar, draw(st.floats(40, 220))))),
        duration=draw(st.floats(1, 100)),
        loop=False,
        form="track",
        sections=(Section("A", 0, BARS, draw(st.floats(0, 1))),),
        chords=tuple(sorted(draw(st.lists(chords, max_size=4)), key=lambda span: span.start)),
        parts=tuple(
            Part(f"part {index}", "melody", name, _clear(written), round(gain, 5))
            for index, (name, written, gain) in enumerate(parts)
        ),
        ambience=score.ambience,
        mix=score.mix,
    )


def _clear(notes: list[Note]) -> tuple[Note, ...]:
    kept: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        if all(other.pitch != note.pitch or other.end <= note.start for other in kept):
            kept.append(note)
    return tuple(kept)
