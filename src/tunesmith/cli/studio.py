"""``tunesmith studio``: open the page of the server on this machine, and start the server where none runs."""

from __future__ import annotations

import threading
import time
from typing import Annotated

import typer

from tunesmith.cli.serve import serve
from tunesmith.errors import InvalidRequest

ANSWER_SECONDS, START_SECONDS, PAUSE_SECONDS = 2.0, 60.0, 0.1
Port = Annotated[int, typer.Option("--port", min=1, max=65_535, help="The port of the server.")]


def studio(port: Port = 8765) -> None:
    """Open the studio, a page to make music on, in the browser; start a server if none runs on this machine."""
    url = f"http://127.0.0.1:{port}/"
    if _is_served(url, port):
        _show(url)
        return
    # The page is opened beside the server, which keeps this thread until it is stopped.
    threading.Thread(target=_show_when_served, args=(url, port), daemon=True).start()
    serve(port=port)


def _is_served(url: str, port: int) -> bool:
    """Return whether a Tunesmith server answers. Raises InvalidRequest if another program does."""
    import httpx

    try:
        answer = httpx.get(f"{url}api/version", timeout=ANSWER_SECONDS, trust_env=False)
        is_ours = "version" in answer.json()
    except httpx.ConnectError:
        return False
    except (httpx.HTTPError, ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise InvalidRequest("port", f"another program listens on it; choose another one, got {port}")
    return True


def _show_when_served(url: str, port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if _is_served(url, port):
            _show(url)
            return
        time.sleep(PAUSE_SECONDS)


def _show(url: str) -> None:
    import webbrowser

    has_opened = webbrowser.open(url)
    typer.echo(f"the studio is {'open at' if has_opened else 'at'} {url}", err=True)
