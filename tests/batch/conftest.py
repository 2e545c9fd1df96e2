"""Really started servers for batches."""

from __future__ import annotations

from serving import server, server_with_tokens

__all__ = ["server", "server_with_tokens"]
