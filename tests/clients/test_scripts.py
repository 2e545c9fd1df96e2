"""Scripts as people have written them for the hosted services, run as they are but for the address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from listening_to import heard
from plain_callers import no_curl
from serving import TINY, Serving

WRITES_CONTENT = """
import sys
import requests

API_URL = sys.argv[1]
headers = {"Authorization": "Bearer hf_any"}


def query(payload):
    response = requests.post(API_URL, headers=headers, json=payload)
    return response.content


audio_bytes = query({"inputs": "liquid drum and bass, atmospheric synths, airy sounds"})
with open("music.wav", "wb") as file:
    file.write(audio_bytes)
"""

LOOPS_ON_ESTIMATED_TIME = """
import sys
import time
import requests

API_URL = sys.argv[1]
headers = {"Authorization": "Bearer hf_any", "x-wait-for-model": "false"}

while True:
    response = requests.post(API_URL, headers=headers, json={"inputs": "calm piano"}, timeout=120)
    if "application/json" not in response.headers["content-type"]:
        break
    answer = response.json()
    if "estimated_time" not in answer:
        sys.exit(answer["error"])
    print(answer["estimated_time"], flush=True)
    time.sleep(min(answer["estimated_time"], 3))  # other tests may have had the model wait for minutes

with open("music.wav", "wb") as file:
    file.write(response.content)
"""

URLLIB = """
import json
import sys
from urllib.request import Request, urlopen

request = Request(sys.argv[1], json.dumps({"inputs": "calm piano"}).encode(), {"Authorization": "Bearer hf_any"})
with urlopen(request) as response, open("music.wav", "wb") as file:
    file.write(response.read())
"""

CURL = """curl --fail --silent "$1" -H "Authorization: Bearer hf_any" -d '{"inputs": "calm piano"}' -o music.wav"""


@pytest.mark.parametrize("command", [
    [sys.executable, "-c", WRITES_CONTENT], [sys.executable, "-c", URLLIB],
    pytest.param(["sh", "-c", CURL, "sh"], marks=pytest.mark.skipif(no_curl, reason="there is no curl")),
], ids=["requests", "urllib", "curl"])  # fmt: skip
def test_a_script_that_writes_the_content_has_ten_seconds_of_music(
    server: Serving, tmp_path: Path, command: list[str]
) -> None:
    subprocess.run([*command, f"{server.url}/models/{TINY}"], cwd=tmp_path, timeout=60, check=True)
    made = heard((tmp_path / "music.wav").read_bytes())
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)


def test_a_script_that_loops_on_estimated_time_ends_with_sound(musicgen_server: Serving, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOOPS_ON_ESTIMATED_TIME, f"{musicgen_server.url}/models/slow"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout
        estimates = [float(script.stdout.readline())]
        musicgen_server.gate.touch()
        estimates += [float(line) for line in script.stdout]
    musicgen_server.gate.unlink()
    assert script.returncode == 0
    assert all(estimate >= 1 for estimate in estimates)
    assert heard((tmp_path / "music.wav").read_bytes()).format == "WAV"


def test_a_script_that_loops_on_estimated_time_is_told_of_a_mistake(server: Serving) -> None:
    command = [sys.executable, "-c", LOOPS_ON_ESTIMATED_TIME, f"{server.url}/models/nobody/nothing"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "nobody/nothing" in ran.stderr
