"""API tokens: shown once, stored as a hash, taken only while in force."""

from __future__ import annotations

import base64
import hashlib

import pytest
import sqlalchemy as sa
from databases import FakeClock

from tunesmith.errors import InvalidRequest, UnknownName
from tunesmith.library.database import Database
from tunesmith.library.schema import tokens as table
from tunesmith.library.tokens import RateLimit, TokenRequest, Tokens


@pytest.fixture
def tokens(database: Database, clock: FakeClock) -> Tokens:
    return Tokens(database, clock)


def test_a_token_is_known_again_with_all_it_may_do(tokens: Tokens) -> None:
    wanted = TokenRequest("ci", "admin", RateLimit(1000, "day"), RateLimit.parse("rate", "60/min"), 1_900_000_000.0)
    made = tokens.create(wanted)
    found = tokens.verify(made.secret)
    assert found is not None
    assert (found.name, found.scope, found.quota, found.rate) == (
        "ci",
        "admin",
        RateLimit(1000, "day"),
        RateLimit(60, "minute"),
    )
    assert tokens.list() == (found,)


def test_a_token_holds_256_random_bits_and_only_its_hash_is_stored(database: Database, clock: FakeClock) -> None:
    made = Tokens(database, clock, random_bytes=lambda count: b"\x17" * count).create(TokenRequest("x"))
    assert base64.urlsafe_b64decode(made.secret.removeprefix("ts_") + "=") == b"\x17" * 32
    with database.read() as connection:
        row = connection.execute(sa.select(table)).mappings().one()
    assert row["hash"] == hashlib.sha256(made.secret.encode()).hexdigest()
    assert made.secret not in str(dict(row))
    assert made.secret.startswith(row["prefix"])
    assert made.secret not in repr(made)


@pytest.mark.parametrize("wrong", ["", "ts_", "hf_abc", "ts_\0\0\0\0\0\0\0", "ts_ä" * 9, "ts_\ud800", "x" * 100_000])
def test_what_is_no_token_is_refused(tokens: Tokens, wrong: str) -> None:
    tokens.create(TokenRequest("x"))
    assert tokens.verify(wrong) is None


def test_a_token_with_the_same_beginning_is_refused(tokens: Tokens) -> None:
    secret = tokens.create(TokenRequest("x")).secret
    assert tokens.verify(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None
    assert tokens.verify(secret[:9]) is None


def test_tokens_that_begin_alike_are_told_apart(database: Database, clock: FakeClock) -> None:
    drawn = iter([b"\0" * 32, b"\0" * 9, b"\0" * 31 + b"\1", b"\1" * 9])
    tokens = Tokens(database, clock, random_bytes=lambda _: next(drawn))
    secrets = [tokens.create(TokenRequest(name)).secret for name in ("first", "second")]
    found = [tokens.verify(secret) for secret in secrets]
    assert [token.name for token in found if token] == ["first", "second"]


def test_a_revoked_token_is_refused_and_its_name_is_free_again(tokens: Tokens) -> None:
    secret = tokens.create(TokenRequest("x")).secret
    assert tokens.exist()
    assert tokens.revoke("x").revoked_at is not None
    assert tokens.verify(secret) is None
    assert not tokens.exist()
    again = tokens.create(TokenRequest("x"))
    assert tokens.revoke(again.token.prefix).id == again.token.id
    assert tokens.list() == ()
    assert len(tokens.list(revoked_too=True)) == 2
    for unknown in ("x", "a\0b"):
        with pytest.raises(UnknownName, match="no token called"):
            tokens.revoke(unknown)


def test_a_token_ends_when_it_expires(tokens: Tokens, clock: FakeClock) -> None:
    secret = tokens.create(TokenRequest("x", expires_at=clock() + 10)).secret
    clock.pass_(9.5)
    assert tokens.verify(secret) is not None
    clock.pass_(0.5)
    assert tokens.verify(secret) is None
    assert not tokens.exist()
    with pytest.raises(InvalidRequest, match="expires: must lie in the future"):
        tokens.create(TokenRequest("y", expires_at=clock()))


def test_its_last_use_is_written_down_once_a_minute(tokens: Tokens, clock: FakeClock) -> None:
    secret, start = tokens.create(TokenRequest("x")).secret, clock()
    assert tokens.list()[0].last_used_at is None
    tokens.verify(secret)
    clock.pass_(59)
    tokens.verify(secret)
    assert tokens.list()[0].last_used_at == start
    clock.pass_(1)
    tokens.verify(secret)
    assert tokens.list()[0].last_used_at == start + 60


def test_two_tokens_in_force_cannot_share_a_name(tokens: Tokens) -> None:
    tokens.create(TokenRequest("x"))
    with pytest.raises(InvalidRequest, match="name: a token called 'x' already exists"):
        tokens.create(TokenRequest("x"))


@pytest.mark.parametrize("name", ["", " x", "a\0b", "a\nb", "n" * 65])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        TokenRequest(name)


@pytest.mark.parametrize(("text", "rate", "seconds"), [
    ("1000/day", "1000/day", 86400), ("60/min", "60/minute", 60), (" 5 / Hours", "5/hour", 3600),
    ("10/minutes", "10/minute", 60), ("1/s", "1/second", 1),
])  # fmt: skip
def test_a_rate_is_read_as_people_write_it(text: str, rate: str, seconds: int) -> None:
    read = RateLimit.parse("rate", text)
    assert (str(read), read.seconds) == (rate, seconds)
    assert RateLimit.parse("rate", rate) == read


@pytest.mark.parametrize("text", ["", "10", "0/day", "-1/day", "1/week", "many/day", "1/day/2", "9999999999/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="quota: must be COUNT/UNIT"):
        RateLimit.parse("quota", text)
