"""The one interface of AI providers.

ProviderError          the provider could not answer
├── ProviderTimeout    it was silent for too long
├── ProviderBusy       it admits no more requests for now
├── ProviderRefused    it found fault with the request
└── ProviderFailed     it broke down, broke the protocol, or its answer was cut off
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

_BYTES_PER_TOKEN = 4


class ProviderError(Exception):
    """The provider could not answer; the text is for the log. code: what callers are told."""

    code: ClassVar[str] = "provider_error"


class ProviderTimeout(ProviderError):
    """The provider was silent for longer than ACCORD_AI_TIMEOUT_SECONDS."""

    code = "provider_timeout"


class ProviderBusy(ProviderError):
    """The provider admits no more requests; retry_after_seconds is its own advice, or 1."""

    code = "provider_rate_limited"

    def __init__(self, text: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class ProviderRefused(ProviderError):
    """The provider found fault with the request; `message` is its own and may be shown to the caller."""

    code = "provider_refused"

    def __init__(self, text: str, *, message: str) -> None:
        super().__init__(text)
        self.message = message


class ProviderFailed(ProviderError):
    """The provider broke down, broke the protocol, or its answer was cut off."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer cost, in the provider's own LLM tokens."""

    prompt_tokens: int
    completion_tokens: int
    details: Mapping[str, Any] = {}
    """Further members of the provider's usage."""

    @property
    def counts(self) -> dict[str, int]:
        """Return prompt_tokens, completion_tokens and their sum as total_tokens."""
        total = self.prompt_tokens + self.completion_tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": total,
        }


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """messages: as in OpenAI's chat completions. options: further members of that request, passed on as they are."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = {}


class Text(msgspec.Struct, frozen=True):
    """A piece of the answer; choice: the provider's own choice where it says more than the text (a tool call)."""

    text: str
    choice: Mapping[str, Any] | None = None


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer ended: stop, length, cancelled, timeout, error, or a reason of the provider's own.

    error_code: the code of the ProviderError behind timeout and error.
    """

    finish_reason: str
    usage: Usage | None = None
    error_code: str = ProviderError.code


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer; reply: the provider's own in OpenAI's shape, where it sent one."""

    text: str
    finish_reason: str
    usage: Usage
    reply: Mapping[str, Any] = {}


class Provider(Protocol):
    """Something that answers chats."""

    name: str
    can_resume: bool
    """Says whether `stream` can continue behind a text that an earlier stream wrote."""

    def complete(self, request: CompletionRequest) -> Answer:
        """Return the whole answer.

        Raises:
            ProviderError: there is none.
        """

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        """Give the answer in pieces, an End last; begins behind `written`, which must be "" unless can_resume.

        Raises:
            ProviderError: the answer is incomplete; what was given stands.
        """

    def count_tokens(self, text: str) -> int:
        """Return how many LLM tokens a text has, as near as can be known without asking."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has: four bytes each."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a chat message whose content is a string, a list of parts, or nothing."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))
