"""Caches of rendered sounds, bounded by their bytes; the least recently used sound goes first."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples

DEFAULT_BYTES = 48_000_000
# A sound that would fill more than this fraction of the cache is not kept.
_LARGEST_SHARE = 8


class SoundCache:
    """Sounds by key, shared by many voices; the sounds are read-only."""

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self.capacity = capacity
        self.size = 0
        self._lock = threading.Lock()
        self._sounds: OrderedDict[Hashable, Samples] = OrderedDict()

    def get(self, key: Hashable, render: Callable[[], Samples]) -> Samples:
        """Return the sound of the key, rendered if necessary."""
        with self._lock:
            found = self._sounds.get(key)
            if found is not None:
                self._sounds.move_to_end(key)
                return found
        # Rendered outside the lock, so that slow notes do not block other voices; two threads may render the same one.
        sound = render()
        # Read-only: a voice that wrote into a cached sound would change every later note.
        sound.flags.writeable = False
        self._keep(key, sound)
        return sound

    def _keep(self, key: Hashable, sound: Samples) -> None:
        if sound.nbytes > self.capacity // _LARGEST_SHARE:
            return
        with self._lock:
            if key in self._sounds:
                return
            self._sounds[key] = sound
            self.size += sound.nbytes
            while self.size > self.capacity:
                _, oldest = self._sounds.popitem(last=False)
                self.size -= oldest.nbytes


@functools.cache
def shared_cache() -> SoundCache:
    """Return the cache that all voices of this process share by default."""
    return SoundCache()


Floats = npt.NDArray[np.float32]


class ByteCache:
    """Arrays by key while together they fit in ``limit`` bytes; a larger array is not kept. Threads may share it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._lock = threading.Lock()
        self._arrays: OrderedDict[Hashable, Floats] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    def get(self, key: Hashable, make: Callable[[], Floats]) -> Floats:
        """Return the read-only array of ``key``, computed unless it is still in the cache."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
                return found
        # Computed outside the lock, as above: two threads may compute the same array, which does no harm.
        array = make()
        array.flags.writeable = False
        if array.nbytes <= self.limit:
            self._keep(key, array)
        return array

    def _keep(self, key: Hashable, array: Floats) -> None:
        with self._lock:
            if key in self._arrays:
                return
            self._arrays[key] = array
            self.size += array.nbytes
            while self.size > self.limit:
                _, forgotten = self._arrays.popitem(last=False)
                self.size -= forgotten.nbytes
