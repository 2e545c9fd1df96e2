"""Where ``tunesmith live`` gets its sound: a model in this process, or a server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from tunesmith.client.clients import Tunesmith
from tunesmith.client.live_streams import RemoteLive
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.jobs.live_pace import AHEAD_SECONDS, LivePace
from tunesmith.live_stream import MAX_BLOCK_SECONDS, LiveGenerator, LiveSettings, LiveStream, sound_bytes
from tunesmith.models.catalog import ModelInfo
from tunesmith.models.registry import Registry


class LiveSource(Protocol):
    """A live stream as the command plays it. ``about`` is the metadata of its sound."""

    sample_rate: int
    channels: int
    about: Mapping[str, Any]

    def blocks(self) -> Iterator[bytes]:
        """Yield the sound in real time, 16-bit and interleaved."""
        ...

    def change(self, fields: Mapping[str, Any]) -> None:
        """Change settings, from any thread. Raises InvalidRequest."""
        ...

    def problems(self) -> list[TunesmithError]:
        """Return what was refused since the last call."""
        ...


class ModelSource:
    """A live stream of a model in this process."""

    def __init__(self, stream: LiveStream, settings: LiveSettings, about: Mapping[str, Any]) -> None:
        self.sample_rate, self.channels, self.about = stream.sample_rate, stream.channels, about
        self._stream = stream
        self._settings = settings

    def blocks(self) -> Iterator[bytes]:
        """Yield the sound; see LiveSource."""
        pace = LivePace(AHEAD_SECONDS)
        while True:
            time.sleep(pace.wait(MAX_BLOCK_SECONDS))
            pace.grant(MAX_BLOCK_SECONDS)
            block = self._stream.next_block()
            yield sound_bytes(block, "pcm16")
            pace.send(block.shape[1] / self.sample_rate, MAX_BLOCK_SECONDS)

    def change(self, fields: Mapping[str, Any]) -> None:
        """Change settings; see LiveSource."""
        settings = self._settings.changed(fields)
        self._stream.change(settings)
        self._settings = settings

    def problems(self) -> list[TunesmithError]:
        """Return nothing: a refused change raises."""
        return []


class ServerSource:
    """A live stream of a server."""

    def __init__(self, stream: RemoteLive) -> None:
        self.sample_rate, self.channels = stream.sample_rate, stream.channels
        self.about: Mapping[str, Any] = {
            name: stream.started[name] for name in ("model", "seed", "licence") if stream.started[name] is not None
        }
        self._stream = stream

    def blocks(self) -> Iterator[bytes]:
        """Yield the sound; see LiveSource."""
        for frame in self._stream:
            yield frame.samples

    def change(self, fields: Mapping[str, Any]) -> None:
        """Change settings; see LiveSource."""
        self._stream.change(**fields)

    def problems(self) -> list[TunesmithError]:
        """Return what was refused since the last call."""
        new = list(self._stream.problems)
        self._stream.problems.clear()
        return list(new)


@contextlib.contextmanager
def model_source(model: ModelInfo, fields: Mapping[str, Any], seed: int) -> Iterator[LiveSource]:
    """Yield a live stream of a model. Raises InvalidRequest, and what loading the model raises."""
    settings = LiveSettings.checked(**fields)
    generator = Registry.discover().create(model.name)
    if not isinstance(generator, LiveGenerator):
        raise InvalidRequest("model", f"{model.name} cannot play live")
    stream = generator.open_live(settings, seed)
    digest = model.installed.manifest.digest if model.installed else None
    about = {"model": model.name, "seed": seed, "licence": model.licence, "model_digest": digest}
    try:
        yield ModelSource(stream, settings, {name: value for name, value in about.items() if value is not None})
    finally:
        stream.close()


@contextlib.contextmanager
def server_source(url: str, token: str | None, fields: Mapping[str, Any]) -> Iterator[LiveSource]:
    """Yield a live stream of a server. Raises ApiError and ServerUnreachable."""
    prompt, others = fields["prompt"], {name: value for name, value in fields.items() if name != "prompt"}
    with Tunesmith(url, token) as client, client.live(prompt, **others) as stream:
        yield ServerSource(stream)
