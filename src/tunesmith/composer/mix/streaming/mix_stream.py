"""MixStream: the finished piece in blocks while it is made, and whole once it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.master import master
from tunesmith.composer.mix.premaster import Session, render_premaster
from tunesmith.composer.mix.streaming.causal_master import CausalMaster
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.score import Score
from tunesmith.errors import GenerationCancelled

LEAD_SECONDS = 0.8
"""How far the forecast part of the stream runs ahead of a listener who plays it from its first block on."""

FIRST_LEAD_SECONDS = 0.3
"""The same at first: half a second later, several times as much is rendered, and the forecast is better."""

JOIN_SECONDS = 1.0
"""The time in which the exact master takes over from the forecast one."""

SHORT_SECONDS = 15.0
"""A piece of at most this length is finished before a forecast would help."""

# The share of the progress; the rest is the master's.
RENDERING = 0.8
READ = 65_536


class MixStream:
    """The stream of one piece, (channels, n) at the rate of ``session.options``, and its exact mix.

    The mix is made in a thread of its own, as ``mix_score`` makes it, whoever listens. Use the stream from one thread.
    """

    def __init__(self, score: Score, session: Session) -> None:
        self._score = score
        self._closed = threading.Event()
        self._session = replace(session, cancelled=lambda: self._closed.is_set() or session.cancelled())
        self._mix = OpenPremaster(keeps_appended=bool(score.ambience))
        self._result: Spool | None = None
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._given = 0
        # The end of a loop rings into its beginning, so its first sample is known last.
        self.is_early = not score.loop and score.duration > SHORT_SECONDS
        self.num_samples = length_in_samples(score, session.options.sample_rate)
        self._thread = threading.Thread(target=self._make, name="mix", daemon=True)
        self._thread.start()

    def blocks(self) -> Iterator[Samples]:
        """Yield the rest of the piece in blocks; together they have exactly its length.

        What comes before the exact mix is done keeps LEAD_SECONDS ahead of a listener, the rest comes at once. Raises
        GenerationCancelled, and whatever ends the mix.
        """
        if self.is_early:
            yield from self._forecast_blocks()
        result = self.result()
        while self._given < self.num_samples:
            yield self._counted(result.read(self._given, self._given + READ))

    def result(self) -> Spool:
        """Return the exact mix, once it is done; the caller closes it. Raises as ``blocks``."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def close(self) -> None:
        """End the work, unless it is done, and free the memory of all but the result."""
        self._closed.set()
        self._mix.stop_readers()
        self._thread.join()
        self._mix.close()

    def _make(self) -> None:
        try:
            render_premaster(self._mix, self._score, self._session, share=RENDERING)
            self._result = master(self._score, self._mix, self._session, done=RENDERING)
        except BaseException as error:
            # The border of the thread: the one that reads raises it.
            self._error = error
            self._mix.stop_readers()
        finally:
            self._done.set()

    def _forecast_blocks(self) -> Iterator[Samples]:
        rate, began = self._session.options.sample_rate, 0.0
        source = CausalMaster(self._score, self._session, self._mix)
        try:
            while self._given < self.num_samples and not self._done.is_set():
                block = self._counted(source.next())
                began = began or time.monotonic()
                yield block
                played = time.monotonic() - began
                lead = min(LEAD_SECONDS, FIRST_LEAD_SECONDS + played / 2)
                self._done.wait(max(0.0, self._given / rate - lead - played))
            if self._error is None:
                yield from self._joined(source)
        except GenerationCancelled:
            # Where the work has failed, its own error says why.
            raise (self._error or GenerationCancelled()) from None

    def _joined(self, source: CausalMaster) -> Iterator[Samples]:
        """Yield the blocks in which the exact mix takes over."""
        result, start = self.result(), self._given
        length = min(round(JOIN_SECONDS * self._session.options.sample_rate), self.num_samples - start)
        while self._given < start + length:
            block = source.next()[:, : start + length - self._given]
            exact = result.read(self._given, self._given + block.shape[1])
            share = (np.arange(self._given - start, self._given - start + block.shape[1]) + 1) / length
            yield self._counted(block + (exact - block) * share.astype(np.float32))

    def _counted(self, block: Samples) -> Samples:
        self._given += block.shape[1]
        return block
