"""Really started servers for the tests with real clients: one of each kind for a whole run of pytest (or xdist worker).

Import the fixtures wanted into a ``conftest.py``. Beside the composer and the stand-ins every server knows the strange
generators: ``patient`` plays until it is cancelled or the file that the prompt names is there, ``raising`` fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest
import strange_generators
from checkpoints import copy_musicgen
from hub_server import hub_server
from magenta_checkpoint import HUB_ID, write_magenta_tree
from run_folder import copy_of_shared
from stable_audio_files import write_optimized
from started_server import StartedServer, started, wait_for

from tunesmith.config import Settings
from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.store import EVERYTHING, JobStore
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit, Scope, TokenRequest, Tokens
from tunesmith.models.hub import Hub
from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store

STABLE_AUDIO = "stabilityai/stable-audio-3-small-music"
TINY = "facebook/musicgen-small"
"""The name under which the server with a model has the tiny random MusicGen."""

WRONG_TOKEN = "ts_wrong"
BROKEN = "facebook/musicgen-medium"
"""The name under which that server has a model one of whose files has changed, so that every job of it fails."""


@dataclass(frozen=True)
class Serving:
    """A server at ``url``, its jobs and its tokens; the model ``slow`` is loaded once the file ``gate`` is there."""

    process: StartedServer
    jobs: JobStore
    tokens: Tokens
    gate: Path

    @property
    def url(self) -> str:
        return self.process.url

    def token(self, *, scope: Scope = "generate", quota: str | None = None, rate: str | None = None) -> str:
        """Make a token, such as one with a quota of ``1/day``; return its secret."""
        pieces, requests = (RateLimit.parse("limit", text) if text else None for text in (quota, rate))
        return self.tokens.create(TokenRequest(uuid4().hex, scope, pieces, requests)).secret

    def job_of(self, prompt: str) -> Job | None:
        """Return the newest job with a prompt."""
        found = (job for job in self.jobs.list(EVERYTHING).jobs if job.request.prompt == prompt)
        return next(found, None)

    def wait_for_state(self, prompt: str, state: JobState) -> Job:
        """Wait until the newest job with a prompt is in a state; fails rather than wait for ever."""

        def reached() -> bool:
            job = self.job_of(prompt)
            return job is not None and job.state is state

        wait_for(reached, f"{prompt!r} to be {state.value}", pause=0.03)
        job = self.job_of(prompt)
        assert job
        return job


@contextmanager
def serving(folder: Path, *flags: str, **settings: str) -> Iterator[Serving]:
    """Start a server over a data folder under ``folder`` and wait until it is ready; it ends with the block."""
    data_dir = folder / "data"
    with closing(open_database(Settings(data_dir=data_dir))) as database, ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", strange_generators.install(folder / "site"))
            patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
            patch.setenv(strange_generators.GATE, str(folder / "gate"))
            process = running.enter_context(started(data_dir, *flags, **settings))
        with urlopen(f"{process.url}/health/live", timeout=30) as answer:
            assert answer.status == 200
        yield Serving(process, JobStore(database, 500), Tokens(database), folder / "gate")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give an open server that may call back to this machine."""
    folder = tmp_path_factory.mktemp("open-server")
    with serving(folder, allow_private_addresses="true", composer_processes="1") as one:
        yield one


@pytest.fixture(scope="session")
def server_with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server that wants a token of its own."""
    with serving(tmp_path_factory.mktemp("server-with-tokens"), composer_processes="1") as one:
        one.token()
        yield one


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server without stand-ins, for one job at a time and one that waits."""
    folder = tmp_path_factory.mktemp("strict-server")
    with serving(folder, "--no-stand-in", queue_limit="1", batch_rows="2", composer_processes="1") as one:
        yield one


@pytest.fixture(scope="session")
def musicgen_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server that has TINY, pulled from a hub and loaded afresh for every request, and BROKEN."""
    folder = tmp_path_factory.mktemp("musicgen-server")
    copy_pulled(folder, folder / "data")
    with serving(folder, keep_alive="0") as one:
        yield one


def copy_pulled(folder: Path, data_dir: Path) -> None:
    """Write what pull_tiny writes into a data folder; it is pulled once in a run, because that takes seconds."""
    copy_of_shared("pulled-musicgen", data_dir, lambda made: pull_tiny(folder, made))


def pull_tiny(folder: Path, data_dir: Path) -> None:
    """Publish a tiny random MusicGen on a hub of our own, and pull it from there; once more to break it."""
    copy_musicgen(folder / "checkpoint")
    (folder / "checkpoint" / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    with hub_server() as hub:
        hub.share(TINY, folder / "checkpoint", licence="mit")
        tools = PullTools(Store(data_dir), Hub(hub.url, folder / "cache"))
        pull(PullRequest(TINY), tools, lambda _: None, lambda _: None)
        broken = pull(PullRequest(TINY, name="musicgen-medium"), tools, lambda _: None, lambda _: None)
    first = broken.folder / broken.manifest.files[0].name
    first.write_bytes(first.read_bytes() + b"changed")


def pull_stable_audio(folder: Path) -> None:
    """Pull STABLE_AUDIO, tiny, into ``folder``/data from the repository that needs no account."""
    write_optimized(folder / "checkpoint")
    with hub_server() as hub:
        hub.share("stabilityai/stable-audio-3-optimized", folder / "checkpoint", licence="other")
        tools = PullTools(Store(folder / "data"), Hub(hub.url, folder / "cache"))
        wanted = PullRequest("stable-audio-3-small-music", accept_licence=True)
        pull(wanted, tools, lambda _: None, lambda _: None)


@pytest.fixture
def stable_audio_server(tmp_path: Path) -> Iterator[Serving]:
    """Give a server that has STABLE_AUDIO, pulled from the repository that needs no account."""
    pull_stable_audio(tmp_path)
    with serving(tmp_path, keep_alive="0") as one:
        yield one


@pytest.fixture
def magenta_server(tmp_path: Path) -> Iterator[Serving]:
    """Give a server that has Magenta RealTime 2, pulled from its repository."""
    write_magenta_tree(tmp_path / "checkpoint")
    with hub_server() as hub:
        hub.share(HUB_ID, tmp_path / "checkpoint", licence="cc-by-4.0")
        tools = PullTools(Store(tmp_path / "data"), Hub(hub.url, tmp_path / "cache"))
        pull(PullRequest("magenta-rt2-small"), tools, lambda _: None, lambda _: None)
    with serving(tmp_path, keep_alive="0") as one:
        yield one


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Give a maker of prompts that ``patient`` plays until the test ends, or until somebody makes their file."""
    prompts: list[str] = []

    def prompt(name: str) -> str:
        prompts.append(str(tmp_path / name))
        return prompts[-1]

    yield prompt
    for one in prompts:
        Path(one).touch()
