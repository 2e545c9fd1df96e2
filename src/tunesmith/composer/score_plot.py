"""Plot of a score: sections, chords, piano roll, drums and energy over bars and seconds. Needs matplotlib, an extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.audio.spectrogram_plot import check_drawable
from tunesmith.composer.arrangement import clock_time
from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import ROLES, Note, Part, Score
from tunesmith.files import atomic_output
from tunesmith.plot_text import drawable_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRUM_ROLES = ("drums", "percussion")
COLOURS: Mapping[str, tuple[str, ...]] = {
    "melody": ("#d1495b", "#ee8434", "#a4243b"), "counter": ("#b5179e", "#e07be0"),
    "chords": ("#1d6fa3", "#58b4e5", "#17a2a2"), "pad": ("#7fb7a2", "#b7cf9a"), "arpeggio": ("#2f9e55", "#8cc63f"),
    "bass": ("#4b3b8f", "#8574c9"), "drone": ("#8c6d46",), "effects": ("#9a9a9a",),
    "drums": ("#33383f",), "percussion": ("#a0703c", "#c99b6a"),
}  # fmt: skip
"""Colours of each role, in turn where several parts have it."""
PALER = 0.6
FROM_BACK = ("pad", "drone", "chords", "arpeggio", "effects", "bass", "counter", "melody")
"""The order in which the notes are drawn: what one listens to lies on top."""

DPI = 120
INCHES_A_BAR, NARROWEST, WIDEST = 0.34, 11.0, 30.0
# What the labels beside the plot take of its width.
LABEL_INCHES = 1.5
INCHES_A_SEMITONE, INCHES_A_DRUM = 0.065, 0.17
# The width of a character for each point of its size.
CHARACTER_INCHES = 0.0095
TICK_INCHES = 0.55
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
CHORD_POINTS = (9.0, 8.0, 7.0, 6.0)
UPRIGHT_INCHES = 0.09
SECTION_COLOURS = ("#dfe9f3", "#f7c59f")
"""The colours of a section without energy and of one with all of it."""
ENERGY_COLOUR, LINE_COLOUR = "#e07a2f", "#33383f"


def draw_score(score: Score, path: Path) -> Path:
    """Write the plot as a PNG and return its path; raise InvalidRequest as ``check_drawable`` does."""
    check_drawable(path)
    # Agg draws without a display, and outside pyplot no figure outlives the call.
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = score_figure(score)
    FigureCanvasAgg(figure)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def score_figure(score: Score) -> Figure:
    """Return the figure; its axes are form, roll, drums (where there are any) and energy, from the top."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    tuned = [part for part in score.parts if part.role not in DRUM_ROLES]
    struck = [part for part in score.parts if part.role in DRUM_ROLES and part.notes]
    rows = drum_rows(struck)
    heights = [0.9, roll_inches(tuned), *([INCHES_A_DRUM * max(3, len(rows))] if rows else []), 0.8]
    width = min(WIDEST, max(NARROWEST, INCHES_A_BAR * score.bars + LABEL_INCHES))
    figure = Figure(figsize=(width, sum(heights) + 1.9), layout=ConstrainedLayoutEngine(h_pad=0.05, hspace=0.0))
    axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0])
    colours = part_colours(score.parts)
    _draw_form(axes[0], score, width - LABEL_INCHES)
    _draw_roll(axes[1], score, tuned, colours)
    if rows:
        _draw_drums(axes[2], score, struck, rows, colours)
    _draw_energy(axes[-1], score)
    for axis in axes[1:]:
        _draw_grid(axis, score)
    _draw_titles(figure, axes[0], score)
    _draw_legend(figure, score, colours)
    return figure


def part_colours(parts: Sequence[Part]) -> dict[str, str]:
    """Return the colour of each part by its name.

    Parts with the same role take the role's colours in turn, then the same ones paler.
    """
    seen = dict.fromkeys(ROLES, 0)
    colours = {}
    for part in parts:
        choice = COLOURS[part.role]
        turn, place = divmod(seen[part.role], len(choice))
        colours[part.name] = _paler(choice[place], 1 - PALER**turn)
        seen[part.role] += 1
    return colours


def _paler(colour: str, share: float) -> str:
    """Return a colour with a share of white in it."""
    levels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(level + (255 - level) * share):02x}" for level in levels)


def drum_rows(parts: Sequence[Part]) -> dict[int, str]:
    """Return the names of the drums that play by their keys, the kick first."""
    played = {note.pitch for part in parts for note in part.notes}
    named = {key: name for name, key in reversed(list(DRUM_KEYS.items())) if key in played}
    order = list(DRUM_KEYS.values())
    keys = sorted(played, key=lambda key: (order.index(key) if key in named else len(order), key))
    return {key: named.get(key, f"key {key}").replace("_", " ") for key in keys}


