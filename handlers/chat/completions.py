"""Completions: create, at once or streamed."""

from __future__ import annotations

from core.chat import completions
from core.kernel.call import Call, EventStream
from models.contract import chat


def prepare_completions_create(call: Call[None, chat.CompletionCreate]) -> chat.Completion | None:
    """Wait for the whole answer, unless it is to be streamed."""
    return None if call.body.get("stream") else completions.complete(call.principal, call.body)


def completions_create(call: Call[None, chat.CompletionCreate]) -> chat.Completion | EventStream:
    """Complete a chat."""
    if isinstance(call.context.prepared, dict):
        return completions.do_settle(call.principal, call.context.prepared)
    return completions.do_start_stream(call.principal, call.body)
