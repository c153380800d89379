"""Which provider serves which model, by configuration."""

from __future__ import annotations

from core.ai.echo import EchoProvider
from core.ai.openai_compatible import OpenAICompatibleProvider
from core.ai.provider import Provider
from core.kernel.problems import NotFound
from core.kernel.settings import Settings

_ECHOED = ("gpt-4", "gpt-3.5")

_providers: dict[str, Provider] = {}
_assistant_model = _ECHOED[0]


class ModelNotFound(NotFound):
    code, title = "model_not_found", "No such model"


def configure(settings: Settings) -> None:
    """Build the providers: the endpoint's models, and the echo for its names that no endpoint serves."""
    global _assistant_model
    _providers.clear()
    echo = EchoProvider(delay_ms=settings.ai_echo_delay_ms)
    _providers.update(dict.fromkeys(_ECHOED, echo))
    if settings.ai_base_url:
        remote = OpenAICompatibleProvider(
            base_url=settings.ai_base_url,
            api_key=settings.ai_api_key,
            timeout_seconds=settings.ai_timeout_seconds,
        )
        _providers.update(dict.fromkeys(settings.ai_models, remote))
    _assistant_model = settings.ai_assistant_model


def register(model: str, provider: Provider) -> None:
    """Serve `model` by `provider` in this process."""
    _providers[model] = provider


def models() -> dict[str, Provider]:
    """Return every model that answers, with its provider."""
    return dict(_providers)


def assistant_model() -> str:
    """Return the model that answers in conversations."""
    return _assistant_model


def find_provider(model: str) -> Provider | None:
    """Return the provider that serves `model`, or None."""
    return _providers.get(model)


def get_provider(model: str) -> Provider:
    """Return the provider that serves `model`.

    Raises:
        ModelNotFound: nothing serves it.
    """
    if model not in _providers:
        raise ModelNotFound(f"No model is called {model[:64]!r} here.")
    return _providers[model]
