"""``tunesmith ps``: the models in the memory of the running server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from tunesmith.errors import ApiError, NotFound, ServerUnreachable

DEFAULT_URL = "http://127.0.0.1:8765"
ANSWER_SECONDS = 10.0
Url = Annotated[str, typer.Option("--url", metavar="URL", envvar="TUNESMITH_URL", help="URL of the server.")]
TOKEN_HELP = "API token, if the server requires one."  # noqa: S105  no token
Token = Annotated[
    str | None, typer.Option("--token", metavar="TOKEN", envvar="TUNESMITH_TOKEN", show_default=False, help=TOKEN_HELP)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def ps(url: Url = DEFAULT_URL, token: Token = None, as_json: AsJson = False) -> None:
    """Show the models that the running server has in memory, and when they are unloaded."""
    from tunesmith.cli.console import as_json_text
    from tunesmith.cli.tables import print_table

    loaded = loaded_at(url, token)
    if as_json:
        typer.echo(as_json_text(loaded))
    elif loaded:
        print_table(("name", "memory", "requests", "leaves", "process"), [_row(one) for one in loaded])
    else:
        typer.echo("no model is loaded; the first request for a model loads it", err=True)


def loaded_at(url: str, token: str | None) -> list[dict[str, Any]]:
    """Return the models in the memory of a server; raises ApiError and ServerUnreachable."""
    from tunesmith.client import Tunesmith

    with Tunesmith(url, token, deadline=ANSWER_SECONDS) as server:
        try:
            return server.loaded()
        except ServerUnreachable as error:
            raise ServerUnreachable(f"no server answers at {url}: {error}; start one with: tunesmith serve") from None
        # Every Tunesmith server has this route, so another program listens there.
        except NotFound as error:
            raise ApiError(f"the server at {url} is not a Tunesmith server", status=error.status) from None


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    from tunesmith.models.resource_checks import in_words

    requests = "loading" if one["loading_seconds"] is not None else str(one["requests_running"])
    return one["name"], in_words(one["memory_bytes"]), requests, _expires_in(one), str(one["process_id"])


def _expires_in(one: dict[str, Any]) -> str:
    if one["expires_at"] is None:
        return "when idle" if one["requests_running"] else "never"
    at = datetime.fromisoformat(one["expires_at"]).astimezone()
    return f"in {one['expires_in_seconds']:.0f} s, at {at:%H:%M:%S}"
