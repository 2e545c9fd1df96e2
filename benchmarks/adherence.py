"""Does the composer make what was asked? Judged by ears that nobody here trained, on prompts tuned and untuned.

python benchmarks/adherence.py [--seconds 20] [--seed 1] [--only TEXT] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pyloudnorm
import soxr
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result
from judges.pitch_and_pulse import has_a_beat, key, mono, onset_envelope, right_or_relative, tempo, tempo_error
from judges.tags import Tagger, area_under_curve

PROMPTS = Path(__file__).with_name("adherence_prompts.yaml")


@dataclass(frozen=True)
class Ask:
    """One prompt, the half it belongs to, the tags expected, and how to render it."""

    prompt: str
    half: str
    tags: tuple[str, ...]
    seconds: float
    seed: int
    keep: Path | None


@dataclass(frozen=True)
class Verdict:
    """What the judges found in one piece."""

    ask: Ask
    genre: str
    tags: dict[str, float]
    tempo_error: float | None
    tempo: tuple[float, float]
    key_right: bool
    keys: tuple[str, str]
    exact: bool
    loudness: float
    target: float
    true_peak: float


def judge(ask: Ask) -> Verdict:
    """Compose one prompt and measure it."""
    import tunesmith

    composition = tunesmith.compose(ask.prompt, duration=ask.seconds, seed=ask.seed)
    audio, brief = composition.mix(), composition.brief
    assert brief is not None
    if ask.keep:
        audio.save(ask.keep / f"{ask.half}-{'-'.join(ask.prompt.split())[:60].replace('/', '')}.flac")
    samples, rate = audio.samples, audio.sample_rate
    sound = mono(samples, rate)
    envelope = onset_envelope(sound)
    pulse = tempo(envelope)
    found, written_key = key(sound), composition.score.key
    written = composition.score.tempo_map.changes[0][1] / brief.meter.felt_beat
    asked = brief.tempo_bpm if brief.tempo_is_given else written
    peak = np.abs(soxr.resample(samples.T, rate, rate * 8)).max()
    return Verdict(
        ask=ask,
        genre=brief.genre,
        tags=Tagger().scores(samples, rate),
        tempo_error=tempo_error(pulse, asked, ratios(brief.meter.is_compound)) if has_a_beat(envelope) else None,
        tempo=(pulse, asked),
        key_right=right_or_relative(found, written_key.tonic, minor=written_key.is_minor, mode=written_key.mode),
        keys=(str(found), str(written_key)),
        exact=samples.shape[1] == round(ask.seconds * rate),
        loudness=float(pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))),
        target=composition.score.mix.loudness_lufs,
        true_peak=20 * float(np.log10(max(peak, 1e-9))),
    )


def ratios(compound: bool) -> tuple[float, ...]:
    """Return the multiples of the felt tempo that count as right: octaves, and in compound time its divisions."""
    return (0.5, 1.0, 2.0, 1.5, 3.0) if compound else (0.5, 1.0, 2.0)


def asks(options: argparse.Namespace) -> list[Ask]:
    """Read the prompt set."""
    halves: dict[str, list[dict[str, Any]]] = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    return [
        Ask(row["prompt"], half, tuple(row["tags"]), options.seconds, options.seed, options.keep)
        for half, rows in halves.items()
        for row in rows
        if options.only in row["prompt"]
    ]


def tag_curves(verdicts: Iterable[Verdict], every: list[Verdict]) -> dict[str, float]:
    """Return each asked tag's area under curve: these prompts' pieces that ask for it against all that don't."""
    positive: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        for tag in verdict.ask.tags:
            positive[tag].append(verdict.tags[tag])
    return {
        tag: area_under_curve(scores, [other.tags[tag] for other in every if tag not in other.ask.tags])
        for tag, scores in positive.items()
    }


def print_table(verdicts: list[Verdict]) -> None:
    """Print a line a piece."""
    for verdict in verdicts:
        error = "  –  " if verdict.tempo_error is None else f"{verdict.tempo_error:5.3f}"
        right = "" if verdict.key_right else f"  key heard {verdict.keys[0]} asked {verdict.keys[1]}"
        top = sorted(verdict.tags, key=lambda name: -verdict.tags[name])[:5]
        print(
            f"{verdict.ask.half:7} {verdict.genre:15} {verdict.ask.prompt[:48]:48} tempo {error} "
            f"({verdict.tempo[0]:.1f}/{verdict.tempo[1]:.1f}) {verdict.loudness:6.2f} LUFS {verdict.true_peak:5.2f} TP"
            f"{right}  | {', '.join(top)}"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, default=None)
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    print_hardware()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        verdicts = list(pool.map(judge, asks(options)))
    print_table(verdicts)
    curves = {half: tag_curves([v for v in verdicts if v.ask.half == half], verdicts) for half in ("tuned", "untuned")}
    for half, by_tag in curves.items():
        print(f"{half}: " + ", ".join(f"{tag} {area:.2f}" for tag, area in sorted(by_tag.items(), key=lambda r: r[1])))
    with_beat = [v.tempo_error for v in verdicts if v.tempo_error is not None]
    print_result(
        {
            "prompts": len(verdicts),
            "with_a_beat": len(with_beat),
            "tempo_within_1_percent": mean(error <= 0.01 for error in with_beat) if with_beat else 0.0,
            "key_right_or_relative": mean(v.key_right for v in verdicts),
            "duration_exact": mean(v.exact for v in verdicts),
            "loudness_within_half_lu": mean(abs(v.loudness - v.target) <= 0.5 for v in verdicts),
            "true_peak_ok": mean(v.true_peak <= -1.0 + 0.05 for v in verdicts),
            "tag_auc_tuned": mean(curves["tuned"].values()) if curves["tuned"] else 0.0,
            "tag_auc_untuned": mean(curves["untuned"].values()) if curves["untuned"] else 0.0,
        }
    )


if __name__ == "__main__":
    main()
