"""The Python client of a Tunesmith server.

``api.py`` says what can be asked, once for both clients: each of its methods is a generator of actions
(``exchange.py``) that knows nothing of how bytes travel. ``retries.py`` knows when to try again, ``wires.py`` carries
actions out over httpx, waiting or for asyncio, and ``calls.py`` makes methods of the two.
"""

from __future__ import annotations

from tunesmith.client.clients import AsyncTunesmith, Tunesmith
from tunesmith.client.remote_job import Clip, RemoteJob

__all__ = ["AsyncTunesmith", "Clip", "RemoteJob", "Tunesmith"]
