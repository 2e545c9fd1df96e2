"""The picture of a score shows every note, every part and every section, at any length."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.composer.composition import compose
from tunesmith.composer.score import Score
from tunesmith.composer.score_plot import WIDEST, draw_score, drum_rows, part_colours, score_figure
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def score() -> Score:
    wishes = GenerationRequest.checked(prompt="funk with horns and congas", duration=30, seed=2)
    return compose(wishes).score


@pytest.fixture(scope="module")
def figure(score: Score) -> Any:
    return score_figure(score)


def test_every_note_is_drawn_once(score: Score, figure: Any) -> None:
    drawn = sum(len(shapes.get_paths()) for axis in figure.axes[1:-1] for shapes in axis.collections)
    assert drawn == sum(len(part.notes) for part in score.parts)


def test_the_legend_names_every_part_in_a_colour_of_its_own(score: Score, figure: Any) -> None:
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert [f"{part.name}: {part.instrument}".replace("_", " ") for part in score.parts if part.notes] == shown[:-2]
    colours = part_colours(score.parts)
    assert len(set(colours.values())) == len(colours)


def test_the_sections_stand_above_the_notes(score: Score, figure: Any) -> None:
    shown = [text.get_text() for text in figure.axes[0].texts]
    for section in score.sections:
        assert section.name in shown


def test_every_drum_has_a_row_of_its_own(score: Score) -> None:
    drums = [part for part in score.parts if part.role in ("drums", "percussion")]
    rows = drum_rows(drums)
    assert set(rows) == {note.pitch for part in drums for note in part.notes}
    assert next(iter(rows.values())) == "kick"


def test_the_picture_of_a_long_piece_is_no_wider_than_the_widest(score: Score) -> None:
    long = replace(score, sections=tuple(replace(section, bars=300) for section in score.sections))
    assert score_figure(long).get_figwidth() == WIDEST


def test_any_title_is_drawn(score: Score, tmp_path: Path) -> None:
    title = "Füße $x_1$ 100 % \udcff 静かなピアノ"
    short = replace(score, title=title, parts=score.parts[:1], sections=score.sections[:1])
    from matplotlib import image

    pixels = np.asarray(image.imread(draw_score(short, tmp_path / "a.png")))
    assert pixels[..., :3].std() > 0.05


def test_a_name_that_is_no_picture_is_refused(score: Score, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"plot: must end in .png, got 'a.svg'"):
        draw_score(score, tmp_path / "a.svg")
