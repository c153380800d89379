"""The models that answer, in the shapes of both surfaces."""

from __future__ import annotations

from core.ai import registry
from models.contract import chat

_CREATED = 1_763_769_600
_NAMES = {"gpt-4": "GPT-4", "gpt-3.5": "GPT-3.5"}


def list_models() -> chat.ModelList:
    """Return every model with the provider that serves it, in the order of configuration."""
    served = registry.models()
    return chat.ModelList(
        object="list",
        data=[
            chat.Model(id=model, object="model", created=_CREATED, owned_by=provider.name)
            for model, provider in served.items()
        ],
        models=[chat.ModelEntry(id=model, name=_NAMES.get(model, model), model_type="chat") for model in served],
    )
