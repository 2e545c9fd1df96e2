"""The machine and versions a benchmark ran on, and its closing line of JSON."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "soundfile")


def processor() -> str:
    """Name the CPU."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        if names:
            return names[0].partition(":")[2].strip()
    return platform.processor() or platform.machine()


def print_hardware(*more_packages: str) -> None:
    """Print processor, cores, system and versions."""
    print(f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    print(
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *more_packages))
    )


def print_result(result: dict[str, Any]) -> None:
    """Print the last line: one JSON object."""
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in result.items()}))
