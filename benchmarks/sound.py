"""How near our music is to background music that people use: descriptors, repetition, melody, and a tagger's ear.

python benchmarks/sound.py [--half tuned|untuned|same_briefs]… [--prompts 12] [--only TEXT] [--seconds 60] [--seed 1]
                           [--jobs 2] [--reference FOLDER [--check-norms]] [--keep FOLDER]

``--prompts 12`` takes every so many-th prompt: a minute of one core. ``--reference`` is the unpacked package
immich-memories-music 0.1.0, which is for evaluation only; without it the norms are those of ``sound_norms.yaml``.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import yaml

from hardware import print_hardware, print_result
from judges.descriptors import describe
from judges.embedding_distance import Distribution, EmbeddingModel
from judges.excerpt import excerpt_of
from judges.melody_rhythm import melody_rhythm
from judges.reference import Norms, measured_again, read_norms, reference_embeddings, reference_tracks
from judges.repetition import repetition
from judges.sound_report import Piece, summary

PROMPTS = Path(__file__).with_name("sound_prompts.yaml")
HALVES = ("tuned", "untuned", "same_briefs")
TAKES = {"same_briefs": 3}
"""How many pieces each prompt of a set gives, beside one."""
embedding_model = cache(EmbeddingModel)
"""The tagger, loaded once a process."""


@dataclass(frozen=True)
class Ask:
    """One prompt, the half it belongs to, and how to render it."""

    prompt: str
    half: str
    seconds: float
    seed: int
    keep: Path | None


def measure(ask: Ask) -> Piece:
    """Compose one prompt and measure it."""
    import tunesmith

    composition = tunesmith.compose(ask.prompt, duration=ask.seconds, seed=ask.seed)
    audio, score = composition.mix(), composition.score
    if ask.keep:
        audio.save(ask.keep / f"{ask.half}-{'-'.join(ask.prompt.replace(',', '').split())}-{ask.seed}.flac")
    excerpt = excerpt_of(audio.samples, audio.sample_rate)
    quarter = 60 / score.tempo_map.changes[0][1]
    lags = quarter * score.meter.felt_beat, quarter * score.meter.beats_per_bar
    rhythm = melody_rhythm(score)
    return Piece(
        ask.prompt, ask.half, score.genre, describe(excerpt), asdict(repetition(excerpt, *lags)),
        asdict(rhythm) if rhythm else {}, embedding_model().embeddings(audio.samples, audio.sample_rate),
    )  # fmt: skip


def asks(options: argparse.Namespace) -> list[Ask]:
    """Read the prompts asked for; the seed of each differs, so that one draw does not stand for all."""
    halves: dict[str, list[str]] = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    taken = ((half, prompt) for half, prompts in halves.items() for prompt in prompts * TAKES.get(half, 1))
    every = [
        Ask(prompt, half, options.seconds, options.seed + number, options.keep)
        for number, (half, prompt) in enumerate(taken)
        if half in (options.half or HALVES) and options.only in prompt
    ]
    count = min(options.prompts or len(every), len(every))
    return [every[index * len(every) // count] for index in range(count)]


def print_piece(piece: Piece, norms: Norms) -> None:
    """Print a line a piece: how many headline descriptors lie inside, and which lie outside."""
    outside = [
        f"{name} {value:.2f}"
        for name in norms.headline
        if (value := piece.descriptors.get(name)) is not None and not norms.descriptors[name].holds(value)
    ]
    inside = 1 - len(outside) / len(norms.headline)
    print(f"{piece.half:8}{piece.genre:16}{piece.prompt[:44]:44}  {inside:4.0%} inside, outside: {', '.join(outside)}")


def print_norm_check(folder: Path, norms: Norms) -> None:
    """Measure the reference tracks again and print how far they are from the norms that are on file."""
    descriptors, similarities = measured_again(folder)
    for found, expected in ((descriptors, norms.descriptors), (similarities, norms.similarities)):
        off = {name: band.difference(expected[name]) for name, band in found.items()}
        worst = sorted(off, key=lambda name: -off[name])[:3]
        print(f"{len(off)} norms measured again; largest differences:", *(f"{name} {off[name]:.5f}" for name in worst))


def reference_distribution(folder: Path) -> Distribution:
    """Return what the tagger hears in the reference tracks, and print how far their own halves are apart."""
    embeddings = reference_embeddings(folder)
    one, other = (Distribution.of(embeddings[start::2]) for start in (0, 1))
    print(f"{len(embeddings)} reference tracks, whose own halves are {one.distance_to(other):.2f} apart")
    return Distribution.of(embeddings)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=HALVES, action="append", help="only this half; repeatable")
    parser.add_argument("--prompts", type=int, default=0, help="only so many prompts, spread over the set")
    parser.add_argument("--only", default="", help="only prompts with this text")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--reference", type=Path, default=None, help="the folder of the unpacked reference tracks")
    parser.add_argument("--check-norms", action="store_true", help="measure the norms again from --reference")
    parser.add_argument("--keep", type=Path, default=None, help="keep the pieces in this folder")
    options = parser.parse_args()
    if options.reference and not reference_tracks(options.reference):
        parser.error(f"--reference: no .opus file under {options.reference}")
    if options.check_norms and not options.reference:
        parser.error("--check-norms: needs --reference")
    if not asks(options):
        parser.error(f"--only: no prompt holds {options.only!r}")
    return options


def main() -> None:
    """Run the benchmark."""
    options = read_options()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    print_hardware("librosa")
    norms = read_norms()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        measured = pool.map(measure, asks(options))
        reference = reference_distribution(options.reference) if options.reference else None
        pieces = list(measured)
    if options.check_norms:
        print_norm_check(options.reference, norms)
    for piece in pieces:
        print_piece(piece, norms)
    result: dict[str, object] = {}
    for half in dict.fromkeys(piece.half for piece in pieces):
        print(f"\n{half}")
        result[half] = summary([piece for piece in pieces if piece.half == half], norms, reference)
    print_result(result)


if __name__ == "__main__":
    main()
