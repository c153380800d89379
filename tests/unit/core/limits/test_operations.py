"""Path patterns: which operations an assignment means, and which of several assignments holds."""

from __future__ import annotations

import random

import msgspec
import pytest

from core.kernel.operation import Contract
from core.limits.operations import matches, specificity
from handlers.service import CONTRACT_DIR

OPERATIONS = {
    row.id: row
    for row in msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract).operations
}
# (method, pattern) → operations that it means, among those of conversations
MEANT: dict[tuple[str, str], set[str]] = {
    ("GET", "/api/conversations"): {"conversations_list"},
    ("*", "/api/conversations"): {"conversations_list", "conversations_create"},
    ("GET", "/api/conversations/:id"): {"conversations_get"},
    ("GET", "/api/conversations/*"): {"conversations_get", "threads_list", "threads_list_unread"},
    ("GET", "/api/conversations/{conversation_id}"): {"conversations_get"},
    ("GET", "/api/*/:id"): {"conversations_get"},
    ("DELETE", "/api/conversations/*"): {"participants_remove"},
    ("GET", "/api/conversations/01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34"): set(),
    ("GET", "/api/conversations/"): set(),
    ("GET", "/api"): set(),
}


@pytest.mark.parametrize(("pair", "meant"), MEANT.items(), ids=map(" ".join, MEANT))
def test_a_pattern_means_these_operations(pair: tuple[str, str], meant: set[str]) -> None:
    found = {
        name for name, row in OPERATIONS.items() if matches(*pair, row) and row.path.startswith("/api/conversations")
    }
    assert found == meant


def test_a_lone_star_means_everything() -> None:
    assert all(matches("*", "*", row) for row in OPERATIONS.values())
    assert not matches("GET", "*", OPERATIONS["conversations_create"])


def test_what_says_more_holds() -> None:
    ordered = [
        ("*", "*"),
        ("GET", "*"),
        ("*", "/*"),
        ("GET", "/api/*"),
        ("GET", "/api/:x/:y"),
        ("*", "/api/conversations/*"),
        ("GET", "/api/conversations/:id"),
        ("GET", "/api/conversations/:id/threads"),
    ]
    shuffled = random.Random(0).sample(ordered, len(ordered))
    assert sorted(shuffled, key=lambda pair: specificity(*pair)) == ordered
