"""Really started servers for the client, and one way to call both of its kinds."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from serving import held, server, server_with_tokens

from tunesmith import AsyncTunesmith, Tunesmith

__all__ = ["held", "server", "server_with_tokens"]

Ask = Callable[..., Any]


def _waited_for(url: str, call: str, *arguments: Any, options: dict[str, Any] | None = None, **wishes: Any) -> Any:
    with Tunesmith(url, **(options or {})) as client:
        got = getattr(client, call)(*arguments, **wishes)
        return list(got) if inspect.isgenerator(got) else got


def _awaited(url: str, call: str, *arguments: Any, options: dict[str, Any] | None = None, **wishes: Any) -> Any:
    async def act() -> Any:
        async with AsyncTunesmith(url, **(options or {})) as client:
            got = getattr(client, call)(*arguments, **wishes)
            return [one async for one in got] if inspect.isasyncgen(got) else await got

    return asyncio.run(act())


@pytest.fixture(params=[_waited_for, _awaited], ids=["waiting", "asyncio"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Give a way to make a call: ``ask(url, "generate", "calm piano", duration=1)``."""
    made: Ask = partial(request.param)
    return made
