"""How often reading finds a fitting genre for prompts that name none, and how often seven languages agree on it.

Ends in a line of JSON, with the time of a read.
"""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from pathlib import Path

import yaml

from tunesmith.composer.genre import genre_names
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.prompt.genre_scores import ranked_genres
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.request import GenerationRequest

PROMPTS = Path(__file__).with_name("reading_prompts.yaml")
SCENES = Path(__file__).with_name("reading_scenes.yaml")


def judged(rows: list[tuple[str, list[str]]]) -> tuple[float, float]:
    """Return the share of prompts whose first genre fits, and the share with a fitting one among the first three."""
    first = third = 0
    for prompt, fitting in rows:
        ranked = ranked_genres(understand(prompt))
        first += ranked[0] in fitting
        third += any(name in fitting for name in ranked[:3])
        if ranked[0] not in fitting:
            print(f"  {prompt!r}: {', '.join(ranked[:3])}")
    return first / len(rows), third / len(rows)


def agreement(scenes: list[dict[str, str]]) -> float:
    """Return the share of the prompts whose genre is the commonest one of their scene's languages."""
    agreed = 0
    for scene in scenes:
        genres = Counter(read_brief(GenerationRequest(prompt=text, seed=1)).genre for text in scene.values())
        agreed += genres.most_common(1)[0][1]
        if len(genres) > 1:
            print(f"  {scene['en']!r}: {dict(genres)}")
    return agreed / sum(map(len, scenes))


def seconds_of(prompt: str) -> float:
    """Return how long a read takes."""
    start = time.perf_counter()
    read_brief(GenerationRequest(prompt=prompt, seed=1))
    return time.perf_counter() - start


def main() -> None:
    """Print the misses, the machine and the shares."""
    cold = seconds_of("lofi hip hop with rain sounds, 90 bpm")
    warm = min(seconds_of("lofi hip hop with rain sounds, 90 bpm") for _ in range(20))
    sets = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    result: dict[str, float] = {"cold_read_ms": round(cold * 1e3, 1), "warm_read_ms": round(warm * 1e3, 2)}
    for name, rows in sets.items():
        first, third = judged(rows)
        result |= {f"{name}_top1": round(first, 3), f"{name}_top3": round(third, 3), f"{name}_prompts": len(rows)}
    for name, scenes in yaml.safe_load(SCENES.read_text(encoding="utf-8")).items():
        result |= {f"{name}_agreement": round(agreement(scenes), 3), f"{name}_scenes": len(scenes)}
    print(f"{platform.platform()}, Python {platform.python_version()}, {len(genre_names())} genres")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
