"""Settings: where they come from, and that each is documented."""

from __future__ import annotations

import re
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


def test_a_variable_without_a_value_is_as_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("queue_limit = 7", encoding="utf-8")
    for name in ("QUEUE_LIMIT", "PUBLIC_URL", "DATABASE_URL", "CORS_ORIGINS", "KEEP_ALIVE"):
        monkeypatch.setenv(f"TUNESMITH_{name}", "")
    settings = load_settings()
    assert (settings.queue_limit, settings.keep_alive) == (7, 300)
    assert (settings.public_url, settings.database_url, settings.cors_origins) == (None, None, ())


@pytest.mark.parametrize(("text", "words"), [
    ("duration = 0", "duration: .* 1, got 0"), ("duration = ", "cannot read"), ("sample_rate = 7", "sample_rate"),
    ("colour = 1", "colour: unknown setting in .*config.toml"),
    ("durration = 9", r"durration: unknown setting in .*; did you mean duration\?"),
    ("trusted_proxies = 7", "trusted"),
])  # fmt: skip
def test_a_bad_setting_is_named(file: Path, text: str, words: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=words):
        load_settings()


def test_a_folder_is_no_file_of_settings(file: Path) -> None:
    file.mkdir()
    with pytest.raises(InvalidRequest, match="is a folder"):
        load_settings()


@pytest.mark.parametrize("url", ["https://music.example.org", "http://10.0.0.2:8765/", "https://example.org/music"])
def test_the_public_address_is_one_of_a_server(file: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TUNESMITH_PUBLIC_URL", url)
    assert load_settings().public_url == url
    assert not file.exists()


@pytest.mark.parametrize("url", [
    "music.example.org", "localhost:8765", "ftp://music.example.org", "https://", "https://a b", "https://me:pw@x.org",
    "https://x.org?a=1", "https://x.org:port",
])  # fmt: skip
def test_what_no_address_can_begin_with_is_no_public_address(
    file: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TUNESMITH_PUBLIC_URL", url)
    with pytest.raises(InvalidRequest, match="setting public_url: must be the address of a server"):
        load_settings()
    assert not file.exists()


def test_names_and_origins_are_kept_as_they_are_compared(file: Path) -> None:
    file.write_text(
        'allowed_hosts = ["Music.LAN", "10.0.0.2", "[FD00::1]", "fd00::2", "*"]\n'
        'cors_origins = ["https://App.example.org/", "http://localhost:5173", "tauri://localhost", "null", "*"]\n',
        encoding="utf-8",
    )
    assert load_settings().allowed_hosts == ("music.lan", "10.0.0.2", "fd00::1", "fd00::2", "*")
    origins = ("https://app.example.org", "http://localhost:5173", "tauri://localhost", "null", "*")
    assert load_settings().cors_origins == origins


@pytest.mark.parametrize(("name", "value"), [
    ("allowed_hosts", "https://music.lan"), ("allowed_hosts", "music.lan:8765"), ("allowed_hosts", "music.lan/x"),
    ("allowed_hosts", "a b"), ("allowed_hosts", "good.lan,bad.lan:"), ("cors_origins", "app.example.org"),
    ("cors_origins", "https://app.example.org/page"), ("cors_origins", "https://a.example,b.example"),
    ("cors_origins", "localhost:5173"),
])  # fmt: skip
def test_a_name_or_origin_that_never_fits_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TUNESMITH_{name.upper()}", value)
    with pytest.raises(InvalidRequest, match=f"^setting {name}: must be "):
        load_settings()


def test_every_setting_is_documented_with_its_default_and_nothing_else_is() -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `TUNESMITH_[A-Z_]+` \| [^|]+ \| ([^|]+) \|", page, re.MULTILINE))
    assert set(told) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        assert f"| `{name}` | `TUNESMITH_{name.upper()}` |" in page
        default = re.match(r"`([^`]+)`", told[name])
        if field.default_factory or field.default in (None, ()):
            continue  # the page says what holds instead
        assert default, name
        assert default[1] == str(field.default).removesuffix(".0").replace("True", "true").replace("False", "false")


def test_a_file_with_the_mark_of_a_windows_editor_is_read(file: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        file.write_text("duration = 12", encoding=encoding)
        assert load_settings().duration == 12
    file.write_bytes('public_url = "http://m\xfcsik.example"'.encode("cp1252"))
    with pytest.raises(InvalidRequest, match=r"settings: .*UTF-8, which line 1 is not; save it as UTF-8"):
        load_settings()
