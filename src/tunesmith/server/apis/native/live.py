"""``WS /api/live``: endless music that its listener steers; docs/live.md describes the messages."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from tunesmith.errors import InvalidRequest, RunnerCrashed, TaskFailed, TunesmithError
from tunesmith.jobs.job import Failure
from tunesmith.jobs.live_service import LiveEnd, LiveService
from tunesmith.logs import bind
from tunesmith.models.catalog import ModelInfo
from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
from tunesmith.models.live_models import live_model
from tunesmith.request import seed_or_drawn
from tunesmith.server.apis.errors import status_of
from tunesmith.server.apis.native.live_messages import LiveStart, read_start
from tunesmith.server.apis.native.live_recording import LiveRecorder
from tunesmith.server.apis.native.live_session import LiveFinished, LiveSession, SessionParts, send_error, send_message
from tunesmith.server.auth import UNKNOWN, Caller, address_group
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import BadRequest, JobFailed
from tunesmith.server.middleware.stack import HEADER, choose_request_id

LIVE = "/api/live"
START_SECONDS = 10.0
"""How long a listener may take for its first message."""

NORMAL, GOING_AWAY, REFUSED, FAULT = 1000, 1001, 1008, 1011
"""Codes with which a WebSocket is closed (RFC 6455, section 7.4.1)."""

CODES = {"server": GOING_AWAY, "refused": REFUSED, "failed": FAULT}
REFUSALS = "refused"
log = logging.getLogger("tunesmith.live")


def add_live(routes: APIRouter, context: ApiContext) -> None:
    """Add the route of live streams."""

    @routes.websocket(LIVE)
    async def live(socket: WebSocket) -> None:
        bind(request_id=choose_request_id(socket.headers.get(HEADER)))
        await socket.accept()
        await LiveConversation(context, socket).run()


class LiveConversation:
    """One WebSocket from its first message to its last; the last message that is sent is always ``ended``."""

    def __init__(self, context: ApiContext, socket: WebSocket) -> None:
        self._context = context
        self._socket = socket
        self._model = ""
        self._session: LiveSession | None = None

    async def run(self) -> None:
        """Talk until the stream ends, for whatever reason."""
        try:
            reason, error = await self._reason()
        except WebSocketDisconnect:
            self._log("left", None)
            return
        self._log(reason, error)
        # The listener may be gone by now.
        with suppress(WebSocketDisconnect, RuntimeError):
            if error is not None:
                await send_error(self._socket, error, status=status_of(error))
            seconds, gaps = self._sent
            await send_message(self._socket, "ended", reason=reason, seconds=round(seconds, 3), gaps=gaps)
            await self._socket.close(CODES.get(reason, NORMAL))

    async def _reason(self) -> tuple[str, TunesmithError | None]:
        """Talk; return why it ended, and the error if there is one. Raises WebSocketDisconnect."""
        try:
            await self._talk()
        except LiveFinished as end:
            return str(end), None
        except TaskFailed as error:
            if error.trace:
                log.error("a live stream failed: %s\n%s", error, error.trace, extra={"model": self._model})
            return ("failed" if self._is_playing else REFUSALS), JobFailed(Failure(error.kind, str(error)))
        except RunnerCrashed as error:
            return "failed", error
        except WebSocketDisconnect:
            raise
        except TunesmithError as error:
            return REFUSALS, error
        except Exception as error:
            # The border of the server: whatever went wrong, the listener must hear of an end.
            log.exception("a live stream failed", extra={"model": self._model})
            return "failed", TunesmithError(type(error).__name__)
        return "stopped", None

    @property
    def _sent(self) -> tuple[float, int]:
        """The seconds of sound that were sent, and its gaps."""
        return (self._session.seconds, self._session.gaps) if self._session else (0.0, 0)

    @property
    def _is_playing(self) -> bool:
        return self._session is not None and self._session.seconds > 0

    async def _talk(self) -> None:
        context, socket, live = self._context, self._socket, self._context.live
        try:
            async with asyncio.timeout(START_SECONDS):
                start = read_start(await socket.receive_text())
        except TimeoutError:
            raise BadRequest(f"the first message did not come within {START_SECONDS:g} s") from None
        except KeyError:
            raise InvalidRequest("message", "must be JSON text, got bytes") from None
        caller = await context.authenticate_socket(socket, start.token)
        model = await asyncio.to_thread(self._chosen, start.model)
        self._model = model.name
        async with live.place(_key(caller, socket)):
            session = self._session = LiveSession(socket, self._parts(start, model, caller, live))
            log.info("live stream", extra={"model": model.name, "owner": caller.owner})
            try:
                await session.run()
            finally:
                await session.close()

    def _parts(self, start: LiveStart, model: ModelInfo, caller: Caller, live: LiveService) -> SessionParts:
        seed = seed_or_drawn(start.seed)
        terms = {"licence": model.licence, **model.terms.to_json(), "notice": model.notice or None}
        about = {"model": model.name, "seed": seed, **terms}
        recorder = LiveRecorder(self._context, model, seed, caller.owner)
        return SessionParts(live, start, model.name, seed, about, recorder)

    def _chosen(self, name: str | None) -> ModelInfo:
        """Return the model of a stream. Raises UnknownName, ModelNotInstalled and InvalidRequest."""
        model = live_model(name)
        check_licence(CommercialPolicy.of(self._context.settings), model.name)
        return model

    def _log(self, reason: str, error: TunesmithError | None) -> None:
        seconds, gaps = self._sent
        about = {"model": self._model or None, "reason": reason, "seconds": round(seconds, 3), "gaps": gaps}
        if error is not None:
            # Whole: the listener is told of this log instead of what quotes a path.
            about["error"] = str(error)
        log.info("live stream ended", extra=about)
        self._context.live.on_end(LiveEnd(self._model, reason, seconds, gaps))


def _key(caller: Caller, socket: WebSocket) -> str:
    """Return whose live streams are counted together."""
    if caller.owner is not None:
        return caller.owner
    return address_group(socket.client.host) if socket.client else UNKNOWN
