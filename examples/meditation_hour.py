"""An hour for meditation in one file: three movements that melt into each other.

For ten minutes: python meditation_hour.py 10
"""

import sys

import tunesmith
from tunesmith.audio.edit import fade
from tunesmith.audio.stitch import stitch

MOVEMENTS = (
    "soft ambient pads, very slow",
    "singing bowls and warm drone, very slow",
    "gentle piano and pads, very slow",
)
CROSSFADE = 4.0

seconds = 60 * float(sys.argv[1] if len(sys.argv) > 1 else 60)
length = (seconds + CROSSFADE * (len(MOVEMENTS) - 1)) / len(MOVEMENTS)
pieces = []
for seed, prompt in enumerate(MOVEMENTS, start=1):
    pieces.append(tunesmith.generate(prompt, duration=length, key="D dorian", loudness_lufs=-24, seed=seed))
    print(f"{prompt}: {pieces[-1].duration / 60:.1f} min")
whole, _ = stitch(pieces, crossfade=CROSSFADE)
fade(whole, 3, 6).save("meditation.ogg")
print(f"meditation.ogg: {whole.duration / 60:.1f} min")
