"""Write the clips and the terminal recording of the README from docs/media/media.yaml.

    python tools/make_media.py

A clip is Opus at the highest bit rate with which it stays within 120 kB. The recording is what the commands print, as
an SVG whose lines appear one after another.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import soundfile
import yaml
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

import tunesmith
from tunesmith.audio.resample import resample

MEDIA = Path(__file__).parent.parent / "docs" / "media"
LARGEST_CLIP = 120_000
OPUS_RATE = 48_000
LEVELS = tuple(level / 40 for level in range(41))
"""libsndfile's compression levels, from the highest bit rate to the lowest."""
COLUMNS = 96
TYPING_SECONDS, ANSWER_SECONDS = 0.8, 1.2
THEME = TerminalTheme(
    (22, 24, 29), (214, 217, 223),
    [(22, 24, 29), (226, 120, 120), (152, 195, 121), (229, 192, 123),
     (110, 170, 230), (198, 140, 220), (100, 190, 200), (214, 217, 223)],
)  # fmt: skip
TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    plan = yaml.safe_load((MEDIA / "media.yaml").read_text(encoding="utf-8"))
    for name, request in plan["clips"].items():
        path = write_clip(MEDIA / name, request)
        print(f"{name}: {path.stat().st_size / 1000:.0f} kB, {request['prompt']}")
    path = write_recording(MEDIA / "terminal.svg", plan["terminal"])
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def write_clip(path: Path, request: dict[str, Any]) -> Path:
    """Generate a clip and write it as Opus, as well as fits into LARGEST_CLIP bytes."""
    sound = resample(tunesmith.generate(**request), OPUS_RATE)
    for level in LEVELS:
        soundfile.write(path, sound.samples.T, OPUS_RATE, format="OGG", subtype="OPUS", compression_level=level)
        if path.stat().st_size <= LARGEST_CLIP:
            return path
    raise SystemExit(f"{path.name}: {request['duration']} s do not fit into {LARGEST_CLIP} bytes")


def write_recording(path: Path, commands: list[str]) -> Path:
    """Run the commands one after another in an empty folder, and draw what they print."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        appearing: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            for command in commands:
                _print_command(console, command, _output_of(command, Path(folder)), appearing)
        console.save_svg(str(path), title="tunesmith", theme=THEME, code_format=TEMPLATE, unique_id="terminal")
    path.write_text(_animated(path.read_text(encoding="utf-8"), appearing), encoding="utf-8")
    return path


def _output_of(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    assert program == "tunesmith"
    data = {"TUNESMITH_DATA_DIR": str(folder / ".data"), "COLUMNS": str(COLUMNS)}
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", *arguments], cwd=folder, env={**os.environ, **data}, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
    )  # fmt: skip
    return done.stdout


def _print_command(console: Console, command: str, output: str, appearing: list[float]) -> None:
    """Print a command and its output; append the second at which each of their lines appears."""
    start = appearing[-1] + ANSWER_SECONDS if appearing else 0.0
    for text, at in ((Text(f"$ {command}", style="bold"), start), (Text.from_ansi(output), start + TYPING_SECONDS)):
        lines = text.wrap(console, COLUMNS)
        appearing.extend([at] * len(lines))
        console.print(*lines, sep="\n")


def _animated(svg: str, appearing: list[float]) -> str:
    """Let each line appear at its second, for readers who have not asked for less motion."""
    rules = "\n".join(
        f'[clip-path="url(#terminal-line-{number})"] {{ animation: appear 0s linear {at:.1f}s backwards; }}'
        for number, at in enumerate(appearing)
    )
    motion = (
        "@keyframes appear { from { opacity: 0; } }\n@media (prefers-reduced-motion: no-preference) {\n" + rules + "\n}"
    )
    return svg.replace("</style>", motion + "\n</style>", 1)


if __name__ == "__main__":
    main()
