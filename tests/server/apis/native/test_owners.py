"""Whose jobs are whose, and who may change models, where tokens exist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from live_server import served
from own_api import error_of

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import Scope, TokenRequest, Tokens
from tunesmith.server.app import create_app


@dataclass(frozen=True)
class House:
    """A server with tokens."""

    url: str
    settings: Settings

    def client(self, name: str, scope: Scope = "generate") -> httpx.Client:
        with closing(open_database(self.settings)) as database:
            secret = Tokens(database).create(TokenRequest(name, scope)).secret
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {secret}"}, timeout=60)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(data_dir=tmp_path)
    with served(create_app(settings)) as url:
        yield House(url, settings)


def test_another_s_job_is_not_there(house: House) -> None:
    with house.client("ann") as ann, house.client("bob") as bob:
        job = ann.post("/api/jobs", json={"prompt": "piano", "duration": 1}).raise_for_status().json()
        for path in ("", "/audio", "/events"):
            assert error_of(bob.get(f"/api/jobs/{job['id']}{path}")) == (404, "JobNotFound", None)
        assert error_of(bob.delete(f"/api/jobs/{job['id']}")) == (404, "JobNotFound", None)
        assert bob.get("/api/jobs").json() == {"jobs": [], "next": None}
        assert [one["id"] for one in ann.get("/api/jobs").json()["jobs"]] == [job["id"]]


def test_the_same_idempotency_key_of_two_callers_is_two_jobs(house: House) -> None:
    with house.client("ann") as ann, house.client("bob") as bob:
        body, headers = {"prompt": "piano", "duration": 1}, {"idempotency-key": "k"}
        jobs = {one.post("/api/jobs", json=body, headers=headers).json()["id"] for one in (ann, bob, ann)}
        assert len(jobs) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/generate"), ("POST", "/api/jobs"), ("GET", "/api/jobs"), ("GET", "/api/jobs/x"),
     ("DELETE", "/api/jobs/x"), ("POST", "/api/explain"), ("GET", "/api/models"), ("GET", "/api/models/composer"),
     ("POST", "/api/models/pull"), ("DELETE", "/api/models/x"), ("GET", "/api/ps")],
)  # fmt: skip
def test_nobody_gets_in_without_a_token(house: House, method: str, path: str) -> None:
    house.client("ann").close()
    answer = httpx.request(method, house.url + path)
    assert error_of(answer) == (401, "Unauthenticated", None)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_only_an_admin_changes_models(house: House) -> None:
    with house.client("ann") as ann, house.client("root", "admin") as root:
        for client, status in ((ann, 403), (root, 404)):
            assert client.delete("/api/models/nothing").status_code == status
            assert client.post("/api/models/pull", json={"model": "no model"}).status_code == status
        assert error_of(ann.delete("/api/models/nothing"))[1] == "Forbidden"


def test_everyone_may_stand_back_and_only_an_admin_may_go_first(house: House) -> None:
    body = {"prompt": "piano", "duration": 1}
    with house.client("ann") as ann, house.client("root", "admin") as root:
        assert ann.post("/api/jobs", json={**body, "priority": -10}).status_code == 202
        assert error_of(ann.post("/api/jobs", json={**body, "priority": 1})) == (403, "Forbidden", None)
        assert root.post("/api/jobs", json={**body, "priority": 10}).status_code == 202
