"""docs/python-client.md as a reader would follow it: one block after another."""

from __future__ import annotations

import re
from pathlib import Path

from forked_python import run_python
from listening_to import heard
from serving import Serving

from tunesmith import errors

PAGE = (Path(__file__).parents[2] / "docs" / "python-client.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)

PROMPT = "calm piano of the page"


def test_the_page_works_from_top_to_bottom(server: Serving, tmp_path: Path) -> None:
    assert len(BLOCKS) > 5
    # Other tests make calm pianos at this server too, which the page's search must not find.
    code = "\n".join(BLOCKS).replace("calm piano", PROMPT).replace('search="piano"', f'search="{PROMPT}"')
    code = code.replace("http://127.0.0.1:8765", server.url)
    ran = run_python(["-c", code], tmp_path, {"TUNESMITH_URL": server.url}, text=True)
    assert ran.returncode == 0, ran.stderr
    assert heard((tmp_path / "lofi.wav").read_bytes()).seconds == 20.0
    assert heard((tmp_path / "piano.mp3").read_bytes()).format == "MP3"
    assert "succeeded 100%" in ran.stdout


def test_the_errors_of_the_table_are_there() -> None:
    named = re.findall(r"^\| `(\w+)`", PAGE, flags=re.MULTILINE)
    assert len(named) == 7
    assert all(issubclass(getattr(errors, name), errors.TunesmithError) for name in named)
