"""A server that speaks the Replicate dialect over a FakeService, and the vendor's client for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from jobs_in_memory import FakeContext, FakeService, token_is_owner
from replicate.client import Client

from tunesmith.config import Settings
from tunesmith.errors import TunesmithError
from tunesmith.server.apis import v1_models as model_list
from tunesmith.server.apis.replicate.routes import errors, router
from tunesmith.server.context import ApiContext


@dataclass(frozen=True)
class Server:
    """A running server, the jobs behind it, and its users' clients."""

    url: str
    service: FakeService
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        return self.client_of("ann")

    def client_of(self, token: str) -> Client:
        if token not in self.clients:
            self.clients[token] = Client(api_token=token, base_url=self.url)
        return self.clients[token]

    def close(self) -> None:
        for client in self.clients.values():
            client._client.close()


def app_of(service: FakeService, settings: Settings) -> FastAPI:
    app = FastAPI()

    @app.exception_handler(TunesmithError)
    async def say(_: Request, error: TunesmithError) -> Response:
        return errors(error)

    context = cast("ApiContext", FakeContext(service, settings, token_is_owner))
    app.include_router(router(context))
    app.include_router(model_list.router(context))
    return app


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder, allow_private_addresses=True, **more)
