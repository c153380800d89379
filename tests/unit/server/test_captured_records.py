"""What the product logs through logging keeps its job and its cause."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from server.logs import JsonHandler, Log


def test_job_and_cause_are_written_when_a_record_carries_them(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    record = logging.makeLogRecord({"name": "core.ai", "levelno": logging.WARNING, "levelname": "WARNING"})
    record.msg, record.job, record.cause = "provider failed", "j1", "401 Unauthorized"
    JsonHandler(Log("info", descriptor)).emit(record)
    os.close(descriptor)
    line = json.loads((tmp_path / "log").read_text())
    assert (line["message"], line["job"], line["cause"]) == ("provider failed", "j1", "401 Unauthorized")
