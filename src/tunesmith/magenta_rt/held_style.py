"""HeldStyle: a style encoder that stays open while live streams need it, because a change must be heard at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.neural.free_memory import release_free_memory


class HeldStyle:
    """An encoder that is opened by the first holder and closed after the last; it takes 110 MB meanwhile."""

    def __init__(self, open_encoder: Callable[[], StyleEncoder]) -> None:
        self._open_encoder = open_encoder
        self._encoder: StyleEncoder | None = None
        self._holders = 0
        self._changing = threading.Lock()

    def hold(self) -> StyleEncoder:
        """Return the encoder; call ``release`` once it is not needed any more."""
        with self._changing:
            if self._encoder is None:
                self._encoder = self._open_encoder()
            self._holders += 1
            return self._encoder

    def release(self) -> None:
        """Let go of the encoder."""
        with self._changing:
            self._holders -= 1
            if self._holders:
                return
            self._encoder = None
        release_free_memory()
