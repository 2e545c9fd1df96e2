"""Does the composer make what was asked? Judged by ears that nobody here trained, on prompts tuned, untuned, held out.

python benchmarks/adherence.py [--half tuned|untuned|everyday|everyday_untuned|held_out]… [--seconds 20] [--seed 1]
                               [--only TEXT] [--jobs 2] [--keep FOLDER]
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

import numpy as np
import pyloudnorm
import soxr
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result
from judges.pitch_and_pulse import has_a_beat, key, mono, onset_envelope, right_or_relative, tempo, tempo_error
from judges.tags import Tagger, area_under_curve

PROMPTS = Path(__file__).with_name("adherence_prompts.yaml")
HELD_OUT = "held_out"
HELD_OUT_PROMPTS = Path(__file__).with_name("adherence_held_out.yaml")
EVERYDAY_PROMPTS = Path(__file__).with_name("adherence_everyday.yaml")
FILES = {
    "tuned": PROMPTS, "untuned": PROMPTS, "everyday": EVERYDAY_PROMPTS, "everyday_untuned": EVERYDAY_PROMPTS,
    HELD_OUT: HELD_OUT_PROMPTS,
}  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One prompt, the half and the kind it belongs to, the tags expected, and how to render it.

    ``label`` is what is printed of it: nobody shall read a prompt that is held out in the benchmark's output.
    """

    prompt: str
    half: str
    kind: str
    label: str
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
        audio.save(ask.keep / f"{ask.half}-{'-'.join(ask.label.split())[:60].replace('/', '')}.flac")
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
    """Read the prompts of the halves asked for."""
    return [ask for half in options.half or FILES for ask in asks_of(half, options) if options.only in ask.prompt]


def asks_of(half: str, options: argparse.Namespace) -> list[Ask]:
    """Read the prompts of one half; the file of the half held out has kinds of prompts, the other has halves."""
    held_out = half == HELD_OUT
    groups = yaml.safe_load(FILES[half].read_text(encoding="utf-8"))
    groups = groups if held_out else {half: groups[half]}
    return [
        Ask(
            row["prompt"], half, kind, f"{kind} {number}" if held_out else row["prompt"],
            tuple(row["tags"]), options.seconds, options.seed, options.keep,
        )
        for kind, rows in groups.items()
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip


def tag_curves(verdicts: Iterable[Verdict], every: list[Verdict]) -> dict[str, float]:
    """Return each asked tag's area under curve: these prompts' pieces that ask for it against all that don't.

    A tag that every piece asks for has none.
    """
    positive: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        for tag in verdict.ask.tags:
            positive[tag].append(verdict.tags[tag])
    negative = {tag: [other.tags[tag] for other in every if tag not in other.ask.tags] for tag in positive}
    return {tag: area_under_curve(scores, negative[tag]) for tag, scores in positive.items() if negative[tag]}


def print_table(verdicts: list[Verdict]) -> None:
    """Print a line a piece."""
    for verdict in verdicts:
        print(f"{verdict.ask.half:8} {heard(verdict)}")


def heard(verdict: Verdict) -> str:
    """Return a line about a piece; of a piece held out only what tunes nothing: numbers, and neither genre nor tags."""
    error = "  –  " if verdict.tempo_error is None else f"{verdict.tempo_error:5.3f}"
    right = "" if verdict.key_right else f"  key heard {verdict.keys[0]} asked {verdict.keys[1]}"
    numbers = (
        f"{verdict.ask.label[:48]:48} tempo {error} ({verdict.tempo[0]:.1f}/{verdict.tempo[1]:.1f}) "
        f"{verdict.loudness:6.2f} LUFS {verdict.true_peak:5.2f} TP{right}"
    )
    if verdict.ask.half == HELD_OUT:
        return numbers
    top = sorted(verdict.tags, key=lambda name: -verdict.tags[name])[:5]
    return f"{verdict.genre:15} {numbers}  | {', '.join(top)}"


def summary(verdicts: list[Verdict]) -> dict[str, float]:
    """Return the shares of pieces that are right in tempo, key, length, loudness and peak."""
    with_beat = [v.tempo_error for v in verdicts if v.tempo_error is not None]
    return {
        "prompts": len(verdicts),
        "with_a_beat": len(with_beat),
        "tempo_within_1_percent": mean(error <= 0.01 for error in with_beat) if with_beat else 0.0,
        "key_right_or_relative": mean(v.key_right for v in verdicts),
        "duration_exact": mean(v.exact for v in verdicts),
        "loudness_within_half_lu": mean(abs(v.loudness - v.target) <= 0.5 for v in verdicts),
        "true_peak_ok": mean(v.true_peak <= -1.0 + 0.05 for v in verdicts),
    }


def judged_tags(verdicts: list[Verdict]) -> dict[str, float | None]:
    """Print each half's areas under curve a tag, and return their mean for each half and for each kind held out."""
    result: dict[str, float | None] = {}
    for half in dict.fromkeys(v.ask.half for v in verdicts):
        curves = tag_curves([v for v in verdicts if v.ask.half == half], verdicts)
        ranked = sorted(curves.items(), key=lambda row: row[1])
        if half != HELD_OUT:
            print(f"{half}: " + ", ".join(f"{tag} {area:.2f}" for tag, area in ranked))
        result[f"tag_auc_{half}"] = mean(curves.values()) if curves else None
    for kind in dict.fromkeys(v.ask.kind for v in verdicts if v.ask.half == HELD_OUT):
        curves = tag_curves([v for v in verdicts if v.ask.kind == kind], verdicts)
        result[f"tag_auc_{HELD_OUT}_{kind}"] = mean(curves.values()) if curves else None
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=FILES, action="append", help="only this half; repeatable")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--keep", type=Path, default=None)
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    chosen = asks(options)
    if not chosen:
        parser.error(f"--only: no prompt holds {options.only!r}")
    print_hardware()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        verdicts = list(pool.map(judge, chosen))
    print_table(verdicts)
    tags = judged_tags(verdicts)
    for half in dict.fromkeys(v.ask.half for v in verdicts):
        print(f"{half}: {summary([v for v in verdicts if v.ask.half == half])}")
    print_result(summary(verdicts) | tags)


if __name__ == "__main__":
    main()
