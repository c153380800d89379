"""The handlers of the shop, and the ports that it runs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import flask
import msgspec
import peewee

from core.kernel.call import Call, Cookie, EventStream, Reply
from core.kernel.exchange import Credentials, RateDecision, RateStanding, Replay, UsageStanding
from core.kernel.operation import Contract
from core.kernel.principal import Principal
from core.kernel.problems import (
    Conflict,
    CsrfFailed,
    IdempotencyKeyReused,
    NotFound,
    RateLimited,
    RequestInProgress,
    TooManyStreams,
    Unavailable,
    Violation,
)
from core.kernel.settings import Settings
from models.database import database
from server.ports import Ports
from server.request import Request
from server.service import Service
from tests.unit.server.shop_contract import CONTRACT, Item, write

ADA = Principal(
    kind="token",
    user_id=UUID("01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34"),
    tenant_id=UUID("01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a35"),
    credential_id="t",
    scopes=frozenset({"apples:read"}),
)


class Shop:
    """The handlers, and what they saw."""

    def __init__(self) -> None:
        self.calls: list[Call[Any, Any]] = []
        self.price = 5

    def handlers(self) -> dict[str, Callable[..., Any]]:
        made = {name: getattr(self, name) for name in dir(self) if "_" in name and not name.startswith("_")}
        return {"items_create": self.items_create, **made}

    def items_create(self, call: Call[Any, Any]) -> Any:
        self.calls.append(call)
        database.execute_sql("INSERT INTO effects VALUES (?)", (call.body.name,))
        if call.body.name == "conflict":
            raise Conflict("There is one.")
        if call.body.name == "break":
            return {"id": "x"}
        return Item(id=1, name=call.body.name, price=call.body.price)

    def items_list(self, call: Call[Any, Any]) -> Any:
        self.calls.append(call)
        return msgspec.to_builtins(call.parameters)

    def items_get(self, call: Call[Any, Any]) -> Any:
        if call.parameters.id == 404:
            raise NotFound("No such item.", cause="a private cause")
        return Item(id=call.parameters.id, name="pen", price=self.price)

    def items_replace(self, call: Call[Any, Any]) -> Any:
        self.price = call.body.price
        return Item(id=call.parameters.id, name=call.body.name, price=self.price)

    def items_delete(self, call: Call[Any, Any]) -> None:
        return None

    def carried_get(self, call: Call[Any, Any]) -> Any:
        return msgspec.to_builtins(call.parameters)

    def names_get(self, call: Call[Any, Any]) -> Any:
        return call.parameters

    def forms_send(self, call: Call[Any, Any]) -> Any:
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in call.body.items()}

    def tuples_send(self, call: Call[Any, Any]) -> Any:
        return call.body

    tags_send = trees_send = uuids_send = tuples_send

    def anything_send(self, call: Call[Any, Any]) -> Any:
        return {"body": call.body}

    def answers_break(self, call: Call[Any, Any]) -> Any:
        database.execute_sql("INSERT INTO effects VALUES ('answer')")
        good = Item(id=1, name="pen", price=1)
        answers: dict[str, Any] = {
            "good": Reply(good, 200, {"X-Count": "5"}, (Cookie(name="seen", value="1"),)),
            "cookies": Reply(
                good,
                200,
                {"X-Count": "5"},
                (
                    Cookie(name="a", value="", max_age_seconds=0),
                    Cookie(name="b", value="", max_age_seconds=0),
                    Cookie(name="c", value="secret"),
                ),
            ),
            "body": Reply({"id": "x"}, 200, {"X-Count": "5"}),
            "status": Reply(good, 202, {"X-Count": "5"}),
            "header": Reply(good, 200, {"X-Count": "five"}),
            "no-header": Reply(good, 200),
            "media": Reply(None, 200, {"X-Count": "5"}, raw=b"{}", media_type="text/plain"),
            "none": Reply(None, 204),
            "stream": EventStream(channel="feed:2", after=None, is_current=lambda: True),
            "injection": Reply(good, 200, {"X-Count": "5", "X-Note": "a\r\nX-Evil: 1"}),
        }
        return answers[call.parameters["name"]]

    def failures_get(self, call: Call[Any, Any]) -> Any:
        lost = peewee.OperationalError("server closed the connection")
        raise {"bug": KeyError("secret"), "lost": lost}[call.parameters["name"]]

    def texts_get(self, call: Call[Any, Any]) -> Any:
        return Reply(None, 200, raw=b"text", media_type="text/plain")

    def secrets_get(self, call: Call[Any, Any]) -> Any:
        return {}

    def feeds_open(self, call: Call[Any, Any]) -> Any:
        self.calls.append(call)
        return EventStream(channel="feed:1", after=None, is_current=lambda: True, closing=b"data: [DONE]\n\n")

    def records_get(self, call: Call[Any, Any]) -> Any:
        return call.parameters


class Verifier:
    """`good` is ada's token and session; a session needs its CSRF token on unsafe methods."""

    def verify(self, credentials: Credentials) -> Principal | None:
        values = credentials.values
        if "session" in values and credentials.is_unsafe and values.get("csrf") != "csrf":
            raise CsrfFailed
        return ADA if "good" in {values.get("bearer"), values.get("session")} else None

    def is_current(self, principal: Principal) -> bool:
        return principal is ADA

    def expires_at(self, principal: Principal) -> datetime | None:
        return None

    def epoch(self) -> int:
        return 0


