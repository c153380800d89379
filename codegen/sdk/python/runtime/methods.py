"""Methods that are written once: on a sync client they return, on an async client they are awaited.

A generated function describes its call; the descriptor around it hands the call to the client's engine. Types follow: its
parameters stay, and its result is the value itself or an awaitable of it by the kind of client that the resource is of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from .calls import Call, warn_if_deprecated
from .kinds import Async, Resource, Sync
from .paging import AsyncPages, PagedCall, Pages
from .streams import AsyncStream, Stream, StreamCall
from .wire import Response

P = ParamSpec("P")
T = TypeVar("T")
ItemT = TypeVar("ItemT")
G = TypeVar("G")
E = TypeVar("E")


class _Bound:
    """A method of a resource, with the words and the signature of the function that describes it."""

    def __init__(self, function: Callable[..., Any], resource: Resource[Any]) -> None:
        self._client: Any = resource._client
        self._function = function
        self._resource = resource
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__wrapped__ = function.__get__(resource)

    def _describe(self, *args: Any, **kwargs: Any) -> Any:
        call = self._function(self._resource, *args, **kwargs)
        warn_if_deprecated(call.operation)
        return call


class SyncMethod(_Bound, Generic[P, T]):
    """Calls an operation and returns its answer."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the typed value."""
        return cast(T, self._client.call(self._describe(*args, **kwargs)).data)

    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Response[T]:
        """Return status, headers and bytes along with the typed value."""
        return cast("Response[T]", self._client.call(self._describe(*args, **kwargs)))


class AsyncMethod(_Bound, Generic[P, T]):
    """Calls an operation; its answer is awaited."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the typed value."""
        return cast(T, (await self._client.call(self._describe(*args, **kwargs))).data)

    async def raw(self, *args: P.args, **kwargs: P.kwargs) -> Response[T]:
        """Return status, headers and bytes along with the typed value."""
        return cast("Response[T]", await self._client.call(self._describe(*args, **kwargs)))


class _Descriptor:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._function = function


class Method(_Descriptor, Generic[P, T]):
    """A method that is answered by one value."""

    @overload
    def __get__(self, instance: Resource[Sync], owner: Any = None) -> SyncMethod[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: Any = None) -> AsyncMethod[P, T]: ...
    def __get__(self, instance: Resource[Any], owner: Any = None) -> Any:
        """Return the method of one resource."""
        if instance is None:
            return self
        return (AsyncMethod if instance._client.is_async else SyncMethod)(self._function, instance)


class PagedMethod(_Descriptor, Generic[P, ItemT, G]):
    """A method that is answered by pages."""

    @overload
    def __get__(self, instance: Resource[Sync], owner: Any = None) -> Callable[P, Pages[ItemT, G]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: Any = None) -> Callable[P, AsyncPages[ItemT, G]]: ...
    def __get__(self, instance: Resource[Any], owner: Any = None) -> Any:
        """Return the method of one resource."""
        if instance is None:
            return self
        return _Opener(self._function, instance, AsyncPages if instance._client.is_async else Pages)


class StreamMethod(_Descriptor, Generic[P, E]):
    """A method that is answered by a stream."""

    @overload
    def __get__(self, instance: Resource[Sync], owner: Any = None) -> Callable[P, Stream[E]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: Any = None) -> Callable[P, AsyncStream[E]]: ...
    def __get__(self, instance: Resource[Any], owner: Any = None) -> Any:
        """Return the method of one resource."""
        if instance is None:
            return self
        return _Opener(self._function, instance, AsyncStream if instance._client.is_async else Stream)


class _Opener(_Bound):
    def __init__(self, function: Callable[..., Any], resource: Resource[Any], kind: Any) -> None:
        super().__init__(function, resource)
        self._kind = kind

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._kind(self._client, self._describe(*args, **kwargs))


def method(function: Callable[Concatenate[Any, P], Call[T]]) -> Method[P, T]:
    """Make a description of a call a method."""
    return Method(function)


def paged(function: Callable[Concatenate[Any, P], PagedCall[ItemT, G]]) -> PagedMethod[P, ItemT, G]:
    """Make a description of a list a method."""
    return PagedMethod(function)


def streamed(function: Callable[Concatenate[Any, P], StreamCall[E]]) -> StreamMethod[P, E]:
    """Make a description of a stream a method."""
    return StreamMethod(function)
