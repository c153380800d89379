"""The limit stage: what callers are told of rate and usage, and how long a stream holds its slot."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from core.kernel.exchange import UsageStanding
from core.kernel.operation import Header, Operation
from tests.unit.server.conftest import GOOD, Running
from tests.unit.server.shop_contract import CONTRACT, ref

PEN = {"name": "pen", "price": 5}
USAGE = UsageStanding(requests_remaining=7, requests_percent=30, tokens_remaining=90, tokens_percent=10)
TOLD = {
    "X-Usage-Requests-Remaining": "7",
    "X-Usage-Tokens-Remaining": "90",
    "X-Usage-Requests-Percent": "30",
    "X-Usage-Tokens-Percent": "10",
}


@pytest.mark.parametrize(("left", "status"), [(5, 201), (0, 429)])
def test_a_counted_reply_tells_the_usage(running: Running, left: int, status: int) -> None:
    running.limiter.usage, running.limiter.left = USAGE, left
    answer = running.client.post("/items", json=PEN, headers=GOOD)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in TOLD} == TOLD
    assert len(answer.headers.getlist("X-Usage-Tokens-Percent")) == 1


def test_a_refusal_before_counting_tells_the_usage_too(running: Running) -> None:
    running.limiter.usage = USAGE
    answer = running.client.get("/scoped/pears", headers=GOOD)
    assert answer.status_code == 403
    assert {name: answer.headers[name] for name in TOLD} == TOLD


def test_nobody_is_told_where_the_caller_is_unknown(running: Running) -> None:
    running.limiter.usage = USAGE
    answer = running.client.post("/items", json=PEN)
    assert answer.status_code == 401
    assert not set(TOLD) & set(answer.headers.keys())


def test_a_refusal_stands_when_the_counters_are_away(running: Running) -> None:
    running.limiter.is_away = True
    answer = running.client.get("/scoped/pears", headers=GOOD)
    assert answer.status_code == 403
    assert not set(TOLD) & set(answer.headers.keys())


def test_a_stream_holds_its_slot_until_it_is_closed(running: Running) -> None:
    running.limiter.cap = 1
    assert running.client.post("/feed").status_code == 200
    refused = running.client.post("/feed")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert running.streams.on_close is not None
    running.streams.on_close()
    assert running.limiter.slots == []
    assert running.client.post("/feed").status_code == 200


def test_an_answer_that_is_no_stream_gives_the_slot_back(running: Running) -> None:
    running.limiter.cap = 1
    for _ in range(2):
        assert running.client.post("/feed?bad=1").status_code == 422
    assert running.limiter.slots == []


def test_a_stream_that_breaks_the_contract_gives_its_slot_back_once(running: Running) -> None:
    required = (Header(name="X-Count", schema=ref("integer"), required=True),)

    def demanding(row: Operation) -> Operation:
        opened, *errors = row.responses
        return replace(row, responses=(replace(opened, headers=required), *errors)) if row.id == "feeds_open" else row

    running.rebuild(contract=replace(CONTRACT, operations=tuple(map(demanding, CONTRACT.operations))))
    running.limiter.cap = 1
    assert running.client.post("/feed").status_code == 500
    assert (running.streams.closed, running.limiter.slots) == (1, [])


def test_a_slot_that_cannot_be_given_back_lapses_by_itself(running: Running) -> None:
    running.limiter.cap, running.limiter.is_away = 1, True
    assert running.client.post("/feed?bad=1").status_code == 422
