"""Path, query, header and cookie parameters: text → JSON values → the validators → the generated parameter Struct.

Every style of OpenAPI 3.1 is read by the functions of server.styles; what they give is judged by the same validators
as a body, so a parameter's schema means what it says. Policy headers (Idempotency-Key, If-Match, If-None-Match) are
judged here too, and left out of the Struct: other stages consume them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.kernel.operation import Operation, Parameter
from core.kernel.problems import Invalid, Violation
from server import query
from server.convert import converter
from server.request import Request, cookies, environ_name
from server.router import names_of
from server.schemas import Schema, Schemas
from server.styles import Splitter, splitter
from server.texts import reader as scalar_reader

POLICY_HEADERS = frozenset({"idempotency-key", "if-match", "if-none-match"})
_PLAIN_CHARACTERS = 2000
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI 3.1 (4.8.12.1): header parameters of these names are ignored."""

Decoder = Callable[..., Any]
"""(request, path values, ignores_query=False) → the parameter Struct."""


class _Reader:
    """One compiled parameter: where its text is, how it is split, what judges it."""

    __slots__ = ("default", "environ_name", "has_default", "keys", "position", "row", "schema", "split")

    def __init__(self, row: Parameter, schema: Schema, position: int) -> None:
        self.row = row
        self.schema = schema
        self.position = position
        self.environ_name = environ_name(row.name)
        self.split: Splitter = splitter(row)
        self.keys = _query_keys(row)
        self.has_default = row.has_default
        self.default = row.default

    @property
    def is_policy(self) -> bool:
        return self.row.location == "header" and self.row.name.lower() in POLICY_HEADERS

    def judge(self, raw: Any, found: dict[str, Any], violations: list[Violation]) -> None:
        """Read and validate what was sent; `raw` None means that it was not sent."""
        row = self.row
        if raw is None:
            if row.required:
                violations.append(_violation(row, "required", f"{row.name} is required"))
            elif self.has_default:
                found[row.field] = self.default
            return
        try:
            value = self.split(raw)
        except ValueError as error:
            violations.append(_violation(row, "style", str(error)))
            return
        if not self.schema.is_valid(value):
            violations += self.schema.violations(value, location=row.location, base=f"/{row.name}")
        elif not self.is_policy:
            found[row.field] = value


def compile_parameters(operation: Operation, schemas: Schemas) -> Decoder:
    """Build the operation's decoder; it returns the parameter Struct, or None when the operation declares none."""
    positions = {name: index for index, name in enumerate(names_of(operation.path))}
    rows = [row for row in operation.parameters if not _is_ignored(row)]
    readers = {
        location: tuple(
            _Reader(row, schemas.get(row.schema), positions.get(row.name, -1))
            for row in rows
            if row.location == location
        )
        for location in ("path", "query", "header", "cookie")
    }
    convert = converter(operation.parameters_type)
    known = {key for reader in readers["query"] for key in reader.keys}
    deep = tuple(f"{reader.row.name}[" for reader in readers["query"] if reader.row.style == "deepObject")
    refuses_unknown = not operation.ignores_unknown_query
    has_struct = any(not reader.is_policy for group in readers.values() for reader in group)
    paths, queries, headers, jars = (readers[name] for name in ("path", "query", "header", "cookie"))
    read_plain = _plain_query(queries)

    def decode(request: Request, values: tuple[str, ...], *, ignores_query: bool = False) -> Any:
        found: dict[str, Any] = {}
        violations: list[Violation] = []
        for reader in paths:
            reader.judge(values[reader.position], found, violations)
        if (request.query or queries) and not ignores_query and not read_plain(request.query, found):
            sent = _grouped(query.pairs(request.query))
            for reader in queries:
                reader.judge(_sent_to(reader, sent), found, violations)
            if refuses_unknown and sent:
                violations += [
                    _unknown(name) for name in sent if name not in known and not name.startswith(deep or "\0")
                ]
        for reader in headers:
            reader.judge(_header_text(request.header(reader.environ_name)), found, violations)
        if jars:
            jar = cookies(request.header("HTTP_COOKIE"))
            for reader in jars:
                reader.judge(_header_text(jar.get(reader.row.name)), found, violations)
        if violations:
            raise Invalid(errors=violations)
        return convert(found) if has_struct else None

    return decode


def _plain_query(readers: Sequence[_Reader]) -> Callable[[str, dict[str, Any]], bool]:
    """Build the quick reading of a query of plain, declared, single, valid scalars, which nearly every query is.

    It answers False, and leaves `found` as it was, for a query that is anything else: that is read in full, by the one
    code that names violations.
    """
    scalars = {
        reader.row.name: (reader.row.field, scalar_reader(reader.row.shapes), reader.schema)
        for reader in readers
        if reader.row.content is None and not (reader.row.is_array or reader.row.is_object)
    }
    defaults = {reader.row.field: reader.default for reader in readers if reader.has_default}
    required = {reader.row.field for reader in readers if reader.row.required}

    def read(text: str, found: dict[str, Any]) -> bool:
        if len(text) > _PLAIN_CHARACTERS or "%" in text or "+" in text or not text.isascii():
            return False
        values = {}
        for part in text.split("&") if text else ():
            name, _, raw = part.partition("=")
            if name not in scalars:
                return False
            field, scalar, schema = scalars[name]
            value = scalar(raw)
            if field in values or not schema.is_valid(value):
                return False
            values[field] = value
        if required and not required <= values.keys():
            return False
        found.update(defaults)
        found.update(values)
        return True

    return read


def _is_ignored(row: Parameter) -> bool:
    return row.location == "header" and row.name.lower() in _IGNORED_HEADERS


def _query_keys(row: Parameter) -> tuple[str, ...]:
    if row.is_object and row.explode and row.style == "form" and row.content is None:
        return tuple(row.properties)
    return (row.name,)


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    sent: dict[str, list[str]] = {}
    for name, raw in pairs:
        sent.setdefault(name, []).append(raw)
    return sent


def _sent_to(reader: _Reader, sent: dict[str, list[str]]) -> Any:
    """Pick what was sent for this parameter: a list of raw values, or a mapping for an object spread over members."""
    row = reader.row
    if row.content is None and row.style == "deepObject":
        head = f"{row.name}["
        members = {
            name[len(head) : -1]: raws for name, raws in sent.items() if name.startswith(head) and name[-1] == "]"
        }
        return members or None
    if row.content is None and row.is_object and row.explode and row.style == "form":
        return {name: sent[name] for name in reader.keys if name in sent} or None
    return sent.get(row.name)


def _header_text(raw: str | None) -> str | None:
    if raw is None or raw.isascii():
        return raw
    try:
        return raw.encode("latin-1").decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return raw


def _violation(row: Parameter, rule: str, message: str) -> Violation:
    return Violation(pointer=f"/{row.name}", location=row.location, rule=rule, message=message, source=row.origin)


def _unknown(name: str) -> Violation:
    return Violation(
        pointer=f"/{name[:200]}",
        location="query",
        rule="unknown_parameter",
        message="the operation has no such query parameter",
    )
