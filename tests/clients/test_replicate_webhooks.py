"""What a server calls back with, as Replicate's own library and that of the Standard Webhooks accept it."""

from __future__ import annotations

import json

import pytest
from receivers import Received, Receiver, Reply, receiver
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from replicate_calls import META, refusal, replicate_at
from serving import Serving
from standardwebhooks import Webhook

SHORT = {"prompt": "calm piano", "duration": 2, "seed": 7}


def called_back(server: Serving, there: Receiver, number: int, **params: object) -> list[Received]:
    with replicate_at(server.url) as client:
        client.models.predictions.create(META, input=SHORT, webhook=f"{there.url}/hook", **params)  # type: ignore[arg-type]
        return there.wait_for(number)


def secret_of(server: Serving) -> WebhookSigningSecret:
    with replicate_at(server.url) as client:
        return client.webhooks.default.secret()


def test_webhooks_are_signed_as_both_libraries_expect(server: Serving) -> None:
    with receiver() as there:
        (done,) = called_back(server, there, 1, webhook_events_filter=["completed"])
    assert (done.method, done.path) == ("POST", "/hook")
    secret, body = secret_of(server), done.body.decode()
    Webhooks.validate(headers=dict(done.headers), body=body, secret=secret, tolerance=60)
    assert Webhook(secret.key).verify(body, dict(done.headers))["status"] == "succeeded"
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=dict(done.headers), body=body + " ", secret=secret)


def test_all_events_come_in_turn(server: Serving) -> None:
    with receiver() as there:
        got = called_back(server, there, 4)
    secret = secret_of(server)
    for one in got:
        Webhooks.validate(headers=dict(one.headers), body=one.body.decode(), secret=secret)
    told = [json.loads(one.body) for one in got]
    assert len({one["id"] for one in told}) == 1
    assert told[-1]["status"] == "succeeded"
    assert told[-1]["output"].startswith("data:audio/wav;base64,")


def test_the_last_event_is_sent_again_under_the_same_id_until_it_is_taken(server: Serving) -> None:
    busy = [Reply(500), Reply(429), Reply()]
    with receiver(lambda _: busy.pop(0)) as there:
        got = called_back(server, there, 3, webhook_events_filter=["completed"])
    assert len({one.headers["webhook-id"] for one in got}) == 1
    assert len({one.body for one in got}) == 1


def test_a_private_address_is_refused_unless_it_is_allowed(strict_server: Serving) -> None:
    refused = refusal(strict_server.url, "tunesmith/composer", SHORT, webhook="http://127.0.0.1:9/hook")
    assert refused.status == 422
    assert "webhook" in (refused.detail or "")
