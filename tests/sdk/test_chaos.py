"""Behind a proxy that loses, doubles, delays and cuts answers, nothing is done twice, lost, skipped or repeated."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from tests.live import Live
from tests.sdk.chaos import chaos_before
from tests.sdk.driving import KINDS

BOUNDED_CALLS = 120
LONG_CALLS = int(os.environ.get("ACCORD_TEST_CHAOS_CALLS", "10000"))
PER_THREAD = 40
"""Replies to one root."""
AT_ONCE = 4
WORDS = "one two three four five six"
COMPLETION_EVERY = 20
LONG_SECONDS = 3000


class Campaign:
    """Calls of one kind of client behind the proxy, and what must be true of them afterwards."""

    def __init__(self, sdk: ModuleType, live: Live, kind: str, url: str) -> None:
        retry = sdk.Retry(max_retries=10, first_seconds=0.01, longest_seconds=0.2)
        self.kind = kind
        self.token = live.people.ben.token
        self.direct = sdk.Client(live.server.url, bearer=self.token)
        self.sync = sdk.Client(url, bearer=self.token, retry=retry)
        self.url = url
        self._sdk, self._retry = sdk, retry
        self.made: list[Any] = []
        self.texts: list[str] = []
        self.seen: list[Any] = []
        self.walked: dict[Any, list[Any]] = {}

    def run(self, calls: int) -> None:
        """Make the calls, with a stream open beside them, and walk every list."""
        self.conversation = self.direct.conversations.create(title="Chaos").conversation_id
        first = self.direct.threads.create(self.conversation, content="begin", role="tool")
        roots = [first.root_id]
        roots += [
            self.direct.threads.create(self.conversation, content=f"root {n}", role="tool").root_id
            for n in range(calls // PER_THREAD)
        ]
        self.roots = roots
        self.make_calls(calls)

    def make_calls(self, calls: int) -> None:
        """Reply, complete and list, and listen meanwhile."""
        asked = [(self.roots[number // PER_THREAD], number) for number in range(calls)]
        if self.kind == "sync":
            self._run_sync(asked)
        else:
            asyncio.run(self._run_async(asked))

    def _run_sync(self, asked: list[tuple[Any, int]]) -> None:
        listening = threading.Thread(target=self._listen, daemon=True)
        listening.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.made = list(pool.map(self._reply, asked))
        self.sync.threads.create(self.conversation, content="END", role="tool")
        for root in self.roots:
            self.walked[root] = [message.id for message in self.sync.threads.get_tree(root, limit=7)]
        listening.join(120)
        assert not listening.is_alive(), "the stream never came to its last event"

    def _reply(self, asked: tuple[Any, int]) -> Any:
        root, number = asked
        if number % COMPLETION_EVERY == 0:
            chunks = self.sync.completions.create_stream(model="gpt-4", messages=[{"role": "user", "content": WORDS}])
            self.texts.append("".join(_text(chunk) for chunk in chunks))
        return self.sync.messages.reply(root, content=f"call {number}", role="tool").message_id

    def _listen(self) -> None:
        with self.sync.streams.open_conversation(self.conversation, since=1) as stream:
            for event in stream:
                self.seen.append(event.id)
                if _is_end(event):
                    break

    async def _run_async(self, asked: list[tuple[Any, int]]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with self._sdk.AsyncClient(self.url, bearer=self.token, retry=self._retry) as client:
            listening = asyncio.create_task(self._listen_async(client))
            self.made = await asyncio.gather(*(self._reply_async(client, gate, *row) for row in asked))
            await client.threads.create(self.conversation, content="END", role="tool")
            for root in self.roots:
                self.walked[root] = [message.id async for message in client.threads.get_tree(root, limit=7)]
            await asyncio.wait_for(listening, 120)

    async def _reply_async(self, client: Any, gate: asyncio.Semaphore, root: Any, number: int) -> Any:
        async with gate:
            if number % COMPLETION_EVERY == 0:
                chunks = client.completions.create_stream(model="gpt-4", messages=[{"role": "user", "content": WORDS}])
                self.texts.append("".join([_text(chunk) async for chunk in chunks]))
            return (await client.messages.reply(root, content=f"call {number}", role="tool")).message_id

    async def _listen_async(self, client: Any) -> None:
        async with client.streams.open_conversation(self.conversation, since=1) as stream:
            async for event in stream:
                self.seen.append(event.id)
                if _is_end(event):
                    break

    def check(self, calls: int) -> None:
        """Compare with what the server holds, read past the proxy."""
        held = {root: [message.id for message in self.direct.threads.get_tree(root)] for root in self.roots}
        replies = [message for root in self.roots for message in held[root] if message != root]
        assert len(replies) == calls, f"{len(replies)} replies were written by {calls} calls"
        assert sorted(map(str, self.made)) == sorted(map(str, replies))
        assert self.walked == held
        assert self.texts == [f"Echo: {WORDS}"] * len(self.texts)
        assert len(self.texts) == len(range(0, calls, COMPLETION_EVERY))
        told = []
        with self.direct.streams.open_conversation(self.conversation, since=1) as stream:
            for event in stream:
                told.append(event.id)
                if _is_end(event):
                    break
        assert self.seen == told


def _text(chunk: Any) -> str:
    content = chunk.choices[0].delta.content if chunk.choices else ""
    return content if isinstance(content, str) else ""


def _is_end(event: Any) -> bool:
    return event.event == "thread.new" and event.data.payload.summary == "END"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(BOUNDED_CALLS, id="bounded"),
        pytest.param(LONG_CALLS, id="many", marks=[pytest.mark.long, pytest.mark.timeout(LONG_SECONDS)]),
    ],
)
def test_nothing_is_lost_or_doubled(sdk: ModuleType, hurried: Live, kind: str, calls: int) -> None:
    campaign(hurried, calls, lambda url: Campaign(sdk, hurried, kind, url))


def campaign(live: Live, calls: int, begin: Callable[[str], Campaign]) -> None:
    """Run a campaign behind the proxy and judge it; begin: makes it for the proxy's URL."""
    with chaos_before(live.server.host, live.server.port, seed=calls) as (url, chaos):
        run = begin(url)
        run.run(calls)
        run.check(calls)
        assert min(chaos.done[fate] for fate in ("lost", "twice", "delayed", "torn", "cut")) > 0, chaos.done
    done = dict(chaos.done)
    print(
        f"\n{run.kind}: {calls} calls, 0 doubled, 0 lost, 0 skipped, 0 of {len(run.seen)} events missed; the proxy did {done}"
    )
