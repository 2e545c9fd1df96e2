"""Five bumpers for a podcast, measured against what was asked for; the best one is picked, all are kept."""

from pathlib import Path

import tunesmith
from tunesmith import GenerationRequest
from tunesmith.ranking import Ranking, rank

PROMPT = "warm funky podcast bumper, 100 bpm"

qualities = []
for seed in range(1, 6):
    wishes = {"form": "bumper", "duration": 6, "seed": seed}
    audio = tunesmith.generate(PROMPT, **wishes)
    audio.save(f"bumper-{seed}.flac")
    qualities.append(rank(audio, GenerationRequest.checked(prompt=PROMPT, **wishes)))

ranking = Ranking(tuple(qualities))
for seed, (place, quality) in enumerate(zip(ranking.ranks, qualities, strict=True), start=1):
    print(f"bumper-{seed}.flac: rank {place}, {quality.score:.1f} points, {', '.join(quality.reasons)}")
best = Path(f"bumper-{ranking.best + 1}.flac").rename("bumper-picked.flac")
print(f"the best one is {best}")
