"""A pull always comes to an end, whatever its process says or does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tunesmith.models.pull_request import PullRequest
from tunesmith.server.model_pulls import CRASHED, Pull

SAID = {
    "a line of 2 MB": "head -c 2000000 /dev/zero | tr '\\0' x; echo",
    "garbage": "printf '\\377\\376\\n'",
    "a number": "echo 7",
    "a list": "echo '[]'",
    "nothing": "exit 3",
    "progress and then nothing": """echo '{"progress": 0.5, "stage": "x"}'; exit 0""",
}


@pytest.mark.parametrize("script", [*SAID.values(), None], ids=[*SAID, "no process"])
def test_a_pull_whose_process_says_no_end_has_crashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    shell = tmp_path / "python"
    if script is not None:
        shell.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))

    async def act() -> None:
        pull = Pull(PullRequest("facebook/musicgen-small"))
        async with asyncio.timeout(30):
            while (said := await pull.next(30)) != CRASHED:
                assert said is not None
                assert "progress" in said
            await pull.task

    asyncio.run(act())
