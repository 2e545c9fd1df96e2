"""ServiceConnection: where a service is, with which token, how long to wait, and what a call is allowed to cost."""

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
"""Variables that name a service's address, the first that is set wins; Replicate's own client reads the first."""
TOKEN_VARIABLES = {"hf": ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"), "replicate": ("REPLICATE_API_TOKEN",)}
OF_THE_SERVICE = {"hf": ("huggingface.co", "huggingface.cloud", "hf.space"), "replicate": ("replicate.com",)}
"""Hosts, with all below them, that the user's own token of the service is meant for."""

TakeCall = Callable[[HostedName], None]
"""Counts a call before it is made; raises RateLimited where no more are allowed."""


def unlimited(_: HostedName) -> None:
    """Allow every call."""


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """How a service is reached: ``base_url``, a ``token`` that nothing shows, and ``seconds`` for a clip in all."""

    base_url: str
    token: str | None = field(default=None, repr=False)
    seconds: float = 600.0
    take_call: TakeCall = unlimited

    def headers_for(self, url: str) -> dict[str, str]:
        """Return what proves who we are, for an address below ``base_url`` only: other hosts are sent no token."""
        base, target = httpx.URL(self.base_url), httpx.URL(url)
        same = (base.scheme, base.host, base.port) == (target.scheme, target.host, target.port)
        return {"Authorization": f"Bearer {self.token}"} if self.token and same else {}


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What the settings say of a service; None where they say nothing."""

    base_url: str | None = None
    token: str | None = field(default=None, repr=False)


def base_url_of(name: HostedName, chosen: ServiceSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return where the service is: the endpoint named, else what is set, else the vendor's."""
    set_by_user = (environment.get(variable) for variable in BASE_URL_VARIABLES[name.service])
    found = name.url or chosen.base_url or next(filter(None, set_by_user), None) or BASE_URLS[name.service]
    return found.rstrip("/")


def token_for(
    name: HostedName, base_url: str, chosen: ServiceSettings, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Return the token set for Tunesmith, else the user's own: from the environment or the vendor's token file.

    The user's own goes to the service alone, or to an address the user has set in its place; an endpoint that is named
    as a model and is elsewhere gets only what was set for Tunesmith.
    """
    if chosen.token:
        return chosen.token
    host = httpx.URL(base_url).host
    if name.url and not any(host == own or host.endswith(f".{own}") for own in OF_THE_SERVICE[name.service]):
        return None
    said = (environment.get(variable, "").strip() for variable in TOKEN_VARIABLES[name.service])
    return next((token for token in said if token), None) or (
        _token_file(environment) if name.service == "hf" else None
    )


def _token_file(environment: Mapping[str, str]) -> str | None:
    """Read the file that ``hf auth login`` writes."""
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(environment.get("HF_HOME") or cache / "huggingface")
    path = Path(environment.get("HF_TOKEN_PATH") or home / "token").expanduser()
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
