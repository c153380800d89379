"""Models: list."""

from __future__ import annotations

from core.chat.models import list_models
from core.kernel.call import Call
from models.contract import chat


def models_list(call: Call[None, None]) -> chat.ModelList:
    """List the models that answer."""
    return list_models()
