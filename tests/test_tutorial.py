"""docs/tutorial.md: its programs run against a started server, and against what hosted services are known to answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_pages import ROOT, USUAL_ADDRESS, blocks_of, read_page
from forked_python import run_program
from hosted_services import Answer, HostedService, audio_answer, hosted_service, json_answer, sound
from javascript import node_alone
from listening_to import heard
from started_server import StartedServer, started

PAGE = read_page("docs/tutorial.md")
NAMES = ["smallest", "music", "prediction", "short"]
LANGUAGES = {"py": "python", "mjs": "js"}
LOADING = {"error": "Model facebook/musicgen-small is currently loading", "estimated_time": 3.0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    with started(tmp_path_factory.mktemp("tutorial"), composer_processes="1") as one:
        yield one


@pytest.fixture
def service() -> Iterator[HostedService]:
    with hosted_service() as one:
        yield one


def program(name: str, suffix: str) -> str:
    """Return a program of the page."""
    (block,) = blocks_of(PAGE, LANGUAGES[suffix], f"tested: {name}.{suffix}")
    return block.code


def ran(
    folder: Path, file: str, *arguments: str, url: str = USUAL_ADDRESS, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Save a program in a folder and run it there, with the server where it really is."""
    name, suffix = file.split(".")
    (folder / file).write_text(program(name, suffix).replace(USUAL_ADDRESS, url), encoding="utf-8")
    command = [sys.executable] if suffix == "py" else [node_alone()]
    if suffix == "mjs":  # as npm would install it
        (folder / "node_modules").mkdir(exist_ok=True)
        (folder / "node_modules" / "tunesmith").symlink_to(ROOT / "clients" / "js", target_is_directory=True)
    return run_program([*command, file, *arguments], folder, {"PYTHONUTF8": "1", **variables}, encoding="utf-8")


def test_every_program_of_the_page_is_run() -> None:
    for suffix, language in LANGUAGES.items():
        assert PAGE.count(f"```{language}\n") == len([program(name, suffix) for name in NAMES])


@pytest.mark.parametrize("suffix", LANGUAGES)
@pytest.mark.parametrize(("name", "arguments", "file", "seconds"), [
    ("smallest", (), "first.wav", 10), ("music", ("calm guitar", "4"), "music.wav", 4),
    ("prediction", (), "prediction.wav", 8), ("short", (), "short.wav", 10),
])  # fmt: skip
def test_a_program_makes_its_file_at_a_server_of_one_s_own(
    server: StartedServer, tmp_path: Path, name: str, suffix: str, arguments: tuple[str, ...], file: str, seconds: float
) -> None:
    done = ran(tmp_path, f"{name}.{suffix}", *arguments, url=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    made = heard((tmp_path / file).read_bytes())
    assert (round(made.seconds, 1), made.is_silent) == (seconds, False)


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_half_an_answer_a_cold_start_and_a_rate_limit_are_survived(
    service: HostedService, tmp_path: Path, suffix: str
) -> None:
    service.answers = [
        Answer(200, sound(4), {"Content-Type": "audio/wav"}, cut=5_000), json_answer(LOADING, 503),
        json_answer({"error": "Rate limit reached"}, 429, Retry_After="3"), audio_answer(4, "FLAC", "audio/flac"),
    ]  # fmt: skip
    done = ran(tmp_path, f"music.{suffix}", "calm guitar", "4", MUSIC_URL=service.url, MUSIC_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "music.flac"
    assert heard((tmp_path / "music.flac").read_bytes()).seconds == 4
    assert len(service.asked) == 4
    assert service.asked[0].headers["authorization"] == "Bearer hf_secret"
    assert service.asked[0].json == {"inputs": "calm guitar", "parameters": {"max_new_tokens": 203}}
    assert "currently loading" in done.stderr
    assert "Rate limit reached" in done.stderr


@pytest.mark.parametrize("suffix", LANGUAGES)
@pytest.mark.parametrize(("answer", "words"), [
    (json_answer({"error": "Invalid credentials"}, 401), "set MUSIC_TOKEN: Invalid credentials"),
    (json_answer({"error": "You have exceeded"}, 402), "the credits are used up"),
    (Answer(404, b"<html>", {"Content-Type": "text/html"}), "this model is not served there: no reason"),
    (json_answer({"error": "top_k: must be at least 1"}, 422), "422: top_k: must be at least 1"),
    (json_answer({"error": "later"}, 429, Retry_After="3600"), "429: later"),
], ids=["token", "credits", "page", "mistake", "hour"])  # fmt: skip
def test_what_waiting_does_not_help_ends_at_once_with_a_line(
    service: HostedService, tmp_path: Path, suffix: str, answer: Answer, words: str
) -> None:
    service.answers = [answer]
    done = ran(tmp_path, f"music.{suffix}", "calm", "4", MUSIC_URL=service.url)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("music.wav"))


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_a_long_prompt_is_shortened_and_another_length_is_told(
    service: HostedService, tmp_path: Path, suffix: str
) -> None:
    service.answers = [audio_answer(30)]
    done = ran(tmp_path, f"music.{suffix}", "calm piano " * 100, "45", MUSIC_URL=service.url)
    assert done.returncode == 0, done.stderr
    sent = service.asked[0].json["inputs"]
    assert 480 < len(sent) <= 500
    assert sent.endswith(("calm", "piano"))
    assert "only the beginning of the prompt is used" in done.stderr
    assert "30.0 s came" in done.stderr


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_a_prediction_is_polled_and_its_file_fetched_and_a_refusal_is_told(
    service: HostedService, tmp_path: Path, suffix: str
) -> None:
    create = ("POST", "/v1/models/meta/musicgen/predictions")
    service.routes[create] = [json_answer({"id": "p1", "status": "starting"}, 201)]
    output = {"id": "p1", "status": "succeeded", "output": f"{service.url}/out.wav"}
    service.routes["GET", "/v1/predictions/p1"] = [
        json_answer({"id": "p1", "status": "processing"}),
        json_answer(output),
    ]
    service.routes["GET", "/out.wav"] = [audio_answer(8)]
    variables = {"REPLICATE_BASE_URL": service.url, "REPLICATE_API_TOKEN": "r8_secret"}
    done = ran(tmp_path, f"prediction.{suffix}", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert heard((tmp_path / "prediction.wav").read_bytes()).seconds == 8
    assert "authorization" not in service.asked[-1].headers
    service.routes[create] = [json_answer({"title": "Unauthenticated", "detail": "Invalid token"}, 401)]
    (tmp_path / "again").mkdir()
    refused = ran(tmp_path / "again", f"prediction.{suffix}", **variables)
    assert refused.returncode == 1
    assert "401: Invalid token" in refused.stderr
