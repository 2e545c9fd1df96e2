"""Hosted models as generators: names such as ``hf:owner/name`` become calls of a service."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from tunesmith.config import Settings, load_settings
from tunesmith.errors import InvalidRequest
from tunesmith.generator import Generator
from tunesmith.hosted.model_names import HostedName, is_hosted, read_name

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tunesmith.hosted.connection import ServiceConnection, ServiceSettings


def generator_for(name: str) -> Generator | None:
    """Return a generator that calls the hosted model, or None if the name is not hosted. Raises InvalidRequest."""
    if not is_hosted(name):
        return None
    from tunesmith.hosted.generator import HostedGenerator

    hosted = read_name(name)
    return HostedGenerator(hosted, access_to(hosted, load_settings()))


def access_to(name: HostedName, settings: Settings) -> ServiceConnection:
    """Return the endpoint, token, timeout and budget of a hosted model. Raises InvalidRequest for invalid settings."""
    from tunesmith.hosted.connection import ServiceConnection, base_url_of, token_for

    chosen = _chosen(name, settings)
    base_url = base_url_of(name, chosen, os.environ)
    try:
        usable = httpx.URL(base_url).scheme in ("http", "https") and bool(httpx.URL(base_url).host)
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise InvalidRequest(f"setting {name.service}_base_url", "must be an address such as https://host/path")
    token = token_for(name, base_url, chosen, os.environ)
    # Such characters would break the HTTP header; the error does not quote the token.
    if token is not None and not (token.isascii() and token.isprintable()):
        raise InvalidRequest("token", f"the token for {name.service_name} has invalid characters")
    return ServiceConnection(base_url, token, settings.hosted_seconds, _counting(settings))


def _chosen(name: HostedName, settings: Settings) -> ServiceSettings:
    from tunesmith.hosted.connection import ServiceSettings

    if name.service == "hf":
        return ServiceSettings(settings.hf_base_url, _secret(settings.hf_token))
    return ServiceSettings(settings.replicate_base_url, _secret(settings.replicate_token))


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value().strip() or None if value else None


def _counting(settings: Settings) -> Callable[[HostedName], None]:
    """Return the function that counts a call against the budget ``max_calls``; it opens the database on demand."""
    from tunesmith.hosted.connection import unlimited

    if settings.max_calls is None:
        return unlimited
    from tunesmith.library.tokens import RateLimit

    rate = RateLimit.parse("max_calls", settings.max_calls)

    def take(name: HostedName) -> None:
        from tunesmith.library.call_budget import CallBudget
        from tunesmith.library.migrate import open_database

        # Opened for each call: the counter holds across all processes of the user.
        database = open_database(settings)
        try:
            CallBudget(database, rate).take(str(name))
        finally:
            database.close()

    return take
