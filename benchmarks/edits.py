"""What stays of a piece when one thing changes, and what the other edits of a piece in the hand reach.

python benchmarks/edits.py [PART ...]

Each part is a module of benchmarks/editing with a function ``measure()``; without PART, all that exist run. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result

PARTS = ("notes", "scores", "words", "layers", "streaming")
LEAST = {
    "notes_kept_other_tempo": 1.0,
    "notes_kept_other_tempo_same_length": 0.98,
    "notes_kept_longer": 0.98,
    "notes_kept_without_part": 1.0,
    "notes_kept_added_part": 1.0,
    "notes_transposed_other_key": 1.0,
    "notes_kept_other_mix": 1.0,
    "hook_kept_in_locked_takes": 0.98,
    "again_bytes_equal": 1.0,
    "melody_kept_other_mood": 0.8,
    "band_kept_other_mood": 0.8,
    "score_untouched_equal": 1.0,
    "chord_followed": 0.98,
    "form_parts_kept": 1.0,
    "notes_kept_in_other_bars": 0.98,
    "midi_chord_roots_found": 0.85,
    "midi_melody_starts_kept": 1.0,
    "edit_words_understood": 0.9,
    "edit_words_understood_untuned": 0.9,
    "layer_steps_that_add_parts": 1.0,
}
"""The least that docs/composer.md and its neighbours state."""
MOST = {"first_audio_s_300s_piece": 0.4, "stream_equals_file_db": -40.0}
"""The most, on an idle machine."""


def measured(part: str) -> dict[str, float]:
    """Return the measures of one part, with the CPU time that it took on standard output."""
    began = time.process_time()
    found: dict[str, float] = importlib.import_module(f"editing.{part}").measure()
    print(f"\n{part}, {time.process_time() - began:.0f} s of CPU time")
    for name, value in found.items():
        print(f"  {name:40} {value:8.4f}{verdict(name, value)}")
    return found


def verdict(name: str, value: float) -> str:
    """Return the bound of a measure, and whether it is missed; empty where none is stated."""
    least, most = LEAST.get(name), MOST.get(name)
    if least is not None:
        return f"  at least {least:g}" + ("" if round(value, 4) >= least else "  MISSED")
    return "" if most is None else f"  at most {most:g}" + ("" if value <= most else "  MISSED")


def main() -> None:
    """Run the benchmark."""
    known = [part for part in PARTS if importlib.util.find_spec(f"editing.{part}")]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; all by default")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.parts) - set(known)):
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(known)}")
    print_hardware()
    result: dict[str, float] = {}
    for part in chosen.parts or known:
        result |= measured(part)
    print_result(result)


if __name__ == "__main__":
    main()
