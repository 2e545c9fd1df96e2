"""Intensity layers: versions of one piece that play in sync, each with more parts and louder than the one before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.composer.render import audible_parts, length_in_samples
from tunesmith.composer.render.layer_order import different_steps, intensity_at, joining_steps
from tunesmith.composer.score import Part
from tunesmith.errors import InvalidRequest
from tunesmith.files import atomic_output
from tunesmith.generator import CancelCheck, ProgressCallback, never_cancelled, no_progress
from tunesmith.layer_intensities import checked_intensities
from tunesmith.plain_text import path_text

if TYPE_CHECKING:
    from tunesmith.composer.composition import Composition

FULL = 1.0
"""The intensity of the piece as it is written."""

LAYER_RANGE_LU = 6.0
"""How much quieter intensity 0 of a piece is than intensity 1, in LU."""

LAYER_STEP_LU = 2.5
"""How much quieter a layer is at least than the next one, in LU: half a unit above what the ear surely notices."""


@dataclass(frozen=True, slots=True)
class IntensityLayer:
    """A layer of a piece: the ``intensity`` asked for, 0–1, and the ``composition`` that plays at it."""

    intensity: float
    composition: Composition

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that play, in score order."""
        return audible_parts(self.composition.score, self.composition.playing.intensity)

    @property
    def word(self) -> str:
        """The word for the names of files: ``intensity-30``."""
        return f"intensity-{round(100 * self.intensity)}"

    def mix(self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled) -> Audio:
        """Return the mastered mix, as long as that of every other layer. Raises GenerationCancelled."""
        return self.composition.mix(progress, cancelled)


def layers_of(composition: Composition, intensities: Sequence[float]) -> tuple[IntensityLayer, ...]:
    """Return the layers of a piece, the calmest first: each has a part more than the one before, and is louder.

    A small band has fewer layers than may be asked for; those between the lowest and the highest are left out then,
    and ``left_out`` says so. Raises InvalidRequest as ``checked_intensities``.
    """
    wanted = checked_intensities(intensities)
    count = len(joining_steps(composition.score))
    if not count:
        raise InvalidRequest("layers", "need a piece with a part that plays, got one without")
    steps = different_steps(wanted, count)
    layers = []
    for below, (intensity, step) in enumerate(reversed(steps.items())):
        quieter = max(LAYER_RANGE_LU * (1 - intensity), LAYER_STEP_LU * below)
        at = intensity_at(step, intensity, count)
        playing = replace(composition.playing, intensity=at, quieter_lu=quieter)
        layers.append(IntensityLayer(intensity, replace(composition, playing=playing)))
    return tuple(reversed(layers))


def left_out(layers: Sequence[IntensityLayer], intensities: Sequence[float]) -> tuple[str, ...]:
    """Return a warning if the band is too small for all layers that were asked for; else nothing."""
    kept = {layer.intensity for layer in layers}
    missing = [f"{intensity:g}" for intensity in checked_intensities(intensities) if intensity not in kept]
    if not missing:
        return ()
    count = len(layers)
    band = "this band has one layer" if count == 1 else f"this band has {count} layers that differ in their parts"
    return (f"layers: {band}; without {', '.join(missing)}",)


def write_layers(
    layers: Sequence[IntensityLayer],
    path_of: Callable[[IntensityLayer], Path],
    manifest: Path,
    *,
    written: Sequence[Path] = (),
    report: Callable[[int], ProgressCallback] = lambda _: no_progress,
    cancelled: CancelCheck = never_cancelled,
) -> list[Path]:
    """Write a file a layer and the manifest; return their paths, the manifest last.

    Files in ``written`` are there already. ``report`` returns the progress callback of a layer by its number.
    """
    paths = [path_of(layer) for layer in layers]
    for number, (layer, path) in enumerate(zip(layers, paths, strict=True)):
        if path not in written:
            write_audio(layer.mix(report(number), cancelled), path)
    with atomic_output(manifest) as temporary:
        names = [path_text(path.name) for path in paths]
        text = json.dumps(manifest_of(layers, names), ensure_ascii=False, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
    return [*paths, manifest]


def manifest_of(layers: Sequence[IntensityLayer], files: Sequence[str]) -> dict[str, Any]:
    """Return what a game needs to know of the layers in ``files``, as plain JSON values.

    Positions are in samples of the files. ``loop`` has the first sample of the loop and the first one after it; it is
    null where the piece does not loop. ``adds`` names the parts that the layer before does not have.
    """
    composition = layers[-1].composition
    score, rate = composition.score, composition.playing.sample_rate
    beats = score.meter.beats_per_bar
    samples = length_in_samples(score, rate)
    starts = [round(score.tempo_map.seconds_at(bar * beats) * rate) for bar in range(score.bars)]
    shown, before = [], frozenset[str]()
    for layer, file in zip(layers, files, strict=True):
        names = [part.name for part in layer.parts]
        shown.append({
            "intensity": layer.intensity,
            "file": file,
            "loudness_lufs": layer.composition.metadata["settings"]["loudness_lufs"],
            "parts": [{"name": part.name, "role": part.role, "instrument": part.instrument} for part in layer.parts],
            "adds": [name for name in names if name not in before],
        })  # fmt: skip
        before = frozenset(names)
    return {
        "title": score.title,
        "prompt": score.prompt,
        "seed": score.seed,
        "bpm": round(score.tempo_bpm, 4),
        "meter": str(score.meter),
        "bars": score.bars,
        "sample_rate": rate,
        "samples": samples,
        "seconds": score.duration,
        "loop": {"start": 0, "end": samples} if score.loop else None,
        "bar_starts": [start for start in starts if start < samples],
        "sections": [{"name": one.name, "start": starts[one.bar], "bars": one.bars} for one in score.sections],
        "layers": shown,
    }
