"""JSON log lines on standard output: one writer for requests, libraries and gunicorn.

A line is encoded by orjson and written by one system call, so lines of several workers never mix
(a write of less than PIPE_BUF bytes is atomic). Nothing is buffered: kill -9 loses no line.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Mapping
from typing import Any

import orjson

from core.kernel import clock

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_STANDARD_OUTPUT = 1


class Log:
    """Write lines of at least `level` to a file descriptor.

    lost: lines that could not be written, because whoever read them is gone.
    """

    def __init__(self, level: str, descriptor: int = _STANDARD_OUTPUT) -> None:
        self.threshold = LEVELS[level]
        self.lost = 0
        self._descriptor = descriptor

    def line(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        """Write one line: at, level, event and `fields`; a value that is no JSON is written as its text."""
        if LEVELS[level] < self.threshold:
            return
        record = {"at": clock.now(), "level": level, "event": event, **fields}
        try:
            data = orjson.dumps(record, default=str, option=_OPTIONS)
        except TypeError:  # a lone surrogate, which a client may send, or an integer beyond 64 bits
            data = json.dumps(record, default=str).encode() + b"\n"
        try:
            os.write(self._descriptor, data)
        except OSError:  # a log that nobody reads must not fail requests; the metric counts it
            self.lost += 1


_EXTRAS = ("job", "cause")
"""What the product's own records may carry beside their message."""


class JsonHandler(logging.Handler):
    """Send what libraries log through a Log."""

    def __init__(self, log: Log) -> None:
        super().__init__(log.threshold)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one library record: its logger, its message and, when there is one, its traceback."""
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        fields |= {name: value for name in _EXTRAS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = trace(record.exc_info[1])
        self._log.line(level if level in LEVELS else "info", "library", fields)


def capture(log: Log) -> None:
    """Make the root logger write through `log`, and only through it."""
    root = logging.getLogger()
    root.handlers[:] = [JsonHandler(log)]
    root.setLevel(max(log.threshold, logging.INFO))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its info lines hold whole URLs, which may carry a key


def trace(error: BaseException) -> str:
    """Render an exception with its causes; frames only, never the values of variables."""
    return "".join(traceback.format_exception(error))
