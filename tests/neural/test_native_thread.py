"""Threads that run native code end before Python does."""

from __future__ import annotations

import subprocess
import sys


def test_the_end_of_the_program_waits_until_a_thread_has_stopped() -> None:
    code = """
import threading, time
from tunesmith.neural.native_thread import NativeThread

asked = threading.Event()

def work():
    asked.wait(30)
    time.sleep(0.2)
    print("left its last call", flush=True)

NativeThread(work, asked.set, "model").start()
NativeThread(lambda: None, lambda: print("asked in vain"), "done").start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("left its last call\n", "")
