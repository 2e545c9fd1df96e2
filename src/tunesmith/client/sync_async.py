"""Calls: a method written once as a generator of actions, which waits on one client and is awaited on the other."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import httpx

from tunesmith.client.http import Flow, Steps
from tunesmith.client.transport import AsyncTransport, SyncTransport

P = ParamSpec("P")
T = TypeVar("T")


class SyncMethod:
    """The root of clients whose calls return when they are done."""

    _http: httpx.Client


class AsyncMethod:
    """The root of clients whose calls are awaited."""

    _http: httpx.AsyncClient


class endpoint(Generic[P, T]):  # noqa: N801  a decorator
    """Makes a method of a generator that leads to one value."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._steps = steps

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Steps[T]]: ...
    @overload
    def __get__(self, client: SyncMethod, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncMethod, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type) -> Any:
        return _bound(self._steps, client, lambda wire, steps: wire.result(steps))


class stream_endpoint(Generic[P, T]):  # noqa: N801  a decorator
    """Makes a method of a generator that leads to values, one after another."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._steps = steps

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Flow[T]]: ...
    @overload
    def __get__(self, client: SyncMethod, owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, client: AsyncMethod, owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...

    def __get__(self, client: Any, owner: type) -> Any:
        return _bound(self._steps, client, lambda wire, steps: wire.each(steps))


def _bound(steps: Callable[..., Any], client: Any, begin: Callable[[SyncTransport | AsyncTransport, Any], Any]) -> Any:
    """Return the method of a client, or what it is made of where the class is asked."""
    if client is None:
        return steps
    bound: Callable[..., Any] = steps.__get__(client)

    @functools.wraps(bound)
    def called(*arguments: Any, **wishes: Any) -> Any:
        wire = SyncTransport(client._http) if isinstance(client, SyncMethod) else AsyncTransport(client._http)
        return begin(wire, bound(*arguments, **wishes))

    return called
