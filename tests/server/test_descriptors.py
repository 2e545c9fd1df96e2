"""Open files: connections never take so many that none are left for the rest of the server."""

from __future__ import annotations

import sys

import pytest

from tunesmith.server.startup import connection_limit

if sys.platform == "win32":
    pytest.skip("Windows has no such limit", allow_module_level=True)

import resource


@pytest.mark.parametrize("soft", [64, 256, 1024, 65_536])
def test_two_descriptors_a_connection_leave_a_share_free(monkeypatch: pytest.MonkeyPatch, soft: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    allowed = connection_limit(10**6)
    assert 0 < 2 * allowed <= soft - min(256, soft // 2)
    assert connection_limit(allowed - 1) == allowed - 1


def test_where_open_files_are_not_limited_connections_are_as_many_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert connection_limit(10_000) == 10_000
