"""docs/deployment.md: the unit, the Dockerfile and the settings that it shows are such as work."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from doc_pages import ROOT, read_page
from fastapi import FastAPI
from live_server import served

from tunesmith.cli import run
from tunesmith.config import FILE_VARIABLE, Settings
from tunesmith.server.apis.native.jobs import MAX_WAIT_SECONDS
from tunesmith.server.apis.responses import SILENCE_SECONDS
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.uvicorn_server import LAST_WORDS_SECONDS

PAGE = read_page("docs/deployment.md")


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found[number]


def caddyfile() -> str:
    """Return the block without a language that is Caddy's."""
    (found,) = re.findall(r"\n```\n(\{\n\tservers.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


@pytest.fixture
def unit() -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    parser.read_string(block("ini"))
    return {name: dict(parser[name]) for name in parser.sections()}


def docker() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions."""
    lines = block("dockerfile").replace("\\\n", "").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def instruction(word: str) -> str:
    (found,) = (rest for name, rest in docker() if name == word)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """Take what servers would be started with, and start none."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    seen: list[dict[str, Any]] = []

    def note(server: Any) -> None:
        seen.append({"host": server.config.host, "port": server.config.port})

    monkeypatch.setattr("tunesmith.server.uvicorn_server.DrainingServer.run", note)
    return seen


def test_the_unit_starts_the_server_as_its_flags_say(
    unit: dict[str, dict[str, str]], asked: list[dict[str, Any]]
) -> None:
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert program == "/opt/tunesmith/bin/tunesmith"
    assert run(arguments) == 0
    assert asked == [{"host": "127.0.0.1", "port": 8765}]


def test_the_unit_leaves_the_server_its_time_to_end_and_knows_how_it_ends(unit: dict[str, dict[str, str]]) -> None:
    service = unit["Service"]
    assert float(service["TimeoutStopSec"]) > Settings.model_fields["drain_seconds"].default + LAST_WORDS_SECONDS
    assert (service["KillMode"], service["SuccessExitStatus"]) == ("mixed", "143")
    assert service["RestartPreventExitStatus"] == "2"
    assert service["Environment"] == f"TUNESMITH_DATA_DIR=/var/lib/{service['StateDirectory']}"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    file = tmp_path / "tunesmith.service"
    file.write_text(block("ini").replace("/opt/tunesmith/bin/tunesmith", "/bin/true"), encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "tunesmith.service" not in checked.stderr, checked.stderr


def test_the_container_starts_the_server_as_its_flags_say(asked: list[dict[str, Any]]) -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["tunesmith"]
    command = json.loads(instruction("CMD"))
    assert run(command) == 2  # nobody opens it to others without a token
    assert run(["token", "create", "--name", "me"]) == 0
    assert run(command) == 0
    assert asked == [{"host": "0.0.0.0", "port": int(instruction("EXPOSE"))}]


def test_the_container_keeps_its_data_on_a_volume_of_its_own_user() -> None:
    words = [word for word, _ in docker()]
    user = instruction("USER")
    assert f"useradd --system --uid 10001 --create-home {user}" in instruction("RUN")
    assert f"install -d -o {user} {instruction('VOLUME')}" in instruction("RUN")
    assert instruction("ENV") == f"TUNESMITH_DATA_DIR={instruction('VOLUME')}"
    assert words.index("RUN") < words.index("USER") < words.index("CMD")


def test_the_container_s_health_is_that_of_the_server(tmp_path: Path) -> None:
    _, _, code = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    ast.parse(code)
    settings = Settings(data_dir=tmp_path, allowed_hosts=("music.example.com",))
    app: FastAPI = create_app(settings, ServerOptions(anonymous=True, host="0.0.0.0"))
    with served(app) as url:
        exec(code.replace("http://127.0.0.1:8765", url))
    with pytest.raises(OSError, match="refused"):
        exec(code.replace("http://127.0.0.1:8765", url))


def test_every_extra_and_every_setting_that_the_page_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name for names in re.findall(r"(?:\.whl|\))\[([\w,]+)\]", PAGE) for name in names.split(",")}
    assert extras == {"postgres", "redis"} <= set(project["optional-dependencies"])
    minor = re.search(r"FROM python:3\.(\d+)", PAGE)
    assert minor
    assert f"3.{minor[1]}" >= project["requires-python"].removeprefix(">=")
    variables = set(re.findall(r"TUNESMITH_([A-Z_]+)", PAGE)) - {FILE_VARIABLE.removeprefix("TUNESMITH_")}
    assert {name.lower() for name in variables} <= set(Settings.model_fields)
    directives = set(re.findall(r"^\s*([a-z]+(?:_[a-z]+)+) ", block("nginx") + caddyfile(), flags=re.MULTILINE))
    told = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE)) - {"pg_dump", "proxy_request_buffering"} - directives
    assert told <= set(Settings.model_fields)


def test_the_limits_of_the_proxies_are_not_below_the_server_s() -> None:
    server = Settings.model_fields["max_body_megabytes"].default
    (caddy,) = re.findall(r"max_size (\d+)MB", PAGE)
    (nginx,) = re.findall(r"client_max_body_size (\d+)m;", PAGE)
    assert min(int(caddy), int(nginx)) >= server


def test_the_time_outs_of_the_proxies_fit_the_server_s() -> None:
    default = {name: field.default for name, field in Settings.model_fields.items()}
    nginx = {name: int(seconds) for name, seconds in re.findall(r"(\w+) (\d+)s;", block("nginx"))}
    caddy = {name: int(seconds) for name, seconds in re.findall(r"(\w+) (\d+)s\n", caddyfile())}
    for kept in (nginx["keepalive_timeout"], caddy["keepalive"]):
        assert kept < default["idle_timeout_seconds"]  # else a request meets a connection that is being closed
    assert nginx["proxy_read_timeout"] > max(default["hosted_seconds"], MAX_WAIT_SECONDS, SILENCE_SECONDS)
    assert nginx["client_header_timeout"] == caddy["read_header"] == default["header_timeout_seconds"]
    assert nginx["client_body_timeout"] == default["body_timeout_seconds"]
    assert nginx["send_timeout"] == default["send_timeout_seconds"]
    assert "write" not in caddy
    table = PAGE.partition("### Time-outs\n")[2].partition("\n\n")[0]
    for name, seconds in re.findall(r"`([a-z_]+_seconds)` \((\d+)\)", table):
        assert default[name] == int(seconds), name
    for silence in (MAX_WAIT_SECONDS, SILENCE_SECONDS):
        assert f"silent for {silence:g} s at most" in table


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("there is no nginx here")
    site = re.sub(r"listen 443 ssl;|ssl_certificate.*;", "", block("nginx"))
    folders = "".join(f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ {folders} access_log off;\n{site} }}",
        encoding="utf-8",
    )
    checked = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stderr


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    if shutil.which("caddy") is None:
        pytest.skip("there is no Caddy here")
    file = tmp_path / "Caddyfile"
    file.write_text(caddyfile(), encoding="utf-8")
    checked = subprocess.run(
        ["caddy", "validate", "--config", str(file)], capture_output=True, text=True, check=False, timeout=60,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_what_a_load_balancer_and_prometheus_ask_is_there(tmp_path: Path) -> None:
    with served(create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))) as url:
        for path in ("/health/ready", "/metrics"):
            assert f"`{path}`" in PAGE
            assert httpx.get(url + path).status_code == 200
