"""What reaches what: the tests that exercise each part of the tree. Values are arguments of pytest."""

from __future__ import annotations

REACHES: dict[str, tuple[str, ...]] = {
    "known defects": ("tests/contract/test_known_defects.py",),
    "pipeline": ("tests/unit/server", "--ignore=tests/unit/server/test_worker.py"),
    "worker": ("tests/unit/server/test_worker.py",),
    "streams": ("tests/unit/server/test_streams.py",),
    "job runner": ("tests/unit/server/test_jobs.py",),
    "events": ("tests/unit/core/system/test_events.py",),
    "jobs": ("tests/unit/core/system/test_jobs.py",),
}
