"""Parsing tables in seven languages."""

from __future__ import annotations

import pytest

from tunesmith.composer.prompt.parsed_prompt import understand


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("jazz 90 bpm", 90, 90), ("at 128", 128, 128), ("tempo 120", 120, 120), ("80-90 bpm", 80, 90),
        ("between 80 and 90 bpm", 80, 90), ("90bpm", 90, 90), ("bpm: 75", 75, 75), ("ninety bpm", 90, 90),
        ("jazz a 90 ppm", 90, 90), ("Jazz mit 90 Schlägen, 90 bpm", 90, 90), ("jazz à 90 bpm", 90, 90),
        ("テンポ120", 120, 120), ("ジャズ 120bpm", 120, 120), ("速度 100", 100, 100), ("127.5 bpm", 127.5, 127.5),
    ],
)  # fmt: skip
def test_tempo_is_read(prompt: str, low: float, high: float) -> None:
    assert [(said.low, said.high) for said in understand(prompt).tempos][-1:] == [(low, high)]


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("30 seconds", 30), ("30s", 30), ("30-second jazz", 30), ("2 min", 120), ("2min", 120), ("1:30", 90),
        ("two minutes", 120), ("half a minute", 30), ("a minute and a half", 90), ("2.5 minutes", 150),
        ("two and a half minutes", 150), ("2 min 30 s", 150), ("1 hour", 3600), ("a minute", 60),
        ("twenty five seconds", 25),
        ("30 segundos", 30), ("dos minutos", 120), ("medio minuto", 30), ("30 Sekunden", 30), ("zwei Minuten", 120),
        ("deux minutes", 120), ("30 secondes", 30), ("dois minutos", 120), ("trinta segundos", 30),
        ("30秒", 30), ("2分", 120), ("1分半", 90), ("三十秒", 30), ("1分30秒", 90), ("两分钟", 120), ("30秒钟", 30),
    ],
)  # fmt: skip
def test_duration_is_read(prompt: str, seconds: float) -> None:
    assert [said.low for said in understand(prompt).durations] == [seconds]


@pytest.mark.parametrize("prompt", ["jazz at 5 am", "80s synthwave", "8-bit music", "an 808 beat", "24/7 radio"])
def test_other_numbers_are_no_duration(prompt: str) -> None:
    said = understand(prompt)
    assert (said.durations, said.tempos) == ((), ())


@pytest.mark.parametrize(
    "prompt",
    ["8 bars", "eight bars", "8 measures", "8 compases", "8 Takte", "8 mesures", "8 compassos", "8小節", "8小节"],
)
def test_bars_are_read(prompt: str) -> None:
    assert [said.low for said in understand(prompt).bars] == [8]


@pytest.mark.parametrize(
    ("prompt", "tonic", "mode"),
    [
        ("in A minor", 9, "minor"), ("in a minor", 9, "minor"), ("Am, slow", 9, "minor"), ("F# dorian", 6, "dorian"),
        ("Bb major", 10, "major"), ("C# minor", 1, "minor"), ("D flat major", 1, "major"),
        ("F sharp minor", 6, "minor"),
        ("in the key of G", 7, None), ("Ebm", 3, "minor"), ("E phrygian dominant", 4, "phrygian dominant"),
        ("c-Moll", 0, "minor"), ("H-Moll", 11, "minor"), ("Es-Dur", 3, "major"), ("fis-Moll", 6, "minor"),
        ("B-Dur", 10, "major"), ("la menor", 9, "minor"), ("en do mayor", 0, "major"), ("si bemol mayor", 10, "major"),
        ("fa sostenido menor", 6, "minor"), ("la mineur", 9, "minor"), ("mi bémol majeur", 3, "major"),
        ("ré mineur", 2, "minor"), ("lá menor", 9, "minor"), ("dó maior", 0, "major"),
        ("sol sustenido menor", 8, "minor"),
        ("ハ短調", 0, "minor"), ("変ホ長調", 3, "major"), ("嬰ハ短調", 1, "minor"), ("Aマイナー", 9, "minor"),
        ("A小调", 9, "minor"), ("C大调", 0, "major"), ("降B大调", 10, "major"), ("升F小调", 6, "minor"),
        ("something in a minor key", None, "minor"), ("dorian mode", None, "dorian"), ("en modo menor", None, "minor"),
        ("短調の曲", None, "minor"),
    ],
)  # fmt: skip
def test_key_is_read(prompt: str, tonic: int | None, mode: str | None) -> None:
    key = understand(prompt).key
    assert key is not None
    assert (key.tonic, key.mode) == (tonic, mode)


@pytest.mark.parametrize(
    "prompt", ["Am Strand", "I am sad", "a major success story", "a minor setback in life", "plan b"]
)
def test_other_letters_are_no_key(prompt: str) -> None:
    assert understand(prompt).key is None


