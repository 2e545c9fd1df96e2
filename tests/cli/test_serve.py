"""``tunesmith serve``: what it says when it starts and when it cannot, how it ends, and two of them side by side."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
import strange_generators
from forked_python import run_python
from own_api import handed_in, in_state, job_of
from started_server import StartedServer, started, started_afresh, wait_for

from tunesmith.cli import run
from tunesmith.config import Settings
from tunesmith.jobs.job import JobState
from tunesmith.jobs.store import EVERYTHING, JobStore
from tunesmith.library.migrate import open_database

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the data folder."""
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def file(home: Path) -> Path:
    """Give the path of the database."""
    return home / "tunesmith.db"


def refused(*flags: str, program: Sequence[str] = ("-m", "tunesmith")) -> tuple[int, str]:
    """Start a server that should not start; return its exit code and the one line that it says."""
    ran = run_python([*program, "serve", "--port", "0", *flags], Path.cwd(), text=True)
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("tunesmith: error: ")
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("flag", ["--host", "--port", "--allow-anonymous", "--no-stand-in"])
def test_help_names_every_flag(capsys: Capture, flag: str) -> None:
    assert run(["serve", "--help"]) == 0
    assert flag in re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)


@pytest.mark.parametrize("flags", [["--port", "65536"], ["--port", "-1"], ["--port", "http"], ["--listen", "x"], ["x"]])
def test_a_wrong_flag_is_one_line(flags: list[str], capsys: Capture) -> None:
    assert run(["serve", *flags]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_the_address_is_told_and_answers(home: Path) -> None:
    with started_afresh(home) as server:
        assert f"Listening on {server.url}" in server.log
        assert httpx.get(f"{server.url}/health/live").json()["status"] == "ok"
        assert httpx.get(f"{server.url}/docs").status_code == 200


def test_a_setting_by_a_name_that_is_nearly_one_is_told(home: Path) -> None:
    with started(home, keepalive="0") as server:
        assert "did you mean TUNESMITH_KEEP_ALIVE?" in server.log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_more_callers_are_held_than_the_system_s_usual_limit_of_open_files(home: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as open_:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
        try:
            server = open_.enter_context(started_afresh(home))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        host, _, port = server.url.removeprefix("http://").partition(":")
        for _ in range(200):
            open_.enter_context(socket.create_connection((host, int(port)), timeout=60))
        assert httpx.get(f"{server.url}/health/ready", timeout=60).status_code == 200


def test_a_port_in_use_is_one_clear_line_and_harms_nobody(home: Path) -> None:
    with started(home) as server:
        port = server.url.rpartition(":")[2]
        code, line = refused("--port", port)
        assert code == 2
        assert f"port: {port} at 127.0.0.1 is in use by another program" in line
        assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_an_address_of_another_machine_is_one_clear_line() -> None:
    assert refused("--host", "192.0.2.1", "--allow-anonymous") == (
        2, "tunesmith: error: host: 192.0.2.1 is not an address of this machine\n",
    )  # fmt: skip


def test_a_setting_that_cannot_be_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setenv("TUNESMITH_QUEUE_LIMIT", "none")
    code, line = refused()
    assert code == 2
    assert "setting queue_limit" in line
    assert not file.exists()


def damaged(file: Path) -> None:
    file.write_bytes(b"this is no database, though it has its name\n" * 100)


def anothers(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def newer(file: Path) -> None:
    open_database(Settings(data_dir=file.parent)).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def torn(file: Path) -> None:
    """Break every page but the first, as a failing disk does."""
    open_database(Settings(data_dir=file.parent)).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.parametrize(("spoil", "explanation"), [
    (damaged, "is damaged or not a database, and was not changed"), (anothers, "is not a Tunesmith database"),
    (newer, "upgrade Tunesmith to use it"), (torn, "is damaged and was not changed"),
])  # fmt: skip
def test_a_database_that_cannot_be_used_is_explained_and_never_overwritten(
    file: Path, spoil: Callable[[Path], None], explanation: str
) -> None:
    spoil(file)
    before = file.read_bytes()
    code, line = refused()
    assert code == 1
    assert explanation in line
    assert str(file) in line
    assert file.read_bytes() == before


def test_a_data_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "file" / "data"))
    code, line = refused()
    assert code == 1
    assert "Not a directory" in line


# Gives up the two capabilities by which root passes over permissions (capset of Linux, version 3 of its structures).
AS_ANY_USER = """
import ctypes, sys
from tunesmith.cli import main
PASS_OVER = 1 << 1 | 1 << 2
who, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc = ctypes.CDLL(None, use_errno=True)
assert libc.capget(who, sets) == 0
sets[:3] = [some & ~PASS_OVER for some in sets[:3]]
assert libc.capset(who, sets) == 0
main(sys.argv[1:])
"""


def any_user() -> list[str]:
    """Return a program that is the command, for which permissions hold; root may pass over them."""
    if os.geteuid() != 0:
        return ["-m", "tunesmith"]
    if sys.platform != "linux":
        pytest.skip("root may write everywhere")
    return ["-c", AS_ANY_USER]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("what", ["", "tunesmith.db", "results", "results/incoming", "inputs", "files"])
def test_what_another_user_made_and_cannot_be_written_to_is_one_clear_line(home: Path, what: str) -> None:
    open_database(Settings(data_dir=home)).close()
    for folder in ("results/incoming", "inputs", "files"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    path = home / what
    path.chmod(0o555 if path.is_dir() else 0o444)
    code, line = refused(program=any_user())
    path.chmod(0o755)
    assert code in (1, 2)
    assert str(path) in line
    assert "cannot be written to" in line
    assert not what or f"belongs to {path.owner()}" in line


def test_a_server_starts_beside_a_program_that_holds_the_database_and_works_once_it_lets_go(
    home: Path, file: Path
) -> None:
    open_database(Settings(data_dir=home)).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with started(home) as server, ThreadPoolExecutor(1) as callers:
            body = {"prompt": "x", "model": "prompt", "duration": 1}
            made = callers.submit(httpx.post, f"{server.url}/api/generate", json=body, timeout=60)
            assert httpx.get(f"{server.url}/health/live").status_code == 200
            assert httpx.get(f"{server.url}/api/jobs").status_code == 200
            holder.execute("ROLLBACK")
            assert made.result().status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_asked_to_stop_answers_who_waits_and_takes_nobody_new(
    home: Path, tmp_path: Path, how: signal.Signals
) -> None:
    gate = tmp_path / "gate"
    with started_afresh(home, drain_seconds="30") as server, ThreadPoolExecutor(1) as callers:
        body = {"inputs": str(gate), "parameters": {"duration": 1}}
        answer = callers.submit(httpx.post, f"{server.url}/models/patient", json=body, timeout=60)
        with closing(open_database(Settings(data_dir=home))) as database:
            store = JobStore(database, 500)
            wait_for(lambda: [job.state for job in store.list(EVERYTHING).jobs] == [JobState.RUNNING], "the job to run")
            server.signal(how)
            wait_for(lambda: not is_listening(server), "the server to take nobody new")
            assert not answer.done()
            gate.touch()
            assert answer.result().status_code == 200
            server.gone()
            assert [job.state for job in store.list(EVERYTHING).jobs] == [JobState.SUCCEEDED]
    assert "Traceback" not in server.log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("is_followed", [True, False])
def test_a_server_asked_twice_to_stop_ends_at_once_and_gives_its_job_back(
    home: Path, tmp_path: Path, is_followed: bool
) -> None:
    with started(home, drain_seconds="3600") as server, httpx.Client(base_url=server.url, timeout=60) as client:
        job_id = handed_in(client, tmp_path / "never")["id"]
        in_state(client, job_id, "running")
        with ExitStack() as following:
            if is_followed:
                following.enter_context(client.stream("GET", f"/api/jobs/{job_id}/events"))
            server.signal(signal.SIGINT)
            wait_for(lambda: "have 3600 s to finish" in server.log, "the server to begin to end")
            server.signal(signal.SIGINT)
            server.gone()
    assert "Traceback" not in server.log
    with closing(open_database(Settings(data_dir=home))) as database:
        assert [job.state for job in JobStore(database, 500).list(EVERYTHING).jobs] == [JobState.QUEUED]


def is_listening(server: StartedServer) -> bool:
    host, _, port = server.url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=60).close()
    except ConnectionError:
        return False
    return True


@pytest.fixture
def two(home: Path) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Give clients of two servers over one data folder."""
    with (
        started(home, composer_processes="1") as left,
        started(home, composer_processes="1") as right,
        httpx.Client(base_url=left.url, timeout=60) as to_left,
        httpx.Client(base_url=right.url, timeout=60) as to_right,
    ):
        yield to_left, to_right


def test_two_servers_over_one_folder_share_their_jobs_and_make_each_once(
    two: tuple[httpx.Client, httpx.Client], home: Path
) -> None:
    left, right = two
    jobs = [handed_in(one, f"piano {number}", "prompt")["id"] for number in range(5) for one in two]
    for job_id in jobs:
        made = in_state(left, job_id, "succeeded")
        assert job_of(right, job_id)["state"] == "succeeded"
        assert left.get(made["result"]["url"]).content == right.get(made["result"]["url"]).content
    with closing(open_database(Settings(data_dir=home))) as database:
        assert [job.attempts for job in JobStore(database, 500).list().jobs] == [1] * len(jobs)


def test_a_job_is_cancelled_through_the_other_server(two: tuple[httpx.Client, httpx.Client], tmp_path: Path) -> None:
    for here, there in (two, two[::-1]):
        job_id = handed_in(here, tmp_path / "never")["id"]
        in_state(here, job_id, "running")
        assert there.delete(f"/api/jobs/{job_id}").json()["state"] == "canceled"
        in_state(here, job_id, "canceled")
        assert here.get("/api/jobs", params={"state": "running"}).json()["jobs"] == []


def test_what_a_killed_server_was_making_is_made_by_the_other(home: Path, tmp_path: Path) -> None:
    with started(home) as left, httpx.Client(base_url=left.url, timeout=60) as to_left:
        job_id = handed_in(to_left, tmp_path / "gate")["id"]
        in_state(to_left, job_id, "running")
        with started(home) as right, httpx.Client(base_url=right.url, timeout=60) as to_right:
            left.signal(signal.SIGKILL)
            left.gone()
            (tmp_path / "gate").touch()
            assert in_state(to_right, job_id, "succeeded")["id"] == job_id
