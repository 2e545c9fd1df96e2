"""Intensity layers: each has parts that the one before has not, is louder, and is in sync; the manifest says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from bandstand import fake_voices, full_band

from tunesmith.audio import Audio
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.reader import read_audio
from tunesmith.composer.composition import Composition, RenderOptions
from tunesmith.composer.intensity_layers import LAYER_STEP_LU, IntensityLayer, layers_of, left_out, write_layers
from tunesmith.composer.score import Score
from tunesmith.errors import InvalidRequest


def played(score: Score) -> Composition:
    voices = {part.instrument: fake_voices(part.instrument) for part in score.parts}
    return Composition(score, RenderOptions(), _voices=voices)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def layers() -> tuple[IntensityLayer, ...]:
    return layers_of(played(replace(full_band(4), loop=True)), (0.3, 0.6, 1))


@pytest.fixture(scope="module")
def files(layers: Sequence[IntensityLayer], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("layers")
    return write_layers(layers, lambda layer: folder / f"{layer.word}.wav", folder / "layers.json")


@pytest.fixture(scope="module")
def sounds(files: Sequence[Path]) -> list[Audio]:
    return [read_audio(file) for file in files[:-1]]


def names_of(layer: IntensityLayer) -> set[str]:
    return {part.name for part in layer.parts}


def test_each_layer_adds_parts_and_the_fullest_has_all(layers: Sequence[IntensityLayer]) -> None:
    assert all(names_of(below) < names_of(above) for below, above in pairwise(layers))
    assert names_of(layers[-1]) == {part.name for part in layers[-1].composition.score.parts}


def test_each_layer_is_louder_and_exactly_as_long(sounds: Sequence[Audio]) -> None:
    assert [sound.samples.shape for sound in sounds] == [sounds[0].samples.shape] * len(sounds)
    for below, above in pairwise(sounds):
        assert loudness_of(above) - loudness_of(below) >= 2


def test_the_fullest_layer_is_the_piece_itself() -> None:
    piece = played(full_band(1))
    assert layers_of(piece, (1,))[0].mix().samples.tobytes() == piece.mix().samples.tobytes()


def test_layers_close_together_still_differ() -> None:
    near = layers_of(played(full_band(4)), (0.9, 0.95, 1))
    assert all(names_of(below) < names_of(above) for below, above in pairwise(near))
    levels = [layer.composition.playing.quieter_lu for layer in near]
    assert all(below - above >= LAYER_STEP_LU for below, above in pairwise(levels))


def test_a_small_band_has_fewer_layers_and_says_which_are_left_out() -> None:
    score = full_band(4)
    duo = replace(score, parts=tuple(part for part in score.parts if part.name in ("chords", "melody")))
    found = layers_of(played(duo), (0.3, 0.6, 1))
    assert [layer.intensity for layer in found] == [0.3, 1]
    (warning,) = left_out(found, (0.3, 0.6, 1))
    assert "2 layers" in warning
    assert "0.6" in warning
    assert left_out(found, (0.3, 1)) == ()


def test_the_manifest_is_true_of_the_files(
    layers: Sequence[IntensityLayer], files: Sequence[Path], sounds: Sequence[Audio]
) -> None:
    told = json.loads(files[-1].read_text(encoding="utf-8"))
    score = layers[0].composition.score
    assert (told["bpm"], told["bars"], told["seed"]) == (score.tempo_bpm, score.bars, score.seed)
    before: set[str] = set()
    assert [shown["file"] for shown in told["layers"]] == [file.name for file in files[:-1]]
    for shown, layer, sound in zip(told["layers"], layers, sounds, strict=True):
        assert told["loop"] == {"start": 0, "end": sound.samples.shape[1]}
        assert loudness_of(sound) == pytest.approx(shown["loudness_lufs"], abs=0.5)
        assert {part["name"] for part in shown["parts"]} == names_of(layer)
        assert set(shown["adds"]) == names_of(layer) - before
        before = names_of(layer)
    assert len(told["bar_starts"]) == told["bars"]
    assert told["bar_starts"][1] == round(score.tempo_map.seconds_at(score.meter.beats_per_bar) * told["sample_rate"])


@pytest.mark.parametrize("wrong", [(), (0.5, 1.2), (-0.1,), (0.501, 0.502), tuple(n / 13 for n in range(13))])
def test_intensities_out_of_range_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest, match="layers"):
        layers_of(played(full_band(1)), wrong)
