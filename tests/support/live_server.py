"""A dialect in an app of its own, served on a free port of 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from tunesmith.errors import TunesmithError

Errors = Callable[[TunesmithError], Response]


def app_of(router: APIRouter, errors: Errors) -> FastAPI:
    """Return an app of one dialect and its error shape."""
    app = FastAPI()
    app.include_router(router)

    async def handler(request: Request, error: Exception) -> Response:  # noqa: ARG001  the interface's
        assert isinstance(error, TunesmithError)
        return errors(error)

    app.add_exception_handler(TunesmithError, handler)
    return app


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve the app; gives its base URL. The socket listens before the server runs, so nobody need wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
