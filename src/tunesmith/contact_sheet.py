"""Contact sheet: several candidates in one picture, a row each: waveform, piano roll and measures; the pick is marked.

Needs matplotlib, an extra.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.analysis.quality import Quality
from tunesmith.audio.spectrogram_plot import check_drawable, envelope_of
from tunesmith.composer.score import Score
from tunesmith.composer.score_plot import DRUM_ROLES, part_colours
from tunesmith.files import atomic_output
from tunesmith.plot_text import drawable_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 110
WIDTH, ROW_INCHES, TITLE_INCHES = 16.0, 2.1, 0.6
COLUMNS = (3.2, 4.4, 2.6)
"""The widths of waveform, roll and measures, relative to each other."""
PICKED, OTHER, GOOD, POOR = "#2f9e55", "#5b6470", "#58b4e5", "#d1495b"
POOR_BELOW = 0.5
SHOWN_NAME = 44


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several sounds: its ``name`` and ``seed``, its ``score`` where the composer wrote it, and its ``rank``."""

    name: str
    seed: int | None
    audio: Audio
    quality: Quality
    rank: int
    score: Score | None = None


def draw_sheet(candidates: Sequence[Candidate], path: Path, title: str) -> Path:
    """Write the sheet as a PNG and return its path; raise InvalidRequest as ``check_drawable`` does."""
    check_drawable(path)
    # Agg draws without a display, and outside pyplot no figure outlives the call.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, TITLE_INCHES + ROW_INCHES * len(candidates)), layout="constrained")
    FigureCanvasAgg(figure)
    text, font = drawable_text(title)
    figure.suptitle(text, fontproperties=font, fontsize=12, parse_math=False)
    rows = figure.subplots(len(candidates), len(COLUMNS), squeeze=False, width_ratios=COLUMNS)
    for candidate, (wave, roll, measures) in zip(candidates, rows, strict=True):
        colour = PICKED if candidate.rank == 1 else OTHER
        _draw_wave(wave, candidate, colour)
        _draw_notes(roll, candidate)
        _draw_measures(measures, candidate)
        for axis in (wave, roll, measures):
            axis.tick_params(labelsize=7)
            if candidate.rank == 1:
                axis.spines[:].set(color=PICKED, linewidth=2.5)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def _draw_wave(axis: Axes, candidate: Candidate, colour: str) -> None:
    lows, highs = envelope_of(candidate.audio)
    axis.fill_between(np.linspace(0, candidate.audio.duration, lows.size), lows, highs, linewidth=0.4, color=colour)
    axis.set(ylim=(-1, 1), yticks=[], xlim=(0, candidate.audio.duration))
    seed = "" if candidate.seed is None else f", seed {candidate.seed}"
    picked = "PICKED: " if candidate.rank == 1 else ""
    # A file name may hold surrogates, which no font has, and dollar signs, which are no formula.
    name, font = drawable_text(candidate.name[:SHOWN_NAME].encode(errors="replace").decode())
    title = f"{picked}{candidate.rank}. {name}{seed}"
    axis.set_title(title, fontproperties=font, fontsize=9, loc="left", color=colour, parse_math=False)


def _draw_notes(axis: Axes, candidate: Candidate) -> None:
    score = candidate.score
    if score is None:
        axis.text(0.5, 0.5, "no score", ha="center", va="center", transform=axis.transAxes, fontsize=9)
        axis.set(xticks=[], yticks=[])
        return
    at = score.tempo_map.seconds_at
    colours = part_colours(score.parts)
    for part in score.parts:
        if part.role not in (*DRUM_ROLES, "effects") and part.notes:
            starts, ends = [at(note.start) for note in part.notes], [at(note.end) for note in part.notes]
            axis.hlines([note.pitch for note in part.notes], starts, ends, colors=colours[part.name], linewidth=1.6)
    for section in score.sections:
        axis.axvline(at(section.bar * score.meter.beats_per_bar), color="#c9ced6", linewidth=0.7, zorder=0)
    axis.set(xlim=(0, score.duration))
    about = f"{score.genre.replace('_', ' ')}, {score.tempo_bpm:.0f} bpm, {score.key}"
    axis.set_title(about, fontsize=9, loc="left")


def _draw_measures(axis: Axes, candidate: Candidate) -> None:
    findings = candidate.quality.findings
    scores = [finding.score for finding in findings]
    places = list(range(len(findings), 0, -1))
    axis.barh(places, scores, color=[POOR if score < POOR_BELOW else GOOD for score in scores], height=0.75)
    axis.set_yticks(places, [finding.measure for finding in findings])
    axis.set(xlim=(0, 1), xticks=[])
    for place, finding in zip(places, findings, strict=True):
        axis.text(0.02, place, finding.reason, va="center", fontsize=6.5)
    axis.set_title(f"{candidate.quality.score:.1f} of 100", fontsize=9, loc="left")
