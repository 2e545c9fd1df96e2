"""What the tests fork is as a Python of its own: it is given the same, and ends in the same way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from forked_python import ForkedPopen, FreshPopen, run_command, run_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux only")

TELLS = """
import json, os, resource, signal, sys
told = {
    "argv": sys.argv, "name": __name__, "folder": os.getcwd(), "path": sys.path, "read": sys.stdin.read(),
    "environment": [os.environ.get(name) for name in ("A", "PYTHONPATH", "PATH")],
    "parent": os.getppid(), "is_first": os.getsid(0) == os.getpid(),
    "limits": resource.getrlimit(resource.RLIMIT_NOFILE), "interrupt": str(signal.getsignal(signal.SIGINT)),
    "encodings": [sys.stdin.encoding, sys.stdout.encoding, sys.stderr.encoding],
}
print(json.dumps(told, sort_keys=True))
sys.stderr.write("done\\n")
sys.exit(3)
"""
WAYS = {"code": ["-c", TELLS, "a", "-b"], "file": ["folder/tells.py", "a"], "module": ["-m", "tells", "a"]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the program."""
    (tmp_path / "folder").mkdir()
    for file in ("tells.py", "folder/tells.py"):
        (tmp_path / file).write_text(TELLS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(popen: Any, arguments: list[str], **options: Any) -> tuple[dict[str, Any], str, int]:
    """Return what the program tells, what it says on standard error, and its exit code."""
    pipe = subprocess.PIPE
    with popen([sys.executable, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options) as process:
        out, problems = process.communicate("given", timeout=60)
    return json.loads(out), problems, process.returncode


@pytest.mark.parametrize(("way", "options"), [
    ("code", {}), ("file", {}), ("module", {}), ("code", {"cwd": "/", "env": {"A": "1"}}),
    ("module", {"start_new_session": True}),
])  # fmt: skip
def test_a_fork_is_given_what_a_python_is_given(way: str, options: dict[str, Any]) -> None:
    arguments = WAYS[way]
    forked, fresh = (told(popen, arguments, **options) for popen in (ForkedPopen, FreshPopen))
    assert forked == fresh


ENDS = (
    "", "raise SystemExit('why')", "raise SystemExit(None)", "1 / 0", "import os; os.abort()", "print('x' * 10_000)",
    "import atexit; atexit.register(print, 'at the end')", "import sys; sys.stdout.write('ä')", "import no_such_module",
    "import threading; threading.Timer(0.2, print, ['late']).start()",
    "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
)  # fmt: skip


@pytest.mark.parametrize("code", ENDS)
def test_a_fork_ends_as_a_python_ends(folder: Path, code: str) -> None:
    forked = run_python(["-c", code], folder)
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (forked.returncode, forked.stdout) == (fresh.returncode, fresh.stdout)
    assert forked.stderr.splitlines()[-1:] == fresh.stderr.splitlines()[-1:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_fork_is_a_child_that_can_be_ended_and_waited_for(number: signal.Signals) -> None:
    code = "import time; print(flush=True); time.sleep(60)"
    with ForkedPopen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(60) == -number


def test_nothing_of_one_fork_is_in_the_next(folder: Path) -> None:
    (folder / "a").mkdir()
    first = run_python(
        ["-c", "import os; os.environ['LEFT'] = '1'; os.chdir('a'); import tunesmith; tunesmith.x = 1"], folder
    )
    assert first.returncode == 0
    second = run_python(["-c", "import os, tunesmith; print('LEFT' in os.environ, hasattr(tunesmith, 'x'))"], folder)
    assert second.stdout == b"False False\n"


def test_what_reads_its_settings_when_it_is_imported_is_not_loaded_yet(folder: Path) -> None:
    code = (
        "import sys, tempfile; print(sorted({'huggingface_hub', 'onnxruntime', 'torch'} & set(sys.modules)))\n"
        "print(tempfile.gettempdir())"
    )
    assert run_python(["-c", code], folder, {"TMPDIR": str(folder)}).stdout == f"[]\n{folder}\n".encode()


def test_the_command_is_that_of_the_command_line(folder: Path) -> None:
    done = run_command(folder, "--version")
    assert (done.returncode, done.stdout[:10]) == (0, b"tunesmith ")
