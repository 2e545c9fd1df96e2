"""Names of hosted models: ``hf:owner/name``, ``hf:https://…`` and ``replicate:owner/name[:version]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tunesmith.errors import InvalidRequest

Service = Literal["hf", "replicate"]
SERVICES: tuple[Service, ...] = ("hf", "replicate")
SERVICE_NAMES = {"hf": "Hugging Face", "replicate": "Replicate"}
_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_HF_ID = re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?")
_VERSION = re.compile(r"[0-9a-f]{6,64}")
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class HostedName:
    """The name of a hosted model: ``id`` and ``version`` at the ``service``, or the ``url`` of an own endpoint."""

    service: Service
    id: str = ""
    version: str | None = None
    url: str | None = None

    @property
    def service_name(self) -> str:
        """The service's name for users."""
        return SERVICE_NAMES[self.service]

    def __str__(self) -> str:
        version = f":{self.version}" if self.version else ""
        return f"{self.service}:{self.url or self.id}{version}"


def is_hosted(name: str) -> bool:
    """Return whether the name has the prefix of a service, valid or not."""
    return name.partition(":")[0].lower() in SERVICES and ":" in name


def read_name(name: str) -> HostedName:
    """Parse a name that ``is_hosted``. Raises InvalidRequest if it is not valid."""
    service, _, rest = name.partition(":")
    if service.lower() == "hf":
        return _hugging_face(rest)
    model, _, version = rest.partition(":")
    if not _plain(_ID, model) or (version and not _VERSION.fullmatch(version)):
        raise InvalidRequest("model", f"must be replicate:owner/name or replicate:owner/name:version, got {_cut(name)}")
    return HostedName("replicate", model, version or None)


def _hugging_face(rest: str) -> HostedName:
    if rest.lower().startswith(("http://", "https://")):
        # Most requests name no endpoint, and the command line starts sooner without httpx.
        import httpx

        try:
            url = httpx.URL(rest)
        except httpx.InvalidURL:
            url = httpx.URL()
        # Names go into logs and metadata, so a login or a query could leak a secret.
        if not url.host or url.userinfo or url.query or url.fragment:
            raise InvalidRequest("model", "an endpoint must be a plain https://host/path, without a login or a query")
        return HostedName("hf", url=rest)
    if not _plain(_HF_ID, rest):
        raise InvalidRequest("model", f"must be hf:owner/name or hf:https://endpoint, got {_cut(f'hf:{rest}')}")
    return HostedName("hf", rest)


def _plain(pattern: re.Pattern[str], name: str) -> bool:
    # A part of dots alone would change the path of the URL.
    return bool(pattern.fullmatch(name)) and all(part.strip(".") for part in name.split("/"))


def _cut(name: str) -> str:
    return repr(name[:_SHOWN])
