"""The conversion that a pull makes: answers one line of JSON with its time and what the self-check measured.

python -m stable_audio_parts.conversion_worker CHECKPOINT MODEL_FOLDER QUANTIZATION
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tunesmith.models.families.stable_audio import StableAudioFamily


def main(checkpoint: Path, folder: Path, quantization: str) -> None:
    """Convert, and say what it took."""
    start = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    summary = StableAudioFamily().convert(checkpoint, {}, folder, quantization, lambda _: None)
    check = summary.self_check
    print(json.dumps({"seconds": time.perf_counter() - start, "self_check": asdict(check) if check else None}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
