from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import strange_generators
from started_server import started


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Give a client of a started server, whose neural models make one piece at a time."""
    folder: Path = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", strange_generators.install(folder / "site"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        with (
            started(folder / "data", batch_rows="2", drain_seconds="0") as process,
            httpx.Client(base_url=process.url, timeout=60) as client,
        ):
            yield client
