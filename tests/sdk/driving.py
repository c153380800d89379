"""Runs one script on the sync client and on the async one, and calls of the TypeScript client in a process of node.

What a script yields is awaited where there is something to await.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from codegen.sdk import surface
from codegen.sdk.typescript.methods import lower_camel, positional

Script = Generator[Any, Any, Any]
KINDS = ("sync", "async")
_CALLER = Path(__file__).parent / "typescript/caller.mjs"
_MOST_SECONDS = 30.0


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
    step = partial(script.send, None)
    try:
        while True:
            item = step()
            try:
                value = _settled(item)
            except Exception as error:  # noqa: BLE001  (handed to the script, which knows what it expects)
                step = partial(script.throw, error)
            else:
                step = partial(script.send, value)
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
    step = partial(script.send, None)
    try:
        while True:
            item = step()
            try:
                value = await _settle(item)
            except Exception as error:  # noqa: BLE001  (handed to the script, which knows what it expects)
                step = partial(script.throw, error)
            else:
                step = partial(script.send, value)
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


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    request_id: of a success, None where the call does not tell it. error: status, code, request_id and pointers of a
    refusal. failure: any other error, as text.
    """

    request_id: str | None = None
    error: dict[str, Any] | None = None
    failure: str | None = None


class TypeScriptCaller:
    """A TypeScript client in node. package: the folder of the unpacked npm package."""

    def __init__(self, package: Path, url: str) -> None:
        command = ["node", str(_CALLER), str(package / "dist/index.js"), url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> TypeScriptCaller:
        """Return the caller."""
        return self

    def __exit__(self, *_: object) -> None:
        """End node."""
        self._process.communicate(timeout=_MOST_SECONDS)

    def call(self, method: surface.Method, resource: str, given: Mapping[str, Any]) -> Outcome:
        """Call a method with arguments by the names that `surface` gives them."""
        asked = {
            "resource": lower_camel(resource),
            "method": lower_camel(method.name),
            "given": positional(method, given),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Outcome(told.get("requestId"), told.get("error"), told.get("failure"))
