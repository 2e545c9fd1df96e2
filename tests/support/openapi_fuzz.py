"""Requests made up by Schemathesis from the OpenAPI document of a running server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

REFUSED, FAULT = 400, 500
PATIENCE_SECONDS = 60.0
PLAN = settings(
    deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # fmt: skip


@dataclass(frozen=True)
class Fuzz:
    """How to ask a server: ``known`` are fields of paths that lead somewhere, ``cheap`` and ``likely`` go into bodies.

    Both name fields by the path of the operation, dots leading inside. Without what is cheap every request would make
    as much music as it likes; with what is likely, on top of what is known, most of them make some at all.
    """

    url: str
    known: Mapping[str, str]
    cheap: Mapping[str, Mapping[str, Any]]
    likely: Mapping[str, Mapping[str, Any]]
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    """The statuses of what is likely, by the operation."""

    def operations(self) -> Iterator[Any]:
        """Give what the server says that it can be asked for."""
        document = requests.get(f"{self.url}/openapi.json", timeout=PATIENCE_SECONDS).json()
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=self.url)
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            yield found.ok()

    def refused_throughout(self) -> set[str]:
        """Return the operations that took none of the likely requests."""
        return {name for name, statuses in self.answers.items() if min(statuses) >= REFUSED}

    def faults(self, operation: Any, number: int) -> list[str]:
        """Send so many requests of each kind for an operation; return the answers of 500 and more."""
        statuses = self.answers.setdefault(operation.label, Counter())
        named = {one.name for one in operation.path_parameters}
        cheap, likely = (fields.get(operation.path, {}) for fields in (self.cheap, self.likely))
        any_statuses = statuses if not named | set(likely) else Counter()
        found = self._sent(operation.as_strategy(), number, cheap, any_statuses)
        if named or likely:
            known = {name: value for name, value in self.known.items() if name in named}
            strategy = operation.as_strategy(path_parameters=known) if known else operation.as_strategy()
            found += self._sent(strategy, number, {**cheap, **likely}, statuses)
        if operation.body or operation.query:  # any text will do for the fields of a path
            found += self._sent(operation.as_strategy(GenerationMode.NEGATIVE), number, cheap, Counter())
        return found

    def _sent(self, strategy: Any, number: int, put: Mapping[str, Any], statuses: Counter[int]) -> list[str]:
        found: list[str] = []

        @settings(PLAN, max_examples=number)
        @given(case=strategy)
        def send(case: Any) -> None:
            _put(case.body, put)
            answer = case.call(timeout=PATIENCE_SECONDS)
            statuses[answer.status_code] += 1
            if answer.status_code >= FAULT:
                found.append(f"{case.as_curl_command()}\n{answer.status_code} {answer.text[:300]}")

        send()
        return found


def _put(body: Any, fields: Mapping[str, Any]) -> None:
    for place, value in fields.items():
        *groups, name = place.split(".")
        target = body
        for group in groups:
            target = target.get(group) if isinstance(target, dict) else None
        if isinstance(target, dict):
            target[name] = value
