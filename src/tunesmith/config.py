"""Settings: persistent defaults from the environment (TUNESMITH_…) or a TOML file.

A command-line flag overrides the environment, which overrides the file, which overrides the defaults here.
docs/configuration.md lists all settings.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tunesmith.config_urls import BaseUrl, Host, Origin
from tunesmith.errors import InvalidRequest
from tunesmith.field_names import did_you_mean_field
from tunesmith.fields import format_validation_error
from tunesmith.request import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS, SampleRate
from tunesmith.suggestions import near_names
from tunesmith.text_files import decoded

PREFIX = "TUNESMITH_"
FILE_VARIABLE = "TUNESMITH_CONFIG"
OF_CLIENTS = ("TUNESMITH_TOKEN", "TUNESMITH_URL")
ALIKE = 0.85
"""The similarity to a setting's name that counts as a typo, since other programs may use the prefix too."""


def _words(value: object) -> object:
    """Split text from an environment variable at its commas; return other values unchanged."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


TimeoutSeconds = Annotated[float, Field(gt=0, le=86_400)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Hosts = Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_words)]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_words)]


def settings_file() -> Path:
    """Return the path of the TOML file: $TUNESMITH_CONFIG, or config.toml in the platform's configuration folder."""
    return Path(os.environ.get(FILE_VARIABLE) or platformdirs.user_config_path("tunesmith") / "config.toml")


class _TomlFile(TomlConfigSettingsSource):
    """A TOML file in UTF-8, with or without the byte order mark that editors on Windows add."""

    def _read_file(self, file_path: Path) -> dict[str, Any]:  # type: ignore[override]  # only paths are given
        return tomllib.loads(decoded(file_path.read_bytes(), str(file_path), "settings"))


class Settings(BaseSettings):
    """All settings; those that concern the music are also flags of ``tunesmith generate``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    duration: Annotated[float, Field(ge=MIN_DURATION_SECONDS, le=MAX_DURATION_SECONDS)] = 30.0
    sample_rate: SampleRate = 44100
    loudness_lufs: Annotated[float, Field(ge=-40, le=-8)] | None = None
    soundfont: Path | None = None
    suffix: Literal[".wav", ".flac", ".mp3", ".ogg", ".opus"] = ".wav"
    commercial_safe: bool = False
    revenue_below_limit: bool = False
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("tunesmith"))
    prompt_log: bool = True
    no_pull: bool = False
    database_url: str | None = None
    hf_base_url: str | None = None
    hf_token: SecretStr | None = None
    replicate_base_url: str | None = None
    replicate_token: SecretStr | None = None
    hosted_seconds: Annotated[float, Field(ge=1, le=7200)] = 600.0
    hosted_models: Words = ()
    max_calls: str | None = None
    queue_limit: Annotated[int, Field(ge=1)] = 500
    keep_alive: Annotated[float, Field(ge=-1)] = 300.0
    batch_rows: Annotated[int, Field(ge=2, le=256)] = 16
    composer_processes: Annotated[int, Field(ge=0, le=256)] = 0
    cold_start: Literal["hold", "503"] = "hold"
    drain_seconds: Annotated[int, Field(ge=0, le=3600)] = 10
    live_streams: Annotated[int, Field(ge=0, le=256)] = 4
    live_streams_per_caller: Annotated[int, Field(ge=1, le=256)] = 2
    live_seconds: TimeoutSeconds = 3600.0
    live_idle_seconds: TimeoutSeconds = 1800.0
    live_record_seconds: Annotated[float, Field(ge=1, le=1800)] = 300.0
    result_days: Annotated[float, Field(gt=0)] = 30.0
    result_gigabytes: Annotated[float, Field(gt=0)] = 20.0
    job_days: Annotated[float, Field(ge=1)] = 90.0
    job_count: Annotated[int, Field(ge=1)] = 100_000
    upload_gigabytes_per_day: Annotated[float, Field(gt=0)] = 5.0
    public_url: BaseUrl | None = None
    replicate_output: Literal["auto", "url", "data"] = "auto"
    allow_private_addresses: bool = False
    rate_limit_url: str | None = None
    anonymous_rate: str = "60/minute"
    anonymous_quota: str = "50/day"
    max_body_megabytes: Annotated[float, Field(gt=0)] = 140.0
    header_timeout_seconds: TimeoutSeconds = 20.0
    body_timeout_seconds: TimeoutSeconds = 30.0
    send_timeout_seconds: TimeoutSeconds = 60.0
    idle_timeout_seconds: TimeoutSeconds = 75.0
    max_connections: Annotated[int, Field(ge=1)] = 10_000
    max_connections_per_address: Annotated[int, Field(ge=1)] = 256
    allowed_hosts: Hosts = ()
    cors_origins: Origins = ()
    trusted_proxies: Words = ()
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the interface's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the interface's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by precedence: arguments, environment, file."""
        return init_settings, env_settings, _TomlFile(settings_cls, settings_file())


def load_settings() -> Settings:
    """Load the settings; raise InvalidRequest that names the setting, the limit and the value."""
    if settings_file().is_dir():
        raise InvalidRequest("settings", f"{settings_file()} is a folder; {FILE_VARIABLE} must name a file")
    try:
        return Settings()
    except ValidationError as error:
        field, _, problem = format_validation_error(error).partition(": ")
        # The items of a list have no names, so name the setting alone.
        field = field.partition(".")[0]
        # Only the file can cause this: unknown environment variables are ignored.
        if error.errors()[0]["type"] == "extra_forbidden":
            hint = did_you_mean_field(field, Settings.model_fields) or "; docs/configuration.md lists all"
            problem = f"unknown setting in {settings_file()}{hint}"
        raise InvalidRequest(f"setting {field}", problem) from None
    except (ValueError, OSError) as error:
        raise InvalidRequest("settings", f"cannot read {settings_file()}: {error}") from None


def misspelt_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each variable whose name is close to a setting's."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in (*known, *OF_CLIENTS):
            for meant in near_names(name, known, cutoff=ALIKE):
                yield f"{name} is not a setting and has no effect; did you mean {meant}?"
