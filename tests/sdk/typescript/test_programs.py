"""Programs of node against a running server: lists, streams, retries, errors and a day of everything."""

from __future__ import annotations

from tests.live import Live
from tests.sdk.typescript.conftest import Program
from tests.sdk.typescript.proxy import faulty


def test_thirty_operations_answer_what_their_types_say(run_program: Program) -> None:
    assert run_program("thirty_operations") == {"done": True}


def test_lists_give_every_item_once(run_program: Program) -> None:
    told = run_program("paging")
    assert told["sizes"] == [3, 3, 2]
    assert told["users"] >= 3


def test_refusals_are_errors_of_their_status(run_program: Program) -> None:
    assert "422" in run_program("errors")["message"]


def test_lost_answers_double_no_effect(run_program: Program, live: Live) -> None:
    """Every second answer is lost after the server acted, some in the middle."""
    plan = (0, None, 120, None)
    with (
        faulty(live.server.host, live.server.port, lambda number: plan[number % 4]) as proxy,
        faulty(live.server.host, live.server.port, lambda number: 0) as losing,
    ):
        told = run_program("retries", PROXY_URL=proxy.url, LOSE_ALL_URL=losing.url)
        assert losing.answers == 1, "a login that may have worked is not repeated"
    assert told["threads"] == told["roots"] == 20
    assert told["replayed"] == 20, "each thread's first answer was lost"
    assert told["lost"] > 0


def test_a_stream_that_is_cut_misses_no_event(run_program: Program, live: Live) -> None:
    cuts = {0: 1500, 1: 900}
    with faulty(live.server.host, live.server.port, cuts.get) as proxy:
        assert run_program("streams", PROXY_URL=proxy.url)["events"] >= 12
        assert proxy.answers == 3, "it was cut twice"


def test_a_completion_that_is_cut_is_whole(run_program: Program, live: Live) -> None:
    cuts = {0: 1500, 1: 2500}
    with faulty(live.server.host, live.server.port, cuts.get) as proxy:
        assert run_program("completions", PROXY_URL=proxy.url)["chunks"] > 0
        assert proxy.answers == 3, "it was cut twice"
