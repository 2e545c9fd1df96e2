"""Edits of sounds take turns: nobody waits for all edits of another owner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tunesmith.server import sound_edits
from tunesmith.server.sound_edits import MAX_AT_ONCE, SoundEdits


def test_of_an_owner_with_many_edits_one_runs_and_the_next_owner_waits_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running: list[str] = []
    ended = asyncio.Event()

    async def edit(_: Sequence[str], folder: Path) -> tuple[int, str]:
        running.append(folder.name)
        await ended.wait()
        running.remove(folder.name)
        return 0, ""

    async def attack() -> None:
        edits = SoundEdits()
        many = [asyncio.create_task(edits.run("convert", (), Path("ann/x.wav"), owner="ann")) for _ in range(20)]
        await asyncio.sleep(0)
        other = asyncio.create_task(edits.run("convert", (), Path("bob/x.wav"), owner="bob"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert running == ["ann", "bob"]
        ended.set()
        await asyncio.gather(*many, other)
        # Without an owner everybody is one's own.
        ended.clear()
        alone = [asyncio.create_task(edits.run("convert", (), Path("nobody/x.wav"))) for _ in range(9)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert running == ["nobody"] * MAX_AT_ONCE
        ended.set()
        await asyncio.gather(*alone)

    monkeypatch.setattr(sound_edits, "_tunesmith", edit)
    asyncio.run(attack())
