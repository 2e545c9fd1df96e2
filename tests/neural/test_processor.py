from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.neural import processor

FLAGS = "processor\t: 0\nmodel name\t: A processor\nflags\t\t: fpu avx2 {} sse\n\nflags\t\t: other\n"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    processor.multiplies_bytes_exactly.cache_clear()
    yield
    # The answer is kept for the life of a process, and later tests run networks in this one.
    processor.multiplies_bytes_exactly.cache_clear()


@pytest.mark.parametrize(
    ("flag", "exact"), [("avx512_vnni", True), ("avx_vnni", True), ("avx512f", False), ("", False)]
)  # fmt: skip
def test_x86_needs_dot_products_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str, exact: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(FLAGS.format(flag))
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert processor.multiplies_bytes_exactly() is exact


def test_a_processor_that_tells_nothing_takes_the_safe_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert not processor.multiplies_bytes_exactly()


def test_arm_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert processor.multiplies_bytes_exactly()
