"""The Python client of a Tunesmith server: an asynchronous core with a synchronous facade.

``api_client.py`` holds the calls as coroutines, ``job_flow.py`` the steps of a job, ``http.py`` and ``retries.py`` one
request with its retries. All run over a ``Transport``: ``async_transport.py`` awaits, ``sync_transport.py`` blocks.
"""

from __future__ import annotations

from tunesmith.client.clients import AsyncTunesmith, Tunesmith
from tunesmith.client.live import LiveFrame
from tunesmith.client.live_streams import AsyncRemoteLive, RemoteLive
from tunesmith.client.remote_job import Clip, RemoteJob

__all__ = ["AsyncRemoteLive", "AsyncTunesmith", "Clip", "LiveFrame", "RemoteJob", "RemoteLive", "Tunesmith"]
