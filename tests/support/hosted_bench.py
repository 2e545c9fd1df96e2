"""A bench for hosted models: a service on loopback, and generators that lose no time in waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hosted_services import HostedService, hosted_service

from tunesmith.audio import Audio
from tunesmith.generator import Progress, never_cancelled
from tunesmith.hosted.connection import ServiceConnection
from tunesmith.hosted.generator import HostedGenerator
from tunesmith.hosted.http_client import RetryTiming
from tunesmith.hosted.model_names import HostedName, read_name
from tunesmith.request import GenerationRequest
from tunesmith.run_generator import run_generator

TOKEN = "hf_very_secret_indeed"


@pytest.fixture
def service() -> Iterator[HostedService]:
    with hosted_service() as one:
        yield one


@dataclass
class Bench:
    """Makes music at the service under a clock that the pauses move on; ``pauses`` are those it took."""

    service: HostedService
    pauses: list[float] = field(default_factory=list)
    calls: list[HostedName] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    seconds: float = 600.0
    token: str | None = TOKEN
    take: Callable[[HostedName], None] | None = None
    now: float = 0.0

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def generator(self, model: str) -> HostedGenerator:
        access = ServiceConnection(self.service.url, self.token, self.seconds, self.take or self.calls.append)
        patience = RetryTiming(self._sleep, lambda: 0.5, lambda: self.now)
        return HostedGenerator(read_name(model), access, patience)

    def make(self, model: str = "hf:facebook/musicgen-small", **wishes: object) -> Audio:
        request = GenerationRequest.checked(**{"prompt": "lofi", "model": model, "seed": 7, **wishes})
        return run_generator(self.generator(model), request, self.told.append, never_cancelled)


@pytest.fixture
def bench(service: HostedService) -> Bench:
    return Bench(service)
