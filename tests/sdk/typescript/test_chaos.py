"""The TypeScript client behind the same bad proxy as the Python one: nothing done twice, lost, skipped or repeated."""

from __future__ import annotations

import json
from types import ModuleType
from uuid import UUID

import pytest

from tests.live import Live
from tests.sdk import test_chaos as python
from tests.sdk.typescript.conftest import Project


class Campaign(python.Campaign):
    """The calls are made by a program of node."""

    def __init__(self, sdk: ModuleType, live: Live, url: str, project: Project) -> None:
        super().__init__(sdk, live, "typescript", url)
        self._project = project

    def make_calls(self, calls: int) -> None:
        """Let node make the calls, and take over what it made and saw."""
        told = self._project.run(
            "chaos",
            seconds=python.LONG_SECONDS,
            PROXY_URL=self.url,
            TOKEN=str(self.token),
            CONVERSATION=str(self.conversation),
            ROOTS=json.dumps([str(root) for root in self.roots]),
            CALLS=str(calls),
            PER_THREAD=str(python.PER_THREAD),
            WORDS=python.WORDS,
            COMPLETION_EVERY=str(python.COMPLETION_EVERY),
        )
        self.made = [UUID(message) for message in told["made"]]
        self.texts, self.seen = told["texts"], told["seen"]
        self.walked = {UUID(root): [UUID(message) for message in listed] for root, listed in told["walked"].items()}


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(python.BOUNDED_CALLS, id="bounded"),
        pytest.param(python.LONG_CALLS, id="many", marks=[pytest.mark.long, pytest.mark.timeout(python.LONG_SECONDS)]),
    ],
)
def test_nothing_is_lost_or_doubled(sdk: ModuleType, hurried: Live, project: Project, calls: int) -> None:
    python.campaign(hurried, calls, lambda url: Campaign(sdk, hurried, url, project))
