"""Hosted models as generators: what the registry asks for names such as ``hf:owner/name``, with the user's settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import httpx

from tunesmith.config import Settings, load_settings
from tunesmith.errors import InvalidRequest
from tunesmith.generator import Generator
from tunesmith.hosted.capabilities import facts_of
from tunesmith.hosted.model_names import HostedName, is_hosted, read_name

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tunesmith.hosted.connection import ServiceConnection, ServiceSettings


def generator_for(name: str) -> Generator | None:
    """Return a generator that calls the hosted model, or None where the name is none of one; raises InvalidRequest."""
    if not is_hosted(name):
        return None
    from tunesmith.hosted.generator import HostedGenerator

    hosted = read_name(name)
    return HostedGenerator(hosted, access_to(hosted, load_settings()))


def known_names() -> tuple[str, ...]:
    """Return no names: there are too many hosted models to suggest one."""
    return ()


def access_to(name: HostedName, settings: Settings) -> ServiceConnection:
    """Return where and how the model is called; raises InvalidRequest for settings that cannot be."""
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
    if token is not None and not (token.isascii() and token.isprintable()):
        raise InvalidRequest("token", f"that for {name.service_name} has characters that no token has")
    return ServiceConnection(base_url, token, settings.hosted_seconds, _counting(settings))


def check_open(name: str, open_models: Iterable[str]) -> None:
    """Raise InvalidRequest unless a server lets its callers use the hosted model, whose cost is not theirs."""
    hosted = str(read_name(name))
    for one in open_models:
        if hosted == one or (one.endswith("/*") and "://" not in hosted and hosted.startswith(one[:-1])):
            return
    raise InvalidRequest("model", f"{hosted} is not open to callers here; the setting hosted_models names what is")


def named_ones(open_models: Iterable[str]) -> tuple[str, ...]:
    """Return the hosted models that a server opens by their names, whole owners apart."""
    return tuple(name for name in open_models if is_hosted(name) and not name.endswith("/*"))


def licence_of(name: str) -> str:
    """Return the licence of a hosted model as far as it is known."""
    return facts_of(read_name(name)).licence


def _chosen(name: HostedName, settings: Settings) -> ServiceSettings:
    from tunesmith.hosted.connection import ServiceSettings

    if name.service == "hf":
        return ServiceSettings(settings.hf_base_url, _secret(settings.hf_token))
    return ServiceSettings(settings.replicate_base_url, _secret(settings.replicate_token))


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value().strip() or None if value else None


def _counting(settings: Settings) -> Callable[[HostedName], None]:
    """Return what counts a call against the budget, if one is set; the database is opened with the first call."""
    from tunesmith.hosted.connection import unlimited

    if settings.max_calls is None:
        return unlimited
    from tunesmith.library.rate_limit import RateLimit

    rate = RateLimit.parse("max_calls", settings.max_calls)

    def take(name: HostedName) -> None:
        from tunesmith.library.call_budget import CallBudget
        from tunesmith.library.migrate import open_database

        database = open_database(settings)
        try:
            CallBudget(database, rate).take(str(name))
        finally:
            database.close()

    return take
