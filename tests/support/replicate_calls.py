"""Replicate's client as people have it, at a server of ours; it leaves connections open unless they are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from replicate.client import Client
from replicate.exceptions import ReplicateError

META = "meta/musicgen"
COMPOSER = "tunesmith/composer"
TOKEN = "r8_any"


@contextmanager
def replicate_at(url: str, token: str = TOKEN) -> Iterator[Client]:
    """Give a client; its connections end with the block."""
    client = Client(api_token=token, base_url=url)
    try:
        yield client
    finally:
        client._client.close()


def ran(url: str, ref: str, wishes: dict[str, Any], **params: Any) -> Any:
    """Return what ``replicate.run`` returns."""
    token = params.pop("token", TOKEN)
    with replicate_at(url, token) as client:
        return client.run(ref, input=wishes, **params)


def ran_async(url: str, ref: str, wishes: dict[str, Any]) -> Any:
    """Return what ``replicate.async_run`` returns."""

    async def run() -> Any:
        client = Client(api_token=TOKEN, base_url=url)
        try:
            return await client.async_run(ref, input=wishes)
        finally:
            await client._async_client.aclose()

    return asyncio.run(run())


def refusal(url: str, ref: str, wishes: dict[str, Any], **params: Any) -> ReplicateError:
    """Return the error that ``replicate.run`` raises."""
    with pytest.raises(ReplicateError) as caught:
        ran(url, ref, wishes, **params)
    return caught.value
