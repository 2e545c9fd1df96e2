"""``tunesmith serve``: run the server of the music APIs on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65_535, help="The port; 0 takes a free one.")]
ANONYMOUS_HELP = "Accept requests without a token, also from other machines."
Anonymous = Annotated[bool, typer.Option("--allow-anonymous", help=ANONYMOUS_HELP)]
NO_STAND_IN_HELP = "Answer 404 for a model that is not installed, instead of using the composer."
NoStandIn = Annotated[bool, typer.Option("--no-stand-in", help=NO_STAND_IN_HELP)]


def serve(
    host: Host = "127.0.0.1", port: Port = 8765, allow_anonymous: Anonymous = False, no_stand_in: NoStandIn = False
) -> None:
    """Start the server with the APIs of Hugging Face, Replicate, ElevenLabs, OpenAI, MCP and its own.

    tunesmith serve, then: curl -d '{"inputs": "calm piano"}' localhost:8765/models/facebook/musicgen-small -o calm.wav
    """
    from tunesmith.config import load_settings
    from tunesmith.server.app import ServerOptions, create_app
    from tunesmith.server.middleware.request_limits import is_loopback
    from tunesmith.server.observability.logging import set_up_logs
    from tunesmith.server.startup import raise_descriptor_limit
    from tunesmith.server.uvicorn_server import create_server

    settings = load_settings()
    set_up_logs(settings)
    raise_descriptor_limit()
    # Only programs on this machine reach a loopback address, which needs no token.
    if not (is_loopback(host) or allow_anonymous):
        _check_token_exists(host)
    app = create_app(settings, ServerOptions(anonymous=allow_anonymous, allow_fallback=not no_stand_in, host=host))
    create_server(app, settings, host, port).run()


def _check_token_exists(host: str) -> None:
    """Raise InvalidRequest if no token exists, so that nobody opens a server to the network by accident."""
    from tunesmith.config import load_settings
    from tunesmith.errors import InvalidRequest
    from tunesmith.library.migrate import open_database
    from tunesmith.library.tokens import Tokens

    database = open_database(load_settings())
    try:
        if not Tokens(database).exist():
            problem = "other machines could call without a token; create one with tunesmith token create --name NAME"
            raise InvalidRequest("host", f"{problem}, or use --allow-anonymous, got {host}")
    finally:
        database.close()
