"""The provider that needs no network: it says what it was told, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator

import gevent

from core.ai.provider import Answer, CompletionRequest, End, Text, Usage, text_of

_WORD = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")


class EchoProvider:
    """Answers "Echo: " and the last message's text; a word counts as one LLM token."""

    name = "echo"
    can_resume = True

    def __init__(self, *, delay_ms: int = 0) -> None:
        self._delay_seconds = delay_ms / 1000

    def complete(self, request: CompletionRequest) -> Answer:
        """Return the echo at once."""
        words, finish_reason = _words(request)
        return Answer(text="".join(words), finish_reason=finish_reason, usage=_usage(request, words))

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        """Give the echo word by word, the delay before each, behind the part that is written."""
        words, finish_reason = _words(request)
        skip = len(written)
        for word in words:
            rest, skip = word[skip:], max(0, skip - len(word))
            if rest:
                gevent.sleep(self._delay_seconds)
                yield Text(rest)
        yield End(finish_reason=finish_reason, usage=_usage(request, words))

    def count_tokens(self, text: str) -> int:
        """Count the words."""
        return len(text.split())


def _words(request: CompletionRequest) -> tuple[list[str], str]:
    words = _WORD.findall("Echo: " + text_of(request.messages[-1]))
    limit = request.options.get("max_completion_tokens") or request.options.get("max_tokens")
    if isinstance(limit, int) and limit < len(words):
        return words[:limit], "length"
    return words, "stop"


def _usage(request: CompletionRequest, words: list[str]) -> Usage:
    asked = sum(len(text_of(message).split()) for message in request.messages)
    return Usage(prompt_tokens=asked, completion_tokens=len(words))
