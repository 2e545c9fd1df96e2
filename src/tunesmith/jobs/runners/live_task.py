"""LiveTask: a live stream in a runner's process, made block by block as the parent grants them."""

from __future__ import annotations

import base64
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import Generator
from tunesmith.jobs.runners.protocol import MAX_MESSAGE, shortened
from tunesmith.live_stream import LiveGenerator, LiveSettings, LiveStream, sound_bytes

Send = Callable[[dict[str, Any]], None]


class LiveTask:
    """One live stream: a thread makes the blocks, another takes changes, which may need a text encoder's time.

    Without a grant nothing is made, so a listener who does not read costs nothing.
    """

    def __init__(self, name: str, message: Mapping[str, Any], send: Send) -> None:
        self.name = name
        # A stream that waits for a grant is not stuck.
        self.seen_at = math.inf
        self._message = message
        self._send = send
        self._grants = threading.Semaphore(0)
        self._changes: queue.SimpleQueue[tuple[int, LiveSettings] | None] = queue.SimpleQueue()
        self._number = 0
        self._is_cancelled = threading.Event()
        self._fault: Exception | None = None

    def grant(self) -> None:
        """Allow one block more."""
        self._grants.release()

    def change(self, number: int, settings: Mapping[str, Any]) -> None:
        """Play by other settings soon; ``number`` counts the changes."""
        self._changes.put((number, LiveSettings.checked(**settings)))

    def cancel(self) -> None:
        """End the stream soon."""
        self._is_cancelled.set()
        self._changes.put(None)
        self._grants.release()

    def run(self, generator: Generator) -> dict[str, Any]:
        """Make blocks until the stream is cancelled; return the last message. Raises what the generator raises."""
        if not isinstance(generator, LiveGenerator):
            raise InvalidRequest("model", "cannot play live")
        settings, seed = LiveSettings.checked(**self._message["settings"]), self._message["seed"]
        self.seen_at = time.monotonic()
        stream = generator.open_live(settings, seed)
        changing = threading.Thread(target=self._take_changes, args=(stream,), name=f"{self.name} changes", daemon=True)
        changing.start()
        try:
            self._send({"opened": self.name, "sample_rate": stream.sample_rate, "channels": stream.channels})
            self._make_blocks(stream)
        except GenerationCancelled:
            if not self._is_cancelled.is_set():
                raise
        finally:
            self.cancel()
            changing.join()
            stream.close()
        if self._fault is not None:
            raise self._fault
        return {"closed": self.name}

    def _make_blocks(self, stream: LiveStream) -> None:
        while True:
            self.seen_at = math.inf
            self._grants.acquire()
            if self._is_cancelled.is_set():
                return
            self.seen_at = time.monotonic()
            # Read first: what is changed while the block is made need not be heard in it.
            number = self._number
            sound = sound_bytes(stream.next_block(), self._message["encoding"])
            self._send({"block": self.name, "change": number, "sound": base64.b64encode(sound).decode("ascii")})

    def _take_changes(self, stream: LiveStream) -> None:
        while (change := self._changes.get()) is not None:
            number, settings = change
            try:
                stream.change(settings)
            except InvalidRequest as error:
                problem = shortened(error.problem, MAX_MESSAGE)
                self._send({"refused": self.name, "change": number, "field": error.field, "problem": problem})
                continue
            except Exception as error:
                # The border of the thread: the stream's own raises it.
                self._fault = None if isinstance(error, GenerationCancelled) else error
                self.cancel()
                continue
            self._number = number
            self._send({"changed": self.name, "change": number})
        # A block that is being made ends with it.
        stream.close()
