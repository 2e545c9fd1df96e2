from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs_in_memory import FakeService, serving
from replicate_server import Server, app_of, settings_in


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    service = FakeService(tmp_path)
    with serving(app_of(service, settings_in(tmp_path))) as url:
        one = Server(url, service)
        yield one
        one.close()
