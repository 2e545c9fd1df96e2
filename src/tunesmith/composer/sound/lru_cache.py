"""Caches of sounds, bounded by their bytes; the least recently used sound goes first."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DEFAULT_BYTES = 48_000_000
# A rendered sound fills at most an eighth of the cache.
_LARGEST_SHARE = 8


class ByteCache:
    """Read-only arrays by key, together at most ``limit`` bytes; threads may share it.

    An array of more than ``limit / largest_share`` bytes is not kept.
    """

    def __init__(self, limit: int, largest_share: int = 1) -> None:
        self.limit = limit
        self.size = 0
        self._largest_share = largest_share
        self._lock = threading.Lock()
        self._arrays: OrderedDict[Hashable, Floats] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    def get(self, key: Hashable, make: Callable[[], Floats]) -> Floats:
        """Return the array of ``key``, made if necessary."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
                return found
        # Made outside the lock, so that slow notes do not block other voices; two threads may make the same one.
        array = make()
        # Read-only: a voice that wrote into a cached sound would change every later note.
        array.flags.writeable = False
        if array.nbytes <= self.limit // self._largest_share:
            self._keep(key, array)
        return array

    def _keep(self, key: Hashable, array: Floats) -> None:
        with self._lock:
            if key in self._arrays:
                return
            self._arrays[key] = array
            self.size += array.nbytes
            while self.size > self.limit:
                _, oldest = self._arrays.popitem(last=False)
                self.size -= oldest.nbytes


class SoundCache(ByteCache):
    """Rendered sounds, shared by many voices."""

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        super().__init__(limit, _LARGEST_SHARE)


@functools.cache
def shared_cache() -> SoundCache:
    """Return the cache that all voices of this process share by default."""
    return SoundCache()
