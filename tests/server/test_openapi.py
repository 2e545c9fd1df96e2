"""What the OpenAPI document describes, asked for with whatever fits it and what does not: nothing is a server's fault.

Schemathesis makes the requests. Music is a second of silence here, made at once; models are not really pulled.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from live_server import served
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from sounds import wav_bytes

from tunesmith.config import Settings
from tunesmith.errors import DownloadError
from tunesmith.jobs.runners.local import LocalPool
from tunesmith.jobs.runners.pool import Made, Report, ReportTo, Task
from tunesmith.server.app import ServerOptions, create_app

SERVER_FAULT = 500
EXAMPLES = 4


async def made_at_once(_: LocalPool, task: Task, report: ReportTo) -> Made:
    report(Report(running=True, loaded_seconds=0.0))
    task.path.write_bytes(wav_bytes())
    return Made(task.path, 1.0, 8000, 1, {"seed": task.request.seed})


def not_pulled(*_: object) -> Any:
    raise DownloadError("org/x", "nothing is pulled in this test")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalPool, "run", made_at_once)
        patch.setattr("tunesmith.models.pull.pull", not_pulled)
        folder = tmp_path_factory.mktemp("described")
        patch.setenv("TUNESMITH_DATA_DIR", str(folder))
        with served(create_app(Settings(data_dir=folder), ServerOptions(host="127.0.0.1"))) as url:
            yield url


def faults_of(operation: Any, mode: GenerationMode, statuses: Counter[int]) -> Iterator[str]:
    """Ask for an operation in many ways; give the first answer that blames the server, and count all."""

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(timeout=30)
        statuses[answer.status_code] += 1
        told = answer.status_code < SERVER_FAULT or (
            answer.status_code > SERVER_FAULT and "retry-after" in answer.headers
        )
        assert told, f"{operation.label} {answer.status_code} {answer.text}: {case.as_curl_command()}"

    try:
        ask()
    except (Unsatisfiable, SkipTest):
        return  # where nothing is taken, nothing can be wrong
    except AssertionError as error:
        yield str(error)


def test_nothing_that_is_asked_is_the_servers_fault(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    results = list(schema.get_all_operations())
    operations = [result.ok() for result in results if isinstance(result, Ok)]
    assert len(operations) == len(results) > 40
    statuses: Counter[int] = Counter()
    asked = itertools.product(operations, GenerationMode)
    assert [fault for operation, mode in asked for fault in faults_of(operation, mode, statuses)] == []
    assert statuses[200] > 0 < statuses[422]
