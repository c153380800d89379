"""Completions: create, at once or streamed."""

from __future__ import annotations

from core.chat import completions
from core.kernel.call import Call, EventStream
from models.contract import chat


def completions_create(call: Call[None, chat.CompletionCreate]) -> chat.Completion | EventStream:
    """Complete a chat."""
    if call.body.stream:
        return completions.do_start_stream(call.principal, call.body)
    return completions.complete(call.principal, call.body)
