"""What an answer costs in LLM tokens: by the provider's own count, or by an estimate where it broke off without one."""

from __future__ import annotations

from collections.abc import Callable

from core.ai import registry
from core.ai.provider import CompletionRequest, End, estimate_tokens, text_of
from core.limits.ledger import Tokens

_ANSWER_TOKENS = 256


def reserve(request: CompletionRequest) -> int:
    """Return how many tokens to set aside before the work: the prompt's estimate, and what the answer may have at most."""
    wanted = request.options.get("max_completion_tokens") or request.options.get("max_tokens")
    return _prompt(request) + (wanted if isinstance(wanted, int) else _ANSWER_TOKENS)


def cost(request: CompletionRequest, end: End, written: Callable[[], str]) -> Tokens:
    """Return what a finished answer cost; one that broke off before it brought anything cost nothing.

    written: gives the whole text of the answer; asked only where the provider did not say.
    """
    if end.usage is not None:
        return Tokens(end.usage.prompt_tokens, end.usage.completion_tokens)
    text = written()
    return Tokens(_prompt(request), _count(request.model, text)) if text else Tokens(0, 0)


def _prompt(request: CompletionRequest) -> int:
    return sum(_count(request.model, text_of(message)) for message in request.messages)


def _count(model: str, text: str) -> int:
    provider = registry.find_provider(model)
    return estimate_tokens(text) if provider is None else provider.count_tokens(text)
