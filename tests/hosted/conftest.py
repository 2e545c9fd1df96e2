"""What the tests of hosted models share."""

from __future__ import annotations

from hosted_bench import bench, service

__all__ = ["bench", "service"]
