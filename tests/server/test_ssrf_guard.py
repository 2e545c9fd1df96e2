"""Where the server may send requests that a caller asked for."""

from __future__ import annotations

import asyncio
import ipaddress

import httpx
import pytest
from receivers import Reply, receiver

from tunesmith.server.errors import PrivateAddressError
from tunesmith.server.guarded_client import guarded_client
from tunesmith.server.ssrf_guard import AddressGuard, is_public


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::7f00:1", "::ffff:0:7f00:1", "fec0::1", "64:ff9b:1::1",
    "168.63.129.16", "192.0.0.8", "198.18.0.1", "240.0.0.1", "fd00:ec2::254", "100.100.100.200", "5f00::1",
])  # fmt: skip
def test_addresses_that_are_not_on_the_open_internet_are_told(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_told(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


async def _names(host: str) -> list[str]:
    return {"inside.test": ["10.0.0.1"], "mixed.test": ["8.8.8.8", "127.0.0.1"], "here.test": ["127.0.0.1"]}[host]


@pytest.mark.parametrize("url", [
    "http://inside.test/", "http://mixed.test/", "http://8.8.8.8@inside.test/", "//inside.test/", "ftp://here.test/",
    "file:///etc/passwd", "http://", "http://[::1", "gopher://x", "not a url",
])  # fmt: skip
def test_what_must_not_be_asked_for_is_refused(url: str) -> None:
    with pytest.raises(PrivateAddressError, match="webhook"):
        asyncio.run(AddressGuard(resolve=_names).check(url, "webhook"))


@pytest.mark.parametrize("url", [
    "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://0/", "http://127.1/",
    "http://0177.0.0.1/", "http://017700000001/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::]/",
    "http://0.0.0.0/", "http://localhost/", "http://LOCALHOST./", "http://x@127.0.0.1/", "http://①②⑦.⓪.⓪.①/",
])  # fmt: skip
def test_every_spelling_of_this_machine_is_refused(url: str) -> None:
    with pytest.raises(PrivateAddressError):
        asyncio.run(AddressGuard().check(url, "webhook"))


def test_the_connection_goes_to_the_address_that_was_checked_under_the_name_asked_for() -> None:
    asked: list[str] = []

    async def once(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async def get(url: str) -> int:
        async with guarded_client(AddressGuard(allow_private=True, resolve=once), "input", 5) as client:
            return (await client.get(url)).status_code

    with receiver() as there:
        port = httpx.URL(there.url).port
        assert asyncio.run(get(f"http://here.test:{port}/x")) == 200
        assert asked == ["here.test"]
        assert there.received[0].headers["host"] == f"here.test:{port}"


def test_a_redirect_to_the_inside_is_refused() -> None:
    async def names(host: str) -> list[str]:
        return ["127.0.0.1"] if host == "here.test" else ["10.0.0.1"]

    class PublicHere(AddressGuard):
        async def address_for(self, url: httpx.URL, field: str) -> str:
            return "127.0.0.1" if url.host == "here.test" else await super().address_for(url, field)

    async def get(url: str) -> None:
        async with guarded_client(PublicHere(resolve=names), "input", 5, max_redirects=5) as client:
            await client.get(url)

    with receiver(lambda _: Reply(302, headers={"location": "http://inside.test/"})) as there:
        with pytest.raises(PrivateAddressError, match=r"inside\.test"):
            asyncio.run(get(f"http://here.test:{httpx.URL(there.url).port}/"))
        assert len(there.received) == 1
