"""The page at /docs needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_server import served

from tunesmith.config import Settings
from tunesmith.server.app import create_app


@pytest.fixture
def server(tmp_path: Path) -> Iterator[httpx.Client]:
    with served(create_app(Settings(data_dir=tmp_path))) as url, httpx.Client(base_url=url) as client:
        yield client


def test_the_page_of_what_can_be_asked_works_without_the_internet(server: httpx.Client) -> None:
    page = server.get("/docs").raise_for_status().text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 3
    for file in files:
        assert file.startswith("/docs/static/"), file
        assert server.get(file).raise_for_status().content
    assert "/api/generate" in server.get("/openapi.json").json()["paths"]
