"""A cache of arrays that forgets the least recently used ones beyond a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class ByteCache:
    """Remembers arrays by key while they fit in ``limit`` bytes together; an array that alone is larger is not kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._arrays: OrderedDict[Hashable, Floats] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Floats]) -> Floats:
        """Return the array of ``key``, made now unless it is still remembered. It is read-only."""
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        array = make()
        array.flags.writeable = False
        if array.nbytes <= self.limit:
            self._arrays[key] = array
            self.size += array.nbytes
        while self.size > self.limit:
            _, forgotten = self._arrays.popitem(last=False)
            self.size -= forgotten.nbytes
        return array
