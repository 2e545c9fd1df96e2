"""How fast AudioCraft's API is here: four texts in one call against four calls, and the import, without PyTorch.

python benchmarks/audiocraft.py [--folder FOLDER] [--rounds N] [--seconds S]

The model is MusicGen small at its real size with random weights; the folder keeps it (3 GB) for the next run. Times are
of the clock and of the processor: on a machine that does other work too, only those of the processor compare.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from hardware import print_hardware, print_result
from musicgen_parts.checkpoint import make_checkpoint
from tunesmith.audiocraft.models import MusicGen

TEXTS = ["80s pop track with synth", "90s rock song with loud guitars", "calm piano with rain", "jazz trio at night"]
IMPORT = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
from tunesmith.audiocraft.models import AudioGen, MusicGen
print(time.perf_counter() - wall, time.process_time() - cpu, "torch" in sys.modules)
"""
IMPORTS = 7


def import_seconds() -> tuple[float, float]:
    """Return the median seconds of the clock and of the processor that the import takes in a fresh Python."""
    runs = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(IMPORTS)
    ]
    assert {has_torch for _, _, has_torch in runs} == {"False"}
    return median(float(wall) for wall, _, _ in runs), median(float(cpu) for _, cpu, _ in runs)


def timed(model: MusicGen, batches: list[list[str]]) -> tuple[float, float]:
    """Return the seconds of the clock and of the processor that a call per batch takes together."""
    wall, cpu = time.perf_counter(), time.process_time()
    for texts in batches:
        assert len(model.generate(texts)) == len(texts)
    return time.perf_counter() - wall, time.process_time() - cpu


def compare_calls(checkpoint: Path, seconds: float, rounds: int) -> dict[str, float]:
    """Time one call with all texts and one call for each, in turn."""
    model = MusicGen.get_pretrained(str(checkpoint))
    model.set_generation_params(duration=seconds)
    model.generate(TEXTS[:1])
    together, alone = [], []
    for _ in range(rounds):
        together.append(timed(model, [TEXTS]))
        alone.append(timed(model, [[text] for text in TEXTS]))
    result: dict[str, float] = {}
    for place, clock in enumerate(("wall", "cpu")):
        one, four = (median(run[place] for run in runs) for runs in (together, alone))
        print(f"{clock}: {len(TEXTS)} texts of {seconds:g} s: one call {one:.1f} s, a call each {four:.1f} s")
        result |= {f"one_call_s_{clock}": one, f"single_calls_s_{clock}": four, f"batch_gain_{clock}": four / one}
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tunesmith-benchmark")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    print_hardware("onnxruntime")
    wall, cpu = import_seconds()
    print(f"import without torch: {wall:.3f} s, {cpu:.3f} s of the processor")
    os.environ["TUNESMITH_DATA_DIR"] = str(options.folder / "data")
    checkpoint = make_checkpoint(options.folder / "checkpoint")
    calls = compare_calls(checkpoint, options.seconds, options.rounds)
    print_result({"import_s_wall": wall, "import_s_cpu": cpu, **calls})


if __name__ == "__main__":
    main()
