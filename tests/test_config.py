"""Settings: where they come from, and that each is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.config import FILE_VARIABLE, Settings, load_settings, settings_file
from tunesmith.errors import InvalidRequest


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().sample_rate == 44100
    file.write_text("sample_rate = 48000\nduration = 12", encoding="utf-8")
    assert (load_settings().sample_rate, load_settings().duration) == (48000, 12)
    monkeypatch.setenv("TUNESMITH_SAMPLE_RATE", "22050")
    assert load_settings().sample_rate == 22050
    assert settings_file() == file


@pytest.mark.parametrize(("text", "words"), [
    ("duration = 0", "duration: .* 1, got 0"), ("colour = 1", "colour"), ("duration = ", "cannot read"),
    ("sample_rate = 7", "sample_rate"),
])  # fmt: skip
def test_a_bad_setting_is_named(file: Path, text: str, words: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=words):
        load_settings()


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"| `{name}` | `TUNESMITH_{name.upper()}` |" in page
