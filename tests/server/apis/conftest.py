"""The started servers of tests/support/serving.py, for the tests of this dialect's routes."""

from __future__ import annotations

from serving import held, musicgen_server, server, server_with_tokens, strict_server

__all__ = ["held", "musicgen_server", "server", "server_with_tokens", "strict_server"]
