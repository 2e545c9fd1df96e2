"""What every test needs: programs that start soon, and the cores for itself and not for libraries and old garbage."""

from __future__ import annotations

import atexit
import gc
import inspect
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path

import certifi
import httpx
import psutil
import pytest
import run_folder
from forked_python import fork_tunesmith
from long_tests_first import group_of, long_tests_first

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

# Without compiled files each worker, and each Python that a test starts, compiles Tunesmith and the tests again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

DATA = tempfile.mkdtemp(prefix="tunesmith-tests-")  # nothing a test makes may reach the models and the log of a person
os.environ["TUNESMITH_DATA_DIR"] = DATA
atexit.register(shutil.rmtree, DATA, ignore_errors=True)

# The workers of a run share what takes seconds to make. Whoever starts the run makes the folder, and takes it away.
if run_folder.VARIABLE not in os.environ:
    os.environ[run_folder.VARIABLE] = tempfile.mkdtemp(prefix="tunesmith-test-run-")
    atexit.register(shutil.rmtree, os.environ[run_folder.VARIABLE], ignore_errors=True)

# An HTTP client reads every certificate that it trusts when it is made, which takes 20 ms. Here all is on loopback,
# without encryption, so one certificate will do.
ONE_CERTIFICATE = Path(DATA) / "certificate.pem"
END = "-----END CERTIFICATE-----\n"
ONE_CERTIFICATE.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(END)[0] + END, encoding="utf-8")
os.environ["SSL_CERT_FILE"] = str(ONE_CERTIFICATE)


# Whoever names no time limit asks for none. HTTPX's own, 5 s, passes on a machine that has much else to do. Its
# functions and clients share one object for it.
PATIENCE_SECONDS = 60.0
timeout = inspect.signature(httpx.Client).parameters["timeout"].default
timeout.connect = timeout.read = timeout.write = timeout.pool = PATIENCE_SECONDS

TESTS = Path(__file__).parent

NEW_OBJECTS = 10_000
"""After so many the young garbage is collected. After 700, as Python has it, that is a twentieth of a test's time."""

WORKERS_A_CORE = 2
"""A third of the tests' time is waiting, for servers, browsers and time limits."""
WORKER_BYTES = 3 << 30
"""The memory of a worker with the processes that it starts."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for ``-n auto``: two a core, as far as the memory goes."""
    memory = psutil.virtual_memory().total // WORKER_BYTES
    return max(1, min(WORKERS_A_CORE * (os.cpu_count() or 1), memory))


def pytest_configure(config: pytest.Config) -> None:
    """Fork every runner and every ``python -m tunesmith``, unless a test asks for a Python of its own."""
    if threading.current_thread() is threading.main_thread():
        # A shell's background job ignores Ctrl-C, and so would every program that a test starts and then interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if runs_tests and not config.option.collectonly:
        fork_tunesmith()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests for the workers of xdist; without workers they stay in the order of the files."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        items[:] = long_tests_first(items, worker["workercount"], lambda item: group_of(item.path, TESTS))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep thousands of tests and their libraries out of every collection of garbage, during this one and after it."""
    gc.disable()
    try:
        return (yield)
    finally:
        # What is garbage by now stays, a few MB: to look for it takes half a second of every worker.
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS, 10, 10)
        gc.enable()
