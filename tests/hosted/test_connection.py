"""Where a service is, with whose token, and that a token goes nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from replicate.client import Client

from tunesmith.hosted.connection import (
    BASE_URL_VARIABLES,
    BASE_URLS,
    ServiceConnection,
    ServiceSettings,
    base_url_of,
    token_for,
)
from tunesmith.hosted.model_names import HostedName, read_name

HF, REPLICATE = read_name("hf:facebook/musicgen-small"), read_name("replicate:meta/musicgen")
ENDPOINT = read_name("hf:https://x.us-east-1.aws.endpoints.huggingface.cloud")
ELSEWHERE = read_name("hf:https://huggingface.co.evil.example/x")


NOTHING_SET = ServiceSettings()


def token(name: HostedName, chosen: ServiceSettings = NOTHING_SET, **environment: str) -> str | None:
    return token_for(name, base_url_of(name, chosen, environment), chosen, {"HF_TOKEN_PATH": "/none", **environment})


@pytest.mark.parametrize(("name", "variable"), [
    (HF, "HF_TOKEN"), (HF, "HUGGING_FACE_HUB_TOKEN"), (ENDPOINT, "HF_TOKEN"), (REPLICATE, "REPLICATE_API_TOKEN"),
])  # fmt: skip
def test_the_vendor_s_variables_are_heard_and_ours_win(name: HostedName, variable: str) -> None:
    assert token(name) is None
    assert token(name, NOTHING_SET, **{variable: " theirs \n"}) == "theirs"
    assert token(name, ServiceSettings(token="ours"), **{variable: "theirs"}) == "ours"


def test_the_file_of_hugging_face_s_login_is_read_where_no_variable_says_more(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from_the_file\n")
    assert token(HF, HF_TOKEN_PATH="", HF_HOME=str(tmp_path)) == "from_the_file"
    assert token(HF, HF_TOKEN_PATH=str(tmp_path / "token")) == "from_the_file"
    assert token(HF, HF_TOKEN_PATH=str(tmp_path / "token"), HF_TOKEN="theirs") == "theirs"
    assert token(REPLICATE, HF_TOKEN_PATH=str(tmp_path / "token")) is None
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert token(HF, HF_TOKEN_PATH=str(tmp_path / "token")) is None


def test_an_endpoint_elsewhere_gets_only_the_token_that_was_set_for_it() -> None:
    assert token(ELSEWHERE, HF_TOKEN="theirs") is None
    assert token(ELSEWHERE, ServiceSettings(token="for_it"), HF_TOKEN="theirs") == "for_it"


def test_one_service_s_token_is_not_the_other_s() -> None:
    assert token(HF, REPLICATE_API_TOKEN="r8") is None
    assert token(REPLICATE, HF_TOKEN="hf") is None


@pytest.mark.parametrize(("name", "variable"), [
    (HF, "HF_INFERENCE_ENDPOINT"), (REPLICATE, "REPLICATE_BASE_URL"), (REPLICATE, "REPLICATE_API_BASE_URL"),
])  # fmt: skip
def test_the_service_may_be_elsewhere(name: HostedName, variable: str) -> None:
    assert base_url_of(name, ServiceSettings(), {}) == BASE_URLS[name.service]
    assert base_url_of(name, ServiceSettings(), {variable: "http://a/"}) == "http://a"
    assert base_url_of(name, ServiceSettings("http://b/"), {variable: "http://a"}) == "http://b"
    assert base_url_of(ENDPOINT, ServiceSettings("http://b/"), {variable: "http://a"}) == ENDPOINT.url


def test_replicate_is_where_its_own_client_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = BASE_URL_VARIABLES["replicate"]
    environment = {first: "http://a", second: "http://b"}
    for variable, url in environment.items():
        monkeypatch.setenv(variable, url)
    assert str(Client(api_token="r8_any")._client.base_url) == "http://a"
    assert base_url_of(REPLICATE, ServiceSettings(), environment) == "http://a"


@pytest.mark.parametrize(("url", "is_sent"), [
    ("https://api.example/v1/x", True), ("https://API.example:443/x", True), ("http://api.example/x", False),
    ("https://api.example:8443/x", False), ("https://api.example.evil/x", False), ("https://evil/api.example", False),
])  # fmt: skip
def test_a_token_goes_to_the_address_of_the_service_alone(url: str, *, is_sent: bool) -> None:
    access = ServiceConnection("https://api.example", "secret")
    assert bool(access.headers_for(url)) is is_sent
    assert "secret" not in repr(access)
