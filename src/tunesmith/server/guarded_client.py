"""The HTTP client for URLs that callers supply; each request passes the SSRF guard. See ``load_http_client``."""

from __future__ import annotations

import httpx

from tunesmith.server.ssrf_guard import AddressGuard

# The pool knows connections by address: one that was verified for another host name must not be reused.
_NO_REUSE = httpx.Limits(max_connections=100, max_keepalive_connections=0)


class GuardedTransport(httpx.AsyncBaseTransport):
    """A transport that sends each request to a checked address, under the original host name."""

    def __init__(self, guard: AddressGuard, field: str, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._guard = guard
        self._field = field
        self._inner = inner or httpx.AsyncHTTPTransport(limits=_NO_REUSE, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises PrivateAddressError if its address is not allowed."""
        address = await self._guard.address_for(request.url, self._field)
        # TLS must verify the certificate of the name, although the connection goes to an address.
        extensions = {**request.extensions, "sni_hostname": request.url.host}
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method, request.url.copy_with(host=address), headers=request.headers,
                stream=request.stream, extensions=extensions,
            )
        )  # fmt: skip

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def guarded_client(guard: AddressGuard, field: str, timeout: float, max_redirects: int = 0) -> httpx.AsyncClient:
    """Return a client for untrusted URLs; it ignores proxies and credentials of the environment."""
    return httpx.AsyncClient(
        transport=GuardedTransport(guard, field), trust_env=False, timeout=timeout,
        follow_redirects=max_redirects > 0, max_redirects=max(1, max_redirects),
    )  # fmt: skip
