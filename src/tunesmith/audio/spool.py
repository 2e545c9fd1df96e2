"""Spool: samples of any length in bounded memory; short ones stay in memory, long ones go to a temporary file."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from tunesmith.errors import DiskFull

Samples = npt.NDArray[np.float32]  # (channels, samples), full scale is ±1

READ_SAMPLES = 1 << 18
# A minute of stereo; longer sounds go to a file.
MEMORY_BYTES = 60 * 44_100 * 2 * 4


class Spool:
    """A growing buffer of samples whose written ranges can be read, replaced and added to.

    Every block is (channels, samples) float32, stored interleaved. Past ``memory_bytes`` the samples move to a
    temporary file, which is deleted when the spool is closed or collected. Plain reads and writes, no memory mapping,
    so that resident memory does not grow with length. Not thread-safe.

    Raises DiskFull if the temporary file cannot be written.
    """

    def __init__(self, channels: int, memory_bytes: int = MEMORY_BYTES) -> None:
        if channels < 1:
            raise ValueError(f"a spool needs at least one channel, got {channels}")
        self.channels = channels
        self._length = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=memory_bytes, prefix="tunesmith-")  # noqa: SIM115
        # Deletes the temporary file also when the spool is collected without close().
        self._finalizer = weakref.finalize(self, _discard, self._file)

    def __len__(self) -> int:
        """Return the number of samples per channel."""
        return self._length

    def append(self, block: Samples) -> None:
        """Append a block of (channels, n)."""
        self._store(self._length, block)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Return the samples from ``start`` up to ``stop`` (None for the end), (channels, n), clipped to the length."""
        stop = self._length if stop is None else min(stop, self._length)
        start = min(max(start, 0), stop) if stop > 0 else 0
        with _disk_full():
            # Writes what is still buffered.
            self._file.seek(start * self._frame_bytes)
        samples = np.empty((self.channels, max(0, stop - start)), np.float32)
        # Read in pieces, so that the samples are not in memory twice.
        for at in range(0, samples.shape[1], READ_SAMPLES):
            frames = np.frombuffer(
                self._file.read(min(READ_SAMPLES, stop - start - at) * self._frame_bytes), np.float32
            )
            samples[:, at : at + READ_SAMPLES] = frames.reshape(-1, self.channels).T
        return samples

    def write(self, start: int, block: Samples) -> None:
        """Replace the samples from ``start``; the spool grows if the block extends past its end."""
        if not 0 <= start <= self._length:
            raise ValueError(f"start must lie within the {self._length} samples there are, got {start}")
        self._store(start, block)

    def add(self, start: int, block: Samples) -> None:
        """Mix the block into the samples from ``start``; what extends past the end is appended."""
        there = self.read(start, start + block.shape[1])
        total = np.array(block, dtype=np.float32)
        total[:, : there.shape[1]] += there
        self.write(start, total)

    def blocks(self, size: int = 65_536) -> Iterator[Samples]:
        """Yield all samples in order, in blocks of (channels, at most ``size``)."""
        for start in range(0, self._length, size):
            yield self.read(start, start + size)

    def close(self) -> None:
        """Free the memory or delete the temporary file; safe to call twice."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _frame_bytes(self) -> int:
        return 4 * self.channels

    def _store(self, start: int, block: Samples) -> None:
        if block.ndim != 2 or block.shape[0] != self.channels:
            raise ValueError(f"a block must be ({self.channels}, samples), got {block.shape}")
        with _disk_full():
            self._file.seek(start * self._frame_bytes)
            self._file.write(np.ascontiguousarray(block.T, dtype=np.float32).tobytes())
        self._length = max(self._length, start + block.shape[1])


def _discard(file: tempfile.SpooledTemporaryFile[bytes]) -> None:
    # Closing would write what is still buffered, for which a full disk has no room.
    with suppress(OSError):
        file.close()


@contextmanager
def _disk_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        folder = tempfile.gettempdir()
        raise DiskFull(f"temporary folder: cannot write to {folder}: {error.strerror}") from error
