"""Stock Connexion 3 FlaskApp: its own routing, security, validation of requests and of responses.

Served as its documentation says: `gunicorn -k uvicorn.workers.UvicornWorker tests.bench.peers.connexion_app:app`.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import connexion
from connexion.resolver import Resolver

from tests.bench import contracts
from tests.bench.peers import callers

_callers = callers.from_environment()
_JSON = {"Content-Type": "application/json"}


def find_caller(token: str) -> dict[str, Any] | None:
    """Tell Connexion who holds a bearer token (its x-bearerInfoFunc)."""
    caller = _callers.find(token)
    return None if caller is None else {"sub": caller.user_id, "scope": " ".join(caller.scopes)}


def contacts_create(body: dict[str, Any], dry: bool = False, limit: int = 10) -> tuple[dict[str, Any], int, Any]:
    """Give the contact back with an id."""
    body["tags"] = body["tags"][:limit]
    return {"contact_id": str(uuid.uuid4()), "is_trial": dry, "contact": body}, 201, _JSON


def contacts_get(contact_id: int) -> tuple[dict[str, Any], int, Any]:
    """Give one small object."""
    return {"number": contact_id, "given": "Ada", "is_trial": False}, 200, _JSON


def filler(**_: Any) -> tuple[dict[str, Any], int, Any]:
    """Answer a route that is never called."""
    return {"number": 1, "given": "Ada", "is_trial": False}, 200, _JSON


def _function(operation_id: str) -> Any:
    return {"contacts_create": contacts_create, "contacts_get": contacts_get}.get(operation_id, filler)


app = connexion.FlaskApp(__name__)
app.add_api(
    contracts.connexion_document(
        Path(os.environ["BENCH_SOURCES"]), bearer_function="tests.bench.peers.connexion_app.find_caller"
    ),
    resolver=Resolver(_function),
    validate_responses=True,
)
