"""Whether a process lives, asked of the system itself."""

from __future__ import annotations

import subprocess
import sys

import psutil

from tunesmith.jobs.worker_registry import ProcessIdentity, is_gone


def test_this_process_is_there() -> None:
    assert not is_gone(ProcessIdentity.own())


def test_a_process_that_ended_is_gone() -> None:
    own = ProcessIdentity.own()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        child = ProcessIdentity(own.host, process.pid, psutil.Process(process.pid).create_time())
        assert not is_gone(child)
        process.communicate()
    assert is_gone(child)


def test_a_later_process_with_the_same_id_is_another() -> None:
    own = ProcessIdentity.own()
    assert is_gone(ProcessIdentity(own.host, own.process_id, own.started_at - 60))


def test_of_another_host_nothing_is_known() -> None:
    assert not is_gone(ProcessIdentity("elsewhere", 2**22 + 1, 0.0))
