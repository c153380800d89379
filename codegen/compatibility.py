"""What a contract breaks for callers of an older one: operations, parameters, bodies, answers and credentials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from codegen import ir
from codegen.bundle import Bundle
from codegen.findings import Finding, Location, Refused
from codegen.locate import escape
from codegen.narrowing import Narrowing
from codegen.sdk.surface import successes

RULE = "compatibility"
_PROMISES = {
    "x-idempotent": "a repeat with the same Idempotency-Key would act twice",
    "x-paging": "clients fetch page by page",
    "x-etag": "clients send If-Match and If-None-Match",
}


def run(old: ir.Contract, new: ir.Contract) -> None:
    """See that a contract breaks no caller of an older one.

    Raises:
        Refused: with every break.
    """
    findings = set(check(old, new, today=datetime.now(UTC).date()))
    if findings:
        raise Refused(sorted(findings, key=lambda finding: (finding.location, finding.message)))


def check(old: ir.Contract, new: ir.Contract, *, today: date) -> Iterator[Finding]:
    """Yield what a client of the old contract cannot do with the new one; what was added is no break.

    today: an operation that the old contract let end (x-sunset) by then may be gone.
    """
    now = {(operation.method, operation.path): operation for operation in new.operations}
    for operation in old.operations:
        successor = now.get((operation.method, operation.path))
        if successor is not None:
            yield from _Comparison(old.bundle, new.bundle, operation, successor).findings()
        elif not _has_ended(operation, today):
            what = f"{operation.method} {operation.path} ({operation.id})"
            yield Finding(
                RULE, _place(new.bundle, operation), f"{what} is gone: keep it, deprecated, until its x-sunset"
            )


def _has_ended(operation: ir.Operation, today: date) -> bool:
    ends = operation.node.get("x-sunset")
    return ends is not None and date.fromisoformat(str(ends)) <= today


def _place(bundle: Bundle, operation: ir.Operation) -> Location:
    path = f"/paths/{escape(operation.path)}"
    return bundle.locate(path if operation.path in bundle.document["paths"] else "/paths")


class _Comparison:
    """One operation in both contracts; places are those of the new one."""

    def __init__(self, old_bundle: Bundle, new_bundle: Bundle, old: ir.Operation, new: ir.Operation) -> None:
        self._bundle = new_bundle
        self._old = old
        self._new = new
        self._sent = Narrowing(old_bundle, new_bundle, is_sent=True)
        self._received = Narrowing(old_bundle, new_bundle, is_sent=False)

    def findings(self) -> Iterator[Finding]:
        """Yield every break."""
        for pointer, message in self._messages():
            yield Finding(RULE, self._bundle.locate(pointer), f"{self._old.id}: {message}")

    def _messages(self) -> Iterator[tuple[str, str]]:
        old, new = self._old, self._new
        if old.id != new.id:
            yield f"{new.pointer}/operationId", f"it is called {new.id} now, and so are clients' methods: keep its name"
        for field, reason in _PROMISES.items():
            if field in old.node and field not in new.node:
                yield new.pointer, f"{field} is gone, but {reason}"
        yield from self._credentials()
        yield from self._parameters()
        yield from self._body()
        yield from self._answers()

    def _credentials(self) -> Iterator[tuple[str, str]]:
        old, new = (
            [set(alternative) for alternative in operation.node.get("security", [])]
            for operation in (self._old, self._new)
        )
        for alternative in old or [set()]:
            if new and not any(other <= alternative for other in new):
                words = " and ".join(sorted(alternative)) or "no credential"
                yield f"{self._new.pointer}/security", f"it was open to callers with {words}: let it stay so"

    def _parameters(self) -> Iterator[tuple[str, str]]:
        old, new = ({(p.location, p.name): p for p in o.parameters} for o in (self._old, self._new))
        for (location, name), parameter in new.items():
            before = old.get((location, name))
            was_needed = before is not None and bool(before.node.get("required"))
            if parameter.node.get("required") and not was_needed and location != "path":
                yield parameter.pointer, f"callers do not send the parameter {name}: do not require it"
            if before is not None:
                yield from self._sent.messages(before.schema, parameter.schema, name)
        for location, name in old.keys() - new.keys():
            if location != "path":  # another name for the same place changes no request
                yield self._new.pointer, f"the {location} parameter {name} is gone: keep it, even if it does nothing"

    def _body(self) -> Iterator[tuple[str, str]]:
        old, new = self._old.body, self._new.body
        if new is None:
            if old is not None:
                yield self._new.pointer, "callers send a body: take it"
            return
        if new.node.get("required") and (old is None or not old.node.get("required")):
            yield new.pointer, "callers may send no body: do not require one"
        media = {entry.content_type: entry for entry in new.media}
        for entry in old.media if old is not None else ():
            if entry.content_type not in media:
                yield new.pointer, f"callers send {entry.content_type}: take it"
            else:
                yield from self._schemas(self._sent, entry, media[entry.content_type], "body")

    def _answers(self) -> Iterator[tuple[str, str]]:
        new = {response.status: response for response in successes(self._new)}
        for response in successes(self._old):
            after = new.get(response.status)
            if after is None:
                yield self._new.pointer, f"callers know the answer {response.status}: keep it"
                continue
            media = {entry.content_type: entry for entry in after.media}
            for entry in response.media:
                if entry.content_type not in media:
                    yield after.pointer, f"callers read {entry.content_type}: keep it"
                else:
                    yield from self._schemas(self._received, entry, media[entry.content_type], "answer")
            for name in {h.name for h in response.headers} - {h.name for h in after.headers}:
                yield after.pointer, f"callers read the header {name}: keep it"

    def _schemas(self, narrowing: Narrowing, old: ir.Media, new: ir.Media, what: str) -> Iterator[tuple[str, str]]:
        if old.sse:
            events, kept = (entry.sse.get("events", {}) for entry in (old, new))
            for name in events:
                if name not in kept:
                    yield new.pointer, f"callers wait for the event {name}: keep it"
                else:
                    before, after = (listed[name]["$ref"].lstrip("#") for listed in (events, kept))
                    yield from narrowing.messages(before, after, name)
        elif old.schema is not None and new.schema is not None:
            yield from narrowing.messages(old.schema, new.schema, what)
