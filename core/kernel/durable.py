"""What the server and the product tell each other about durable channels and jobs."""

from __future__ import annotations

import msgspec


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """head: seq of the newest event, 0 when there is none. pruned: events up to this seq are gone."""

    head: int
    pruned: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One claimed job: fence must accompany every write that the job makes. attempt counts claims, from 1."""

    id: str
    kind: str
    payload: bytes
    fence: int
    attempt: int
