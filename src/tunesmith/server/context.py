"""The dependencies of every API."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from tunesmith.config import Settings
from tunesmith.jobs.live_service import LiveService
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.service import MusicService
from tunesmith.library.clock import Clock
from tunesmith.library.tracks import Tracks
from tunesmith.server.auth import Caller
from tunesmith.server.model_preload import ModelPreloader
from tunesmith.server.sound_edits import SoundEdits
from tunesmith.server.upload_limits import Uploads


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The shared dependencies of the APIs; ``authenticate`` is the FastAPI dependency that returns the Caller.

    ``authenticate_socket`` returns that of a WebSocket, from its headers or the token of its first message.
    """

    service: MusicService
    settings: Settings
    authenticate: Callable[..., Awaitable[Caller]]
    authenticate_socket: Callable[[HTTPConnection, str | None], Awaitable[Caller]]
    loading: ModelPreloader
    tracks: Tracks
    uploads: Uploads
    results: ResultFiles
    edits: SoundEdits
    live: LiveService
    clock: Clock = time.time
