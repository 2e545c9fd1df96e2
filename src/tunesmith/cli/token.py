"""``tunesmith token create``, ``list`` and ``revoke``: the API tokens of the server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.console import as_json_text
from tunesmith.errors import InvalidRequest

if TYPE_CHECKING:
    from tunesmith.library.tokens import ApiToken, Tokens

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the token.")]
Quota = Annotated[str | None, typer.Option("--quota", metavar="N/UNIT", help="Quota of pieces, such as 1000/day.")]
RateLimit = Annotated[
    str | None, typer.Option("--rate", metavar="N/UNIT", help="Rate limit of requests, such as 60/min.")
]
EXPIRES_HELP = "Expiry: a date (2027-01-31, in UTC) or a time from now (12h, 30d). Default: never."
Expires = Annotated[str | None, typer.Option("--expires", metavar="WHEN", help=EXPIRES_HELP)]
ScopeOption = Annotated[str, typer.Option("--scope", metavar="SCOPE", help="generate, or admin for the whole server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Revoked = Annotated[bool, typer.Option("--revoked", help="Include revoked tokens.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its first characters.")]

app = typer.Typer(help="Manage the API tokens of the server.", no_args_is_help=True)
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


@app.command()
def create(
    name: Name,
    quota: Quota = None,
    rate: RateLimit = None,
    expires: Expires = None,
    scope: ScopeOption = "generate",
    as_json: AsJson = False,
) -> None:
    """Create a token; it is shown only once."""
    from tunesmith.library.tokens import RateLimit, TokenRequest

    request = TokenRequest(
        name,
        # TokenRequest itself checks the scope.
        scope,  # type: ignore[arg-type]
        None if quota is None else RateLimit.parse("quota", quota),
        None if rate is None else RateLimit.parse("rate", rate),
        None if expires is None else time_of(expires, time.time()),
    )
    with _tokens() as tokens:
        created = tokens.create(request)
    if as_json:
        typer.echo(as_json_text({"token": created.secret, **_as_json(created.token)}))
    else:
        # The token alone on standard output, so that a script can capture it.
        typer.echo(created.secret)
        typer.echo("this is shown only once; send it as: Authorization: Bearer TOKEN", err=True)


@app.command("list")
def list_tokens(as_json: AsJson = False, revoked: Revoked = False) -> None:
    """List the tokens; of each only how it begins is known."""
    from tunesmith.cli.tables import print_table

    with _tokens() as tokens:
        found = [_as_json(token) for token in tokens.list(revoked_too=revoked)]
    if as_json:
        typer.echo(as_json_text(found))
    elif found:
        print_table(tuple(found[0]), [["" if value is None else str(value) for value in one.values()] for one in found])
    else:
        typer.echo("there are no tokens; create one: tunesmith token create --name NAME", err=True)


@app.command()
def revoke(name: NameArgument) -> None:
    """Revoke a token permanently."""
    with _tokens() as tokens:
        revoked = tokens.revoke(name)
    typer.echo(f"revoked {revoked.name}")


def time_of(text: str, now: float) -> float:
    """Parse a span from now (``12h``, ``30d``, ``2w``) or an ISO 8601 date and return Unix seconds.

    A date without an offset is in UTC; ``now`` is in Unix seconds. Raises InvalidRequest.
    """
    span = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if span:
        return now + int(span[1]) * _SECONDS[span[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidRequest("expires", f"must be like 2027-01-31, 12h or 30d, got {text[:40]!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@contextmanager
def _tokens() -> Iterator[Tokens]:
    from tunesmith.config import load_settings
    from tunesmith.library.migrate import open_database
    from tunesmith.library.tokens import Tokens

    database = open_database(load_settings())
    try:
        yield Tokens(database)
    finally:
        database.close()


def _as_json(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "begins": token.prefix,
        "scope": token.scope,
        "quota": None if token.quota is None else str(token.quota),
        "rate": None if token.rate is None else str(token.rate),
        "created": _date(token.created_at),
        "expires": _date(token.expires_at),
        "revoked": _date(token.revoked_at),
        "last_used": _date(token.last_used_at),
    }


def _date(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
