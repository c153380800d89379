"""An answer that takes longer than any deadline of a request is told to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.live import Live

WORDS = "one two three four five six seven eight nine ten"
BEYOND_SECONDS = 12.0


@pytest.mark.long
def test_message_done_comes_when_the_answer_took_more_than_ten_seconds(launch: Callable[..., Live]) -> None:
    live = launch(workers=2, ai_echo_delay_ms="1500", heartbeat_seconds="120")  # silence must end the wait
    made = live.client.call("conversations_create", body={"title": "Plans"}, as_=live.people.ada).json
    path = {"conversation_id": made["conversation_id"]}
    began = time.monotonic()
    with live.client.stream("streams_open_conversation", path=path, as_=live.people.ada, timeout_seconds=10) as stream:
        live.client.call("threads_create", path=path, body={"content": WORDS}, as_=live.people.ada)
        found = stream.events_until("message.done")
    assert time.monotonic() - began > BEYOND_SECONDS
    assert json.loads(found[-1].data)["payload"]["finish_reason"] == "stop"
    deltas = [json.loads(event.data)["payload"] for event in found if event.event == "message.delta"]
    assert "".join(delta["choices"][0]["delta"]["content"] for delta in deltas) == f"Echo: {WORDS}"
