"""What hostile callers cost everybody else: one server, every attack in turn, and somebody who asks all the while.

python benchmarks/hostile.py [--only ATTACK…]

Each line says what an attack was answered with, how long `/health/live` took others at worst, how long the event loop
answered nobody at worst, and what memory, disk and log grew by. The last line is JSON. All traffic stays on loopback.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result
from hostile_parts import bodies, connections, recordings, storage
from hostile_parts.observer import Observer
from server_parts import watched_server
from server_parts.clips import compose
from server_parts.running_server import RunningServer, environment

Attack = Callable[[RunningServer], Counter[str]]


def attacks(data: Path) -> Mapping[str, Attack]:
    """Return every attack by name, in order; the last ones damage the data folder."""
    return {
        "long_fields": bodies.long_fields,
        "combining_accents": bodies.combining_accents,
        "long_lists": bodies.long_lists,
        "large_values": bodies.large_values,
        "deep_nesting": bodies.deep_nesting,
        "surrogates": bodies.surrogates,
        "odd_numbers": bodies.odd_numbers,
        "odd_names": bodies.odd_names,
        "unfolding": recordings.unfolding,
        "half_headers": connections.half_headers,
        "half_bodies": connections.half_bodies,
        "silence": connections.silence,
        "remove_results": partial(storage.remove_results, data=data),
        "damage_database": partial(storage.damage_database, data=data),
    }


ANONYMOUS: Mapping[str, Attack] = {
    "uploads": recordings.uploads_without_end,
    "webhook_keys": recordings.read_webhook_keys,
}
"""Attacks by a caller without a token on a server where others have one."""


LAST = ("damage_database",)
"""Attacks after which no music can be made, as it should be."""
BODIES = (
    "long_fields", "combining_accents", "long_lists", "large_values", "deep_nesting", "surrogates", "odd_numbers",
    "odd_names",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damage:
    """What an attack cost: milliseconds at worst, megabytes grown by; ``answers`` counts what it was answered with."""

    answers: Counter[str]
    live_ms: float
    stall_ms: float
    memory_mb: float
    disk_mb: float
    log_mb: float


def measure(server: RunningServer, observer: Observer, attack: Attack) -> Damage:
    """Run one attack and return what it cost."""
    before, began = observer.sizes(), time.monotonic()
    with observer.asking() as asked:
        answers = attack(server)
    ended, after = time.monotonic(), observer.sizes()
    grown = [(new - old) / 1e6 for old, new in zip(before, after, strict=True)]
    return Damage(answers, max(asked, default=0.0) * 1e3, observer.longest_stall(began, ended), *grown)


def main() -> None:
    """Run the attacks, print a line for each, and end in JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        known = attacks(folder / "data")
        parser.add_argument("--only", nargs="+", choices=[*ANONYMOUS, *known], default=[*ANONYMOUS, *known])
        names = parser.parse_args().only
        print_hardware("uvicorn", "starlette")
        damage: dict[str, Damage] = {}
        if chosen := {name: attack for name, attack in ANONYMOUS.items() if name in names}:
            damage |= run_all(folder / "anonymous", chosen, ("--allow-anonymous",))
        if chosen := {name: attack for name, attack in known.items() if name in names}:
            damage |= run_all(folder, chosen)
    print_result(summary(damage))


def run_all(folder: Path, chosen: Mapping[str, Attack], arguments: Sequence[str] = ()) -> dict[str, Damage]:
    """Run attacks on one server with its data in a folder."""
    stalls = folder / "stalls.jsonl"
    variables = {watched_server.FILE_VARIABLE: str(stalls)}
    if arguments:
        variables["TUNESMITH_ANONYMOUS_QUOTA"] = "1/day"  # the piece that loads the composer uses it up
        command = [sys.executable, "-m", "tunesmith", "token", "create", "--name", "somebody"]
        subprocess.run(command, env=environment(folder), check=True, stdout=subprocess.DEVNULL)
    with RunningServer(folder, "server_parts.watched_server", arguments, **variables) as server:
        compose(server, "calm piano")  # loads the composer
        observer = Observer(server, folder / "data", stalls)
        return {name: run(server, observer, name, attack) for name, attack in chosen.items()}


def run(server: RunningServer, observer: Observer, name: str, attack: Attack) -> Damage:
    """Run an attack, say what it cost, and check that music is made afterwards."""
    damage = measure(server, observer, attack)
    answers = ", ".join(f"{number} {kind}" for kind, number in sorted(damage.answers.items()))
    print(
        f"{name}: {answers}; live at worst {damage.live_ms:.0f} ms, event loop stalled {damage.stall_ms:.0f} ms;"
        f" memory {damage.memory_mb:+.0f} MB, disk {damage.disk_mb:+.1f} MB, log {damage.log_mb:+.2f} MB",
        flush=True,
    )
    if name not in (*LAST, *ANONYMOUS):  # whose quota is used up
        compose(server, "calm piano")
    return damage


def summary(damage: Mapping[str, Damage]) -> dict[str, float]:
    """Return the worst of each figure, and how many answers were server errors or none at all."""
    ran = [one for name, one in damage.items() if name not in LAST]
    in_bodies = [one.stall_ms for name, one in damage.items() if name in BODIES]
    return {
        "worst_live_s": max(one.live_ms for one in damage.values()) / 1e3,
        "worst_stall_in_hostile_bodies_ms": max(in_bodies, default=0.0),
        "memory_growth_mb": sum(one.memory_mb for one in damage.values()),
        "disk_growth_mb": sum(one.disk_mb for one in damage.values()),
        "log_growth_mb": sum(one.log_mb for one in damage.values()),
        "server_errors": sum(one.answers["5xx"] for one in ran),
        "connections_held": sum(one.answers["held"] for one in ran),
    }


if __name__ == "__main__":
    main()
