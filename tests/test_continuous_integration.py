"""The file for continuous integration names what exists: make targets, scripts, systems and Pythons."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any

import yaml
from doc_pages import ROOT, read_page

WORKFLOW: dict[str, Any] = yaml.safe_load(read_page(".github/workflows/ci.yml"))
JOBS: dict[str, Any] = WORKFLOW["jobs"]
COMMANDS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read_page("Makefile"), flags=re.MULTILINE))
    named = {word for command in COMMANDS if command.startswith("make ") for word in command.split()[1:]}
    named = {word for word in named if "=" not in word}
    assert {"music", "check", "test", "dist"} <= named <= targets


def test_the_script_it_calls_runs_the_same_targets() -> None:
    scripts = {command.split()[0] for command in COMMANDS if command.startswith(".")}
    assert scripts == {".ci/run"}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert read_page(".ci/run").rstrip().endswith("make check test")


def test_three_systems_and_every_supported_python_are_covered() -> None:
    project = tomllib.loads(read_page("pyproject.toml"))["project"]
    supported = {one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)}
    for job in JOBS.values():
        assert set(job["strategy"]["matrix"]["python"]) == supported
        python = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python"))
        assert python["with"]["python-version"] == "${{ matrix.python }}"
        assert (ROOT / python["with"]["cache-dependency-path"]).is_file()
    systems = {job["runs-on"] for job in JOBS.values()} | set(JOBS["windows-and-macos"]["strategy"]["matrix"]["system"])
    assert {"ubuntu-latest", "windows-latest", "macos-latest"} <= systems


def test_a_pull_request_may_not_write() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