@pytest.mark.parametrize(
    ("prompt", "meter"),
    [
        ("3/4", "3/4"), ("in 6/8 time", "6/8"), ("waltz time", "3/4"), ("jazz in five", "5/4"), ("7/8 prog", "7/8"),
        ("compás de 3/4", "3/4"), ("im Dreivierteltakt", "3/4"), ("à trois temps", "3/4"), ("compasso ternário", "3/4"),
        ("4分の3拍子", "3/4"), ("三拍子", "3/4"), ("四三拍", "3/4"), ("8分の6拍子", "6/8"),
    ],
)  # fmt: skip
def test_meter_is_read(prompt: str, meter: str) -> None:
    assert str(understand(prompt).meter) == meter


def test_in_five_minutes_is_no_meter() -> None:
    assert understand("ready in five minutes").meter is None


@pytest.mark.parametrize(
    ("prompt", "refused"),
    [
        ("no drums", {"drums"}), ("techno without piano", {"piano"}), ("no drums or bass", {"drums", "bass"}),
        ("without drums, bass or guitar", {"drums", "bass", "guitar"}), ("ohne Schlagzeug", {"drums"}),
        ("sin batería ni bajo", {"drums", "bass"}), ("sans batterie", {"drums"}), ("sem bateria", {"drums"}),
        ("ドラムなし", {"drums"}), ("ドラムとベースなし", {"drums", "bass"}), ("没有鼓", {"drums"}),
        ("不要钢琴和鼓", {"piano", "drums"}), ("kein Klavier", {"piano"}), ("pas de guitare", {"guitar"}),
        ("drum-free ambient", {"drums"}), ("ピアノ抜き", {"piano"}),
    ],
)  # fmt: skip
def test_negation_is_read(prompt: str, refused: set[str]) -> None:
    said = understand(prompt)
    names = {
        name for i in said.refused for kind in ("instrument", "family") for name in said.matches[i].names(kind)[:1]
    }
    assert names == refused


@pytest.mark.parametrize("prompt", ["no drums, calm piano", "no drums but piano", "no drums. Piano and strings"])
def test_negation_ends_where_the_list_ends(prompt: str) -> None:
    said = understand(prompt)
    assert "piano" in said.names("instrument")
    assert "drums" not in said.names("family")


@pytest.mark.parametrize(
    ("prompt", "instrument"),
    [
        ("warm cello", "cello"), ("dos guitarras acústicas", "acoustic_guitar"), ("mit Geigen", "violin"),
        ("violon doux", "violin"), ("uma flauta suave", "flute"), ("尺八の曲", "shakuhachi"), ("二胡曲", "erhu"),
        ("upright bass groove", "double_bass"), ("slap bass", "slap_bass"), ("Cellomusik", "cello"),
        ("electric piano chords", "electric_piano"), ("オルゴールの曲", "music_box"),
    ],
)  # fmt: skip
def test_instruments_are_read(prompt: str, instrument: str) -> None:
    assert understand(prompt).names("instrument")[:1] == (instrument,)


@pytest.mark.parametrize(
    ("prompt", "kind", "name"),
    [
        ("with rain", "ambience", "rain"), ("Regengeräusche", "ambience", "rain"), ("con lluvia", "ambience", "rain"),
        ("bruit des vagues", "ambience", "ocean"), ("canto de pássaros", "ambience", "birds"),
        ("焚き火の音", "ambience", "fire"), ("雷声", "ambience", "thunder"), ("crickets at night", "ambience", "night"),
        ("on old tape", "production", "tape"), ("verzerrt", "production", "distortion"),
        ("fade out at the end", "form", "ending/fade"), ("with a big ending", "form", "ending/big"),
        ("ループ曲", "form", "form/loop"), ("无缝循环", "form", "form/loop"), ("Endlosschleife", "form", "form/loop"),
        ("traurig", "mood", "sad"), ("tristes canciones", "mood", "sad"), ("切ない曲", "mood", "sad"),
        ("欢快的曲子", "mood", "happy"), ("joyeuse", "mood", "happy"), ("animada", "mood", "energetic"),
        ("adagio", "tempo", "adagio"), ("langsam", "tempo", "slow"), ("muy rápido", "tempo", "very_fast"),
    ],
)  # fmt: skip
def test_moods_colours_and_forms_are_read(prompt: str, kind: str, name: str) -> None:
    assert name in understand(prompt).names(kind)


@pytest.mark.parametrize(
    ("word", "scene"),
    [("Kochvideo", "restaurant_kitchen"), ("Sommerabend", "summer_night"), ("Familienausflug", "family"),
     ("Bergtour", "mountain"), ("Weltraumreise", "space")],
)  # fmt: skip
def test_a_german_compound_is_read_by_its_first_part(word: str, scene: str) -> None:
    assert scene in understand(f"Musik: {word}").names("use")


@pytest.mark.parametrize("word", ["past", "table", "back", "boss", "puerta", "parce", "Freizeit"])
def test_a_word_is_not_taken_for_another_with_its_stem(word: str) -> None:
    match = understand(word)
    assert not match.names("use")
    assert match.genre is None
