"""What the drills share: a server with a conversation of two, answers that take their time, and the final reckoning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.client import Client, Person
from tests.drills.insistence import insist
from tests.drills.ledger import Ledger
from tests.drills.reader import Reader
from tests.factories.conversations import make_talk
from tests.live import Live

Launch = Callable[..., Live]
WORD_MS = 10
FINISH_SECONDS = 60.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Scene:
    """ada and ben talk on a server of their own."""

    live: Live
    ledger: Ledger
    conversation_id: str
    root_id: str

    @property
    def client(self) -> Client:
        """Return a client of the server."""
        return self.live.client

    @property
    def ada(self) -> Person:
        """Return the owner, by her token."""
        return self.live.people.ada.by_token()

    @property
    def ben(self) -> Person:
        """Return the member, in his browser."""
        return self.live.people.ben.in_browser()

    def readers(self, *, cuts: int = 0) -> tuple[Reader, Reader]:
        """Have both follow the conversation, each losing the line `cuts` times."""
        pair = tuple(
            Reader(self.client, person, self.conversation_id, cuts=cuts, seed=seed)
            for seed, person in enumerate((self.ada, self.ben))
        )
        for reader in pair:
            reader.start()
        return pair[0], pair[1]

    def ask(self, words: int) -> str:
        """Ask something whose answer takes `words` words of time, and return the answer's id."""
        body = {"content": question(words)}
        answer = insist(self.client, "messages_reply", as_=self.ada, path={"parent_id": self.root_id}, body=body)
        assert answer.status == 201, answer.text
        return str(answer.json["assistant_message_id"])

    def await_answer(self, message_id: str) -> None:
        """Wait until an answer has ended."""
        await_true(lambda: not self.ledger.answer(message_id).is_streaming, f"the answer {message_id} goes on")

    def check_answers(self, message_ids: Iterable[str], *, words: int) -> None:
        """Compare stored answers with what the echo should have said, and their chunks with the whole."""
        for message_id in message_ids:
            written = self.ledger.answer(message_id)
            assert (written.finish_reason, written.is_streaming) == ("stop", False), message_id
            assert written.content == f"Echo: {question(words)}", message_id
            assert "".join(written.chunks) == written.content, message_id

    def check_histories(self, readers: Iterable[Reader]) -> int:
        """Compare what readers assembled with the events table: no gap, no repeat, in order; returns its length."""
        expected: list[object] = []
        for reader in readers:
            expected = list(self.ledger.events(reader.channel))
            reader.finish(self.ledger.events(reader.channel)[-1], seconds=FINISH_SECONDS)
            differences = [
                (index, got, wanted)
                for index, (got, wanted) in enumerate(zip(reader.history, expected, strict=False))
                if got != wanted
            ]
            assert not differences, f"of {len(expected)} events, the first that differs: {differences[0]}"
            assert len(reader.history) == len(expected)
            for event in reader.history[:200]:
                self.client.oracle.check_event("streams_open_conversation", 200, event)
        return len(expected)


def question(words: int) -> str:
    """Return a text of so many words, all different."""
    return " ".join(f"word{index}" for index in range(words))


def set_scene(launch: Launch, *, workers: int = 2, **variables: str) -> Scene:
    """Start a server whose echo pauses before each word."""
    options = {"ai_echo_delay_ms": str(WORD_MS), "heartbeat_seconds": "1"} | variables
    live = launch(workers=workers, **options)
    talk = make_talk(live.client, live.people.ada.by_token(), live.people.ben)
    return Scene(live, Ledger(live.server.settings.database_url), talk.conversation_id, talk.root_id)


def await_true(condition: Callable[[], bool], otherwise: str, *, seconds: float = FINISH_SECONDS) -> float:
    """Wait for a condition and return how long that took.

    Raises:
        AssertionError: `otherwise`, when it does not come.
    """
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"{otherwise} after {seconds:g} s"
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
