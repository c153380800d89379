"""FastAPI, async, pydantic v2: the same contract, caller, request id, headers, log line and metrics.

Served as its documentation says: `uvicorn tests.bench.peers.fastapi_app:app`, with uvloop and httptools.
BENCH_PLAIN=1 leaves out what the product's server does for every request beyond the contract (id, headers, log, metrics).
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from tests.bench import contracts
from tests.bench.peers import callers
from tests.bench.peers.observed import Observed

_callers = callers.from_environment()
_bearer = HTTPBearer()


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Name(Closed):
    given: Annotated[str, Field(min_length=1, max_length=80)]
    family: Annotated[str, Field(min_length=1, max_length=80)]


class Address(Closed):
    street: Annotated[str, Field(min_length=1, max_length=120)]
    city: Annotated[str, Field(min_length=1, max_length=80)]
    postal_code: Annotated[str, Field(max_length=10, pattern="^[0-9A-Z -]{3,10}$")]
    country: Literal["AT", "CH", "DE", "FR", "GB", "US"]


class Contact(Closed):
    name: Name
    account_id: uuid.UUID
    met_at: datetime
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(max_length=10)]
    addresses: Annotated[list[Address], Field(max_length=5)]
    score: Annotated[int, Field(ge=0, le=100)]
    note: Annotated[str | None, Field(max_length=500)] = None


class ContactCreated(Closed):
    contact_id: uuid.UUID
    is_trial: bool
    contact: Contact


class ContactBrief(Closed):
    number: Annotated[int, Field(ge=1, le=1_000_000)]
    given: Annotated[str, Field(max_length=80)]
    is_trial: bool


async def find_caller(credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]) -> callers.Caller:
    """Resolve the bearer token, or refuse."""
    caller = _callers.find(credentials.credentials)
    if caller is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return caller


api = FastAPI()


@api.post("/contacts", status_code=201)
async def contacts_create(
    body: Contact,
    caller: Annotated[callers.Caller, Depends(find_caller)],
    dry: bool = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> ContactCreated:
    """Give the contact back with an id."""
    body.tags = body.tags[:limit]
    return ContactCreated(contact_id=uuid.uuid4(), is_trial=dry, contact=body)


@api.get("/contacts/{contact_id}")
async def contacts_get(contact_id: Annotated[int, Path(ge=1, le=1_000_000)]) -> ContactBrief:
    """Give one small object."""
    return ContactBrief(number=contact_id, given="Ada", is_trial=False)


async def filler() -> ContactBrief:
    """Answer a route that is never called."""
    return ContactBrief(number=1, given="Ada", is_trial=False)


for _method, _path, _operation_id in contracts.filler_paths():
    api.add_api_route(_path, filler, methods=[_method.upper()], operation_id=_operation_id)

app = api if os.environ.get("BENCH_PLAIN") else Observed(api)
