"""ServiceConnection: the address of a service, its token, its time limit and its call budget."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tunesmith.hosted.model_names import HostedName

BASE_URLS = {"hf": "https://router.huggingface.co/hf-inference", "replicate": "https://api.replicate.com"}
BASE_URL_VARIABLES = {
    "hf": ("HF_INFERENCE_ENDPOINT",),
    "replicate": ("REPLICATE_BASE_URL", "REPLICATE_API_BASE_URL"),
}
"""Environment variables with a service's address; the first one set wins. Replicate's client reads its first."""
TOKEN_VARIABLES = {"hf": ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"), "replicate": ("REPLICATE_API_TOKEN",)}
OF_THE_SERVICE = {"hf": ("huggingface.co", "huggingface.cloud", "hf.space"), "replicate": ("replicate.com",)}
"""Hosts, with their subdomains, that may receive the user's own token for the service."""

TakeCall = Callable[[HostedName], None]
"""A callback that counts a call before it is sent; raises RateLimited if the budget is used up."""


def unlimited(_: HostedName) -> None:
    """Allow every call."""


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """The connection to a service: ``seconds`` is the time limit per clip; the token never appears in a repr."""

    base_url: str
    token: str | None = field(default=None, repr=False)
    seconds: float = 600.0
    take_call: TakeCall = unlimited

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the authorization header for ``url``; empty for any other origin, so that it never gets the token."""
        base, target = httpx.URL(self.base_url), httpx.URL(url)
        # Compare the whole origin: another port, or http in place of https, may belong to somebody else.
        same = (base.scheme, base.host, base.port) == (target.scheme, target.host, target.port)
        return {"Authorization": f"Bearer {self.token}"} if self.token and same else {}


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A service's settings; None if not set."""

    base_url: str | None = None
    token: str | None = field(default=None, repr=False)


def base_url_of(name: HostedName, chosen: ServiceSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return the base URL: the model's endpoint, else the setting, else the environment, else the vendor's."""
    set_by_user = (environment.get(variable) for variable in BASE_URL_VARIABLES[name.service])
    found = name.url or chosen.base_url or next(filter(None, set_by_user), None) or BASE_URLS[name.service]
    return found.rstrip("/")


def token_for(
    name: HostedName, base_url: str, chosen: ServiceSettings, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Return the token set for Tunesmith, else the user's own, from the environment or the vendor's token file.

    The user's own token goes only to the service itself or to an address the user set in its place. A foreign endpoint
    named as a model gets only a token set for Tunesmith.
    """
    if chosen.token:
        return chosen.token
    host = httpx.URL(base_url).host
    # A request can name any URL as a model: it must not be able to collect the user's token.
    if name.url and not any(host == own or host.endswith(f".{own}") for own in OF_THE_SERVICE[name.service]):
        return None
    tokens = (environment.get(variable, "").strip() for variable in TOKEN_VARIABLES[name.service])
    return next((token for token in tokens if token), None) or (
        _token_file(environment) if name.service == "hf" else None
    )


def _token_file(environment: Mapping[str, str]) -> str | None:
    """Read the file that ``hf auth login`` writes."""
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(environment.get("HF_HOME") or cache / "huggingface")
    path = Path(environment.get("HF_TOKEN_PATH") or home / "token").expanduser()
    try:
        return path.read_text(encoding="utf-8").strip() or None
    # No token file is no error: many models are public.
    except (OSError, UnicodeDecodeError):
        return None
