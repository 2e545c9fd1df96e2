"""Doubts: slips in the environment are told, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tunesmith
from tunesmith.config import Settings
from tunesmith.server.startup import config_warnings

SOURCE = Path(tunesmith.__file__).parent


def test_every_setting_and_the_variables_of_other_parts_are_beyond_doubt(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch()
    said = {name for file in SOURCE.rglob("*.py") for name in re.findall(r"TUNESMITH_[A-Z_]*", file.read_text("utf-8"))}
    names = [*(f"TUNESMITH_{name.upper()}" for name in Settings.model_fields), *said, "HOME"]
    assert not list(config_warnings({**dict.fromkeys(names, "1"), "TUNESMITH_CONFIG": str(tmp_path / "config.toml")}))
    assert not list(config_warnings({"TUNESMITH_CONFIG": ""}))


@pytest.mark.parametrize(("slip", "meant"), [
    ("TUNESMITH_KEEPALIVE", "TUNESMITH_KEEP_ALIVE"), ("TUNESMITH_CORS_ORIGIN", "TUNESMITH_CORS_ORIGINS"),
    ("TUNESMITH_DATADIR", "TUNESMITH_DATA_DIR"), ("TUNESMITH_DATABASE_URI", "TUNESMITH_DATABASE_URL"),
])  # fmt: skip
def test_a_slip_of_the_pen_is_told_with_what_was_meant(slip: str, meant: str) -> None:
    (line,) = config_warnings({slip: "1"})
    assert line == f"{slip} is not a setting and has no effect; did you mean {meant}?"


def test_a_file_of_settings_that_is_not_there_is_told(tmp_path: Path) -> None:
    (line,) = config_warnings({"TUNESMITH_CONFIG": str(tmp_path / "conifg.toml")})
    assert "conifg.toml" in line