class SqlStore:
    """An idempotency store over one table."""

    def begin(
        self, *, caller: str, operation_id: str, key: str, fingerprint: bytes, lease_until: datetime, is_secret: bool
    ) -> Replay | None:
        query = "SELECT fingerprint, replay FROM firsts WHERE id = ?"
        row = database.execute_sql(query, (f"{caller} {operation_id} {key}",)).fetchone()
        if row is None:
            id_ = f"{caller} {operation_id} {key}"
            database.execute_sql("INSERT INTO firsts VALUES (?, ?, NULL)", (id_, fingerprint))
            return None
        if bytes(row[0]) != fingerprint:
            raise IdempotencyKeyReused
        if row[1] is None:
            raise RequestInProgress
        return msgspec.json.decode(row[1], type=Replay)

    def store(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, replay: Replay, is_secret: bool
    ) -> None:
        query = "UPDATE firsts SET replay = ? WHERE id = ?"
        database.execute_sql(query, (msgspec.json.encode(replay), f"{caller} {operation_id} {key}"))

    def renew(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, renewed_until: datetime
    ) -> bool:
        return True

    def release(self, *, caller: str, operation_id: str, key: str, lease_until: datetime) -> None:
        database.execute_sql("DELETE FROM firsts WHERE id = ?", (f"{caller} {operation_id} {key}",))


class Limiter:
    """Admits `left` requests to items_create, and holds `cap` streams; usage: what callers are told of their quota."""

    def __init__(self) -> None:
        self.left = 1000
        self.asked: list[str] = []
        self.usage: UsageStanding | None = None
        self.cap: int | None = None
        self.slots: list[tuple[str, str]] = []
        self.is_away = False

    def take(self, operation_id: str, principal: Principal, client_address: str) -> RateDecision | None:
        if operation_id != "items_create":
            return None
        self.asked.append(client_address if principal.is_anonymous else principal.key)
        self.left -= 1
        return RateDecision(
            rate=RateStanding(profile="default", limit=1000, remaining=max(self.left, 0), reset_seconds=7),
            usage=self.usage,
            refusal=RateLimited("Used up.", retry_after_seconds=3) if self.left < 0 else None,
        )

    def look(self, operation_id: str, principal: Principal) -> UsageStanding | None:
        if self.is_away:
            raise Unavailable("The counters are away.")
        return self.usage

    def enter(self, operation_id: str, principal: Principal, client_address: str) -> tuple[str, str] | None:
        if self.cap is None:
            return None
        if len(self.slots) >= self.cap:
            raise TooManyStreams("Too many.", retry_after_seconds=1)
        self.slots.append((operation_id, str(len(self.slots))))
        return self.slots[-1]

    def leave(self, slot: tuple[str, str]) -> None:
        self.slots.remove(slot)
        if self.is_away:
            raise Unavailable("The counters are away.")

    def keep(self) -> None:
        """Keep nothing."""


class Record:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, int, str]] = []
        self.causes: list[str] = []
        self.failures: list[BaseException] = []
        self.mismatches: list[Violation] = []
        self.outages: list[str] = []

    def request_ended(self, request: Request, *, operation_id: str, status: int, code: str, **more: Any) -> None:
        self.ended.append((operation_id, status, code))

    def problem_raised(self, request: Request, *, operation_id: str, code: str, cause: str) -> None:
        self.causes.append(cause)

    def request_failed(self, request: Request, *, operation_id: str, error: BaseException) -> None:
        self.failures.append(error)

    def response_mismatched(
        self, request: Request, *, operation_id: str, status: int, violations: Sequence[Violation]
    ) -> None:
        self.mismatches += violations

    def failed(self, where: str, error: BaseException) -> None:
        self.outages.append(where)


class Streams:
    """Opens a stream as one frame that describes it."""

    opened: ClassVar[list[EventStream]] = []
    closed = 0
    on_close: Callable[[], None] | None = None

    def open(
        self, stream: EventStream, *, principal: Principal, operation_id: str, check: Any, on_close: Any
    ) -> flask.Response:
        self.opened.append(stream)
        self.on_close = on_close
        response = flask.Response(iter([b"data: 1\n\n"]), mimetype="text/event-stream")
        response.call_on_close(self._close)
        return response

    def _close(self) -> None:
        self.closed += 1
        if self.on_close is not None:
            self.on_close()


def service(
    folder: Path,
    settings: Settings,
    shop: Shop,
    *,
    limiter: Any = None,
    contract: Contract = CONTRACT,
    prepares: Any = None,
    definitions: Any = None,
) -> Service:
    """Build the shop's service; `later_get` has no handler."""
    write(folder, contract)
    return Service(
        contract=contract,
        contract_dir=folder,
        handlers=shop.handlers(),
        prepares=prepares or {},
        settings=settings,
        ports=Ports(
            verifier=Verifier(),
            idempotency=SqlStore(),
            limiter=limiter or Limiter(),
            events=None,
            jobs=None,
            definitions=definitions,
        ),
    )
