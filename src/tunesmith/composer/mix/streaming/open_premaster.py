"""A pre-master that is read while it is rendered, with the measurements from which its loudness is forecast."""

from __future__ import annotations

import threading

from tunesmith.audio.buffer import Samples
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.control_rate import CONTROL, Curve
from tunesmith.composer.mix.streaming.frame_powers import FramePowers
from tunesmith.errors import GenerationCancelled


class OpenPremaster(Spool):
    """A spool that one thread fills and another reads, (2, n) at the composer's rate. Thread-safe.

    Readers see what was appended, without the ambience that is added later where ``keeps_appended`` is set: a second
    spool holds it then.
    """

    def __init__(self, *, keeps_appended: bool) -> None:
        super().__init__(2)
        self._appended = Spool(2) if keeps_appended else None
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._powers = FramePowers(2)

    def append(self, block: Samples) -> None:
        """Append a block of (2, n), and wake the reader."""
        with self._changed:
            super().append(block)
            if self._appended is not None:
                self._appended.append(block)
        self._powers.add(block)
        with self._changed:
            self._changed.notify_all()

    def add(self, start: int, block: Samples) -> None:
        """Mix a block into the samples from ``start``."""
        with self._changed:
            super().add(start, block)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Return the samples from ``start`` up to ``stop``, (2, n)."""
        with self._changed:
            return super().read(start, stop)

    def appended(self, start: int, stop: int) -> Samples:
        """Return samples as they were appended, (2, stop - start), once they are there.

        Raises GenerationCancelled if the pre-master is closed first.
        """
        source = self if self._appended is None else self._appended
        with self._changed:
            # The measurements count too: a forecast is made from them.
            self._changed.wait_for(lambda: self._closed or self.num_measured * CONTROL + CONTROL > stop)
            if self._closed:
                raise GenerationCancelled
            return Spool.read(source, start, stop)

    @property
    def num_measured(self) -> int:
        """The number of frames that are measured."""
        return len(self._powers)

    def measurements(self) -> tuple[Curve, Curve, Curve]:
        """Return K-weighted power (summed over channels), plain power (their mean) and peak of the frames so far."""
        return self._powers.so_far()

    def stop_readers(self) -> None:
        """Let every reader that waits raise GenerationCancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self) -> None:
        """Free the memory or delete the temporary files."""
        self.stop_readers()
        with self._changed:
            super().close()
            if self._appended is not None:
                self._appended.close()
