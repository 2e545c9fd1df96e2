"""The package ``tunesmith`` for JavaScript: its own tests, beside servers of their own."""

from __future__ import annotations

import re
from pathlib import Path

from javascript import run_node
from servers_for_others import servers_in

PACKAGE = Path(__file__).parents[2] / "clients" / "js"


def test_the_javascript_package_passes_its_own_tests(tmp_path: Path) -> None:
    with servers_in(tmp_path) as told:
        ran = run_node(PACKAGE, "tests/run.js", "--test-reporter=tap", TUNESMITH_TEST_SERVERS=told)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert passed
    assert int(passed[1]) > 40


def test_its_licence_is_that_of_all_else() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (PACKAGE.parents[1] / "LICENSE").read_bytes()