def roll_inches(parts: Sequence[Part]) -> float:
    """Return the height of the piano roll, which grows with its range."""
    pitches = [note.pitch for part in parts for note in part.notes] or [60]
    return min(5.5, max(2.5, (max(pitches) - min(pitches) + 4) * INCHES_A_SEMITONE))


def _draw_form(axis: Axes, score: Score, inches: float) -> None:
    """Draw the sections, shaded by energy, above the chords."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("energy", SECTION_COLOURS)
    room = inches / max(1, score.bars)
    for section in score.sections:
        axis.broken_barh([(section.bar, section.bars)], (1.2, 0.8), facecolor=shades(section.energy), edgecolor="white")
        size = _fitting(section.name, section.bars * room, (11.0, 9.0, 7.0, 6.0))
        if size:
            axis.text(section.bar + section.bars / 2, 1.6, section.name, size=size, ha="center", va="center")
    _draw_chords(axis, score, room)
    axis.set(ylim=(0, 2), yticks=(0.6, 1.6), yticklabels=("chords", "form"))
    axis.tick_params(length=0, labelbottom=False, labelsize=9)
    axis.spines[:].set_visible(False)
    # A chord may ring on behind the last bar; its name must not push the plot aside.
    for text in axis.texts:
        text.set(in_layout=False, clip_on=True)


def _draw_chords(axis: Axes, score: Score, room: float) -> None:
    """Draw the chords' names where they start, upright where ``room``, the inches of a bar, is too small for many."""
    labels = _chord_labels(score)
    sizes = [_fitting(name, length * room, CHORD_POINTS) for _, length, name in labels]
    all_upright = sizes.count(None) > len(sizes) / 3
    # One size for most of them reads better than the largest for each.
    common = sorted(size or CHORD_POINTS[-1] for size in sizes)[len(sizes) // 5] if sizes else CHORD_POINTS[0]
    for (start, length, name), size in zip(labels, sizes, strict=True):
        axis.plot([start, start], [0.1, 1.1], color="#bbbbbb", linewidth=0.6)
        if size and not all_upright:
            axis.text(start + 0.04 * min(1, length), 0.6, name, size=min(size, common), va="center", color=LINE_COLOUR)
        elif length * room >= UPRIGHT_INCHES:
            middle = start + length / 2 if length * room < 2 * UPRIGHT_INCHES else start + UPRIGHT_INCHES / room * 0.7
            axis.text(middle, 0.6, name, size=6, rotation=90, ha="center", va="center", color=LINE_COLOUR)


def _chord_labels(score: Score) -> list[tuple[float, float, str]]:
    """Return start and length in bars and the name of each chord.

    One that is struck again is written once, but every section begins with its chord.
    """
    bar = score.meter.beats_per_bar
    seams = {section.bar * bar for section in score.sections}
    labels: list[tuple[float, float, str]] = []
    for span in score.chords:
        name = chord_name(span.chord, score.key)
        if labels and labels[-1][2] == name and span.start not in seams:
            start = labels[-1][0]
            labels[-1] = (start, span.end / bar - start, name)
        else:
            labels.append((span.start / bar, span.length / bar, name))
    return labels


def _fitting(text: str, inches: float, sizes: Sequence[float]) -> float | None:
    """Return the largest size in points at which the text fits, or None."""
    return next((size for size in sizes if len(text) * size * CHARACTER_INCHES <= inches), None)


def _draw_roll(axis: Axes, score: Score, parts: Sequence[Part], colours: Mapping[str, str]) -> None:
    pitches = [note.pitch for part in parts for note in part.notes] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    for part in sorted(parts, key=lambda part: FROM_BACK.index(part.role)):
        _draw_notes(axis, score, part.notes, [note.pitch for note in part.notes], colours[part.name])
    octaves = range(-(-low // 12) * 12, high + 1, 12)
    for pitch in octaves:
        axis.axhline(pitch - 0.5, color="#cccccc", linewidth=0.6, zorder=0)
    axis.set(ylim=(low - 0.5, high + 0.5), yticks=list(octaves))
    axis.set_yticklabels([f"C{pitch // 12 - 1}" for pitch in octaves])
    axis.tick_params(length=0, labelbottom=False, labelsize=8)


def _draw_notes(axis: Axes, score: Score, notes: Sequence[Note], rows: Sequence[int], colour: str) -> None:
    """Draw notes as bars, each in its row, the stronger the louder."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    bar = score.meter.beats_per_bar
    corners = []
    for note, row in zip(notes, rows, strict=True):
        left, right, below, above = note.start / bar, note.end / bar, row - 0.42, row + 0.42
        corners.append([(left, below), (right, below), (right, above), (left, above)])
    fills = [to_rgba(colour, 0.35 + 0.6 * note.velocity / 127) for note in notes]
    axis.add_collection(PolyCollection(corners, facecolors=fills, edgecolors="white", linewidths=0.25))


def _draw_drums(
    axis: Axes, score: Score, parts: Sequence[Part], rows: Mapping[int, str], colours: Mapping[str, str]
) -> None:
    places = {key: place for place, key in enumerate(rows)}
    for part in parts:
        # A drum's written length says nothing; a sixteenth can be seen.
        hits = [Note(note.start, 0.22, note.pitch, note.velocity) for note in part.notes]
        _draw_notes(axis, score, hits, [places[note.pitch] for note in hits], colours[part.name])
    axis.set(ylim=(-0.7, len(rows) - 0.3), yticks=range(len(rows)))
    axis.set_yticklabels(list(rows.values()))
    axis.tick_params(length=0, labelbottom=False, labelsize=7)


def _draw_energy(axis: Axes, score: Score) -> None:
    """Draw the energy that the form plans, and over it how much is played in each bar."""
    edges = [section.bar for section in score.sections] + [score.bars]
    levels = [section.energy for section in score.sections]
    axis.stairs(levels, edges, fill=True, color=SECTION_COLOURS[1])
    axis.stairs(levels, edges, color=ENERGY_COLOUR, linewidth=1.2, baseline=None)
    strengths = [0.0] * score.bars
    for part in score.parts:
        for note in part.notes:
            strengths[min(score.bars - 1, max(0, int(note.start // score.meter.beats_per_bar)))] += note.velocity
    loudest = max(strengths, default=0.0) or 1.0
    middles = [bar + 0.5 for bar in range(score.bars)]
    axis.plot(middles, [one / loudest for one in strengths], color=LINE_COLOUR, linewidth=1.1, marker=".", markersize=3)
    axis.set(ylim=(0, 1.08), yticks=(0, 1), xlabel="bar and time")
    axis.xaxis.label.set_fontsize(8)
    axis.set_ylabel("energy", fontsize=9, rotation=0, ha="right", va="center")
    axis.tick_params(length=0, labelsize=8)


def _draw_grid(axis: Axes, score: Score) -> None:
    """Draw lines at bars and sections, and label the lowest axis with bars and seconds."""
    room = axis.figure.get_figwidth() - LABEL_INCHES  # type: ignore[union-attr]
    step = next(step for step in STEPS if score.bars / step <= room / TICK_INCHES)
    ticks = range(0, score.bars + 1, step)
    beats = score.meter.beats_per_bar
    labels = [f"{bar + 1}\n{clock_time(score.tempo_map.seconds_at(bar * beats))}" for bar in ticks]
    axis.set_xlim(0, score.bars)
    axis.set_xticks(list(ticks), labels, fontsize=7)
    axis.grid(axis="x", color="#e3e3e3", linewidth=0.6)
    axis.set_axisbelow(True)
    for section in score.sections[1:]:
        axis.axvline(section.bar, color="#888888", linewidth=0.9, zorder=0.5)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_titles(figure: Figure, axis: Axes, score: Score) -> None:
    facts = (
        score.genre.replace("_", " "), str(score.key), f"{score.tempo_bpm:.4g} bpm", str(score.meter),
        f"{score.bars} bars", clock_time(score.duration), f"seed {score.seed}",
    )  # fmt: skip
    title, font = drawable_text(score.title or score.prompt)
    font.set_size(15)
    figure.suptitle(title or facts[0].title(), x=0.01, ha="left", parse_math=False, font=font)
    axis.set_title(" · ".join(facts), fontsize=9, loc="left", color="#555555")


def _draw_legend(figure: Figure, score: Score, colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    parts = [part for part in score.parts if part.notes]
    names = [f"{part.name}: {part.instrument}".replace("_", " ") for part in parts]
    handles = [
        *(Patch(color=colours[part.name], label=name) for part, name in zip(parts, names, strict=True)),
        Patch(facecolor=SECTION_COLOURS[1], edgecolor=ENERGY_COLOUR, label="energy that the form plans"),
        Line2D([], [], color=LINE_COLOUR, marker=".", label="how much is played"),
    ]
    columns = max(1, min(len(handles), int(figure.get_figwidth() // 2.4)))
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, frameon=False, fontsize=8)
