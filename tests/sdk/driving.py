"""Runs one script on the sync client and on the async one: what it yields is awaited where there is something to await."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Script = Generator[Any, Any, Any]
KINDS = ("sync", "async")


@dataclass(frozen=True)
class Reading:
    """Read a stream until an event satisfies `is_last`; gives the list of what was read, and closes the stream."""

    stream: Any
    is_last: Callable[[Any], bool] = lambda _: False
    meanwhile: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Driver:
    """Makes clients of one kind and runs scripts on them."""

    sdk: ModuleType
    kind: str

    def client(self, url: str, **told: Any) -> Any:
        """Make a client."""
        return (self.sdk.Client if self.kind == "sync" else self.sdk.AsyncClient)(url, **told)

    def run(self, script: Script) -> Any:
        """Run a script and return what it returns."""
        return _run(script) if self.kind == "sync" else asyncio.run(_run_async(script))


def _run(script: Script) -> Any:
    step = lambda: script.send(None)  # noqa: E731
    try:
        while True:
            item = step()
            try:
                value = _settled(item)
            except Exception as error:  # noqa: BLE001  (handed to the script, which knows what it expects)
                step = lambda error=error: script.throw(error)  # noqa: E731
            else:
                step = lambda value=value: script.send(value)  # noqa: E731
    except StopIteration as end:
        return end.value


def _settled(item: Any) -> Any:
    if isinstance(item, Reading):
        return _read(item)
    return list(item) if hasattr(item, "pages") else item


def _read(reading: Reading) -> list[Any]:
    found = []
    with reading.stream as stream:
        reading.meanwhile()
        for event in stream:
            found.append(event)
            if reading.is_last(event):
                break
    return found


async def _run_async(script: Script) -> Any:
    step = lambda: script.send(None)  # noqa: E731
    try:
        while True:
            item = step()
            try:
                value = await _settle(item)
            except Exception as error:  # noqa: BLE001  (handed to the script, which knows what it expects)
                step = lambda error=error: script.throw(error)  # noqa: E731
            else:
                step = lambda value=value: script.send(value)  # noqa: E731
    except StopIteration as end:
        return end.value


async def _settle(item: Any) -> Any:
    if isinstance(item, Reading):
        found = []
        async with item.stream as stream:
            await asyncio.to_thread(item.meanwhile)
            async for event in stream:
                found.append(event)
                if item.is_last(event):
                    break
        return found
    if hasattr(item, "pages"):
        return [value async for value in item]
    return await item if inspect.isawaitable(item) else item
