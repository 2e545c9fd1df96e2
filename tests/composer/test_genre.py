"""Laws that every genre file keeps: what it names exists, what it writes down can be played."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tunesmith.composer.drum_names import DRUM_KEYS, VELOCITIES
from tunesmith.composer.genre import BassStyle, ChordStyle, Genre, GenrePart, genre_names, load_genre
from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.theory import CHORD_QUALITIES, MODES, Meter
from tunesmith.errors import UnknownName

LANGUAGES = {"en", "es", "de", "fr", "pt", "ja", "zh"}
SECTIONS = {"intro", "A", "B", "bridge", "build", "drop", "break", "outro", "ending"}
PRODUCTION = {"tape", "wow", "vinyl", "lofi", "distortion", "bitcrush", "dry", "telephone", "spacious"}
CHORD_ROLES = {"chords", "pad", "arpeggio"}
DRUM_ROLES = {"drums", "percussion"}
STYLES_BY_ROLE = {
    **{key: set(get_args(ChordStyle)) for key in CHORD_ROLES},
    "bass": set(get_args(BassStyle)),
    "drone": set(get_args(ChordStyle)) | set(get_args(BassStyle)),
}
DEGREE = "[b#]?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
NUMERAL = re.compile(rf"^{DEGREE}(?P<quality>[^/]*)(?:/{DEGREE})?$")
MARKS = {*VELOCITIES, "."}
RHYTHM_MARKS = {**dict.fromkeys(CHORD_ROLES, "xX.- cCgbuot123456"), "bass": "xX.- rRgfotsa"}
FEWEST_VOICES = 3
MAX_PARTS = 12


def every_genre(law: Callable[[Genre], None]) -> Callable[[], None]:
    """Return the test that a law holds for each genre.

    One test a law: a thousand small ones, a genre each, would take ten times as long.
    """

    def test() -> None:
        broken = []
        for name in genre_names():
            try:
                law(load_genre(name))
            except AssertionError as error:
                broken.append(f"{name}: {error}")
        assert not broken, "\n".join(broken)

    test.__name__ = law.__name__
    return test


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _is_chord(text: str) -> bool:
    match = NUMERAL.match(text)
    return match is not None and match["quality"] in {*CHORD_QUALITIES, "ø", "°", "°7"}


def _bars(chords: str) -> list[list[str]]:
    return [bar.split() for bar in chords.split("|")]


def _parts(genre: Genre, roles: set[str]) -> list[GenrePart]:
    return [part for part in genre.parts if part.role in roles]


def test_an_unknown_genre_is_refused_by_name() -> None:
    with pytest.raises(UnknownName):
        load_genre("no_such_genre")


@every_genre
def test_a_band_is_of_twelve_players_at_most_and_of_known_instruments(genre: Genre) -> None:
    assert len(genre.parts) <= MAX_PARTS
    unknown = {name for part in genre.parts for name in part.instruments} - set(instruments())
    assert not unknown


@every_genre
def test_kits_play_drums_and_tuned_instruments_play_notes(genre: Genre) -> None:
    for part in genre.parts:
        kinds = {instrument(name).is_kit for name in part.instruments}
        assert kinds == {part.role in DRUM_ROLES}, part


@every_genre
def test_a_register_lies_in_the_range_of_each_instrument(genre: Genre) -> None:
    for part in genre.parts:
        for name in part.instruments:
            tool = instrument(name)
            if part.register_ is not None:
                assert tool.low <= part.register_ <= tool.high, f"{name} plays {tool.low} to {tool.high}: {part}"


@every_genre
def test_styles_are_known_to_the_role_that_names_them(genre: Genre) -> None:
    grooves = {groove.name for groove in genre.grooves if groove.use == "groove"}
    for part in genre.parts:
        known = grooves if part.role in DRUM_ROLES else STYLES_BY_ROLE.get(part.role, set())
        assert set(part.style) <= known, part
        assert part.style or part.role not in {*DRUM_ROLES, "chords", "arpeggio", "bass"}, f"needs a style: {part}"


@every_genre
def test_rhythms_are_whole_bars_of_sixteenths(genre: Genre) -> None:
    lengths = {Meter.parse(meter).steps_per_bar for meter in genre.meters}
    for part in genre.parts:
        for rhythm in part.rhythm:
            assert set(rhythm) <= set(RHYTHM_MARKS.get(part.role, "xX.- ")), rhythm
            assert {len(bar) for bar in rhythm.split()} <= lengths, rhythm


@every_genre
def test_who_echoes_has_the_voices_for_it(genre: Genre) -> None:
    for part in genre.parts:
        assert part.echo is None or all(instrument(name).polyphony >= FEWEST_VOICES for name in part.instruments), part


@every_genre
def test_groove_patterns_are_whole_bars_of_known_drums(genre: Genre) -> None:
    for groove in genre.grooves:
        Meter.parse(groove.meter)
        assert 0 <= groove.energy[0] <= groove.energy[1] <= 1, groove.name
        for drum, pattern in groove.patterns.items():
            assert drum in DRUM_KEYS, f"{groove.name}: {drum}"
            assert set(pattern.replace(" ", "")) <= MARKS, f"{groove.name}: {pattern}"
            assert {len(bar) for bar in pattern.split()} == {groove.steps}, f"{groove.name} {drum}: {pattern}"


@every_genre
def test_groove_names_are_unique(genre: Genre) -> None:
    names = [groove.name for groove in genre.grooves]
    assert len(names) == len(set(names))


@every_genre
def test_a_drummer_has_a_groove_in_each_meter(genre: Genre) -> None:
    if _parts(genre, {"drums"}):
        assert set(genre.meters) <= {groove.meter for groove in genre.grooves if groove.use == "groove"}


@every_genre
def test_progressions_and_cadences_are_bars_of_roman_numerals(genre: Genre) -> None:
    written = [progression.chords for progression in genre.harmony.progressions]
    for chords in (*written, *genre.harmony.cadences):
        assert all(bar and all(_is_chord(chord) for chord in bar) for bar in _bars(chords)), chords


@every_genre
def test_each_mode_has_progressions_and_each_progression_a_mode(genre: Genre) -> None:
    suited: dict[str, int] = defaultdict(int)
    for progression in genre.harmony.progressions:
        assert set(progression.modes) <= set(genre.modes), progression
        for mode in progression.modes or genre.modes:
            suited[mode] += progression.use in ("any", "verse", "chorus")
    assert all(suited[mode] for mode in genre.modes), dict(suited)


@every_genre
def test_forms_name_known_sections_with_bars_and_energy(genre: Genre) -> None:
    for form in genre.forms:
        for section in form.sections:
            name, bars, energy = section.split(":")
            assert name in SECTIONS, section
            assert int(bars) >= 1
            assert 0 <= float(energy) <= 1


@every_genre
def test_something_sounds_in_every_section(genre: Genre) -> None:
    lowest = min(float(section.split(":")[2]) for form in genre.forms for section in form.sections)
    assert any(part.entry <= lowest for part in genre.parts if part.role not in {*DRUM_ROLES, "effects"})


@every_genre
def test_a_genre_has_a_tune_or_a_texture_and_taste_that_is_known(genre: Genre) -> None:
    assert _parts(genre, {"melody", "pad", "drone", "arpeggio"})
    assert genre.melody.scale is None or genre.melody.scale in MODES
    assert set(genre.mix.production) <= PRODUCTION


@every_genre
def test_a_genre_answers_in_seven_languages(genre: Genre) -> None:
    assert set(genre.aliases) == LANGUAGES
    assert all(genre.aliases.values())
    assert len(genre.anchors) == len(set(genre.anchors)) >= 7


def test_the_page_lists_every_genre_under_its_family() -> None:
    page = (Path(__file__).parents[2] / "docs" / "genres.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (\w+) \| (`.*`) \|$", page.partition("## The genres")[2], re.MULTILINE))
    families: dict[str, list[str]] = defaultdict(list)
    for name in genre_names():
        families[load_genre(name).family].append(f"`{name}`")
    assert listed == {family: ", ".join(names) for family, names in families.items()}


def test_no_alias_names_two_genres() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for name in genre_names():
        owners[_folded(name.replace("_", " "))].add(name)
        for words in load_genre(name).aliases.values():
            for word in words:
                owners[_folded(word)].add(name)
    shared = {word: sorted(names) for word, names in owners.items() if len(names) > 1}
    assert not shared


def test_no_anchor_is_used_twice() -> None:
    anchors = [anchor for name in genre_names() for anchor in load_genre(name).anchors]
    assert len(anchors) == len(set(anchors))
