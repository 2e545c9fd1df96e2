"""What every test needs: programs that start soon, and the cores for itself and not for libraries and old garbage."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Generator

import pytest
from forked_python import fork_tunesmith

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

DATA = tempfile.mkdtemp(prefix="tunesmith-tests-")  # nothing a test makes may reach the models and the log of a person
os.environ["TUNESMITH_DATA_DIR"] = DATA
atexit.register(shutil.rmtree, DATA, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Fork every runner and every ``python -m tunesmith``, unless a test asks for a Python of its own."""
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if runs_tests and not config.option.collectonly:
        fork_tunesmith()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep thousands of tests and their libraries out of every collection of garbage, during this one and after it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
