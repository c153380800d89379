"""Compiles the IR into the operation table that the server serves (core.kernel.operation.Contract)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from codegen import ir
from codegen.emit.shapes import Shaper
from codegen.findings import Finding, Refused
from codegen.locate import escape
from codegen.names import camel, snake
from codegen.resolved import Resolved
from core.kernel import operation as table
from core.kernel.operation import Shape

BY_POLICY = frozenset({"idempotency-key", "if-match", "if-none-match"})
"""Header parameters that the server itself consumes; a handler never sees them."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SHAPES: tuple[Shape, ...] = ("integer", "number", "boolean", "null", "string")


class Compiler:
    """Compiles one contract; after `compile`, `shaper.shapes` holds every type that the table names.

    package: where the generated types will be; None compiles a table without types, whose values stay plain JSON data.
    """

    def __init__(self, contract: ir.Contract, package: str | None) -> None:
        self._contract = contract
        self._bundle = contract.bundle
        self._package = package
        self.shaper = Shaper(contract.bundle)

    def compile(self) -> table.Contract:
        """Return the table.

        Raises:
            Refused: the contract uses something that can be neither compiled nor enforced.
        """
        root = self._contract.root
        styles = root.get("x-error-styles", {"default": {}})
        return table.Contract(
            title=root["info"]["title"],
            version=str(root["info"]["version"]),
            fingerprint=self._bundle.sources.fingerprint(),
            sources=self._bundle.sources.digests(),
            schemes=tuple(self._scheme(name, node) for name, node in self._contract.schemes.items()),
            styles={
                name: self._converted(f"/x-error-styles/{name}", styles[name], table.ErrorStyle)
                for name in sorted(styles)
            },
            style_prefixes=tuple(
                table.StylePrefix(prefix=prefix, style=style)
                for prefix, style in sorted(root.get("x-error-prefixes", {}).items())
            ),
            operations=tuple(self._operation(operation) for operation in self._contract.operations),
        )

    def _operation(self, operation: ir.Operation) -> table.Operation:
        node = operation.node
        parameters = self._parameters(operation)
        return table.Operation(
            id=operation.id,
            method=operation.method,
            path=operation.path,
            area=operation.area,
            resource=operation.resource,
            origin=self._origin(operation.pointer),
            summary=node.get("summary", ""),
            error_style=operation.path_node.get("x-error-style", "default"),
            responses=tuple(self._response(operation, response) for response in operation.responses),
            security=tuple(map(_requirement, operation.security)),
            public_reason=node.get("x-public"),
            parameters=parameters,
            parameters_type=self._parameters_type(operation, parameters),
            ignores_unknown_query=node.get("x-unknown-query", "refuse") == "ignore",
            body=self._body(operation),
            rate_profile=node.get("x-rate-profile"),
            is_idempotent=node.get("x-idempotent", False),
            has_secret_response=node.get("x-secret-response", False),
            paging=self._paging(operation),
            max_body_bytes=node.get("x-max-body", 1_048_576),
            is_catch_all=operation.path_node.get("x-catch-all", False),
            switch=node.get("x-switch"),
            etag_of=self._etag_of(operation),
            is_audited=is_audited(operation),
            is_deprecated=node.get("deprecated", False),
            deprecated_at=node.get("x-deprecated-at"),
            sunset=node.get("x-sunset"),
        )

    def _etag_of(self, operation: ir.Operation) -> str | None:
        etag = operation.node.get("x-etag")
        if isinstance(etag, dict):
            return str(etag["of"])
        return operation.id if etag else None

    def _paging(self, operation: ir.Operation) -> table.Paging | None:
        if "x-paging" not in operation.node:
            return None
        paging: table.Paging = self._converted(
            f"{operation.pointer}/x-paging", operation.node["x-paging"], table.Paging
        )
        return paging

    def _scheme(self, name: str, node: ir.Node) -> table.Scheme:
        if node.get("type") == "apiKey" and node.get("in") in {"cookie", "header", "query"}:
            prefix = node.get("x-bearer-prefix")
            return table.Scheme(name=name, kind=node["in"], parameter=node["name"], bearer_prefix=prefix)
        if node.get("type") == "http" and str(node.get("scheme")).lower() == "bearer":
            return table.Scheme(name=name, kind="bearer", parameter="Authorization")
        fix = "write an apiKey or an http bearer scheme; other kinds of credential are not enforced"
        self._refuse(f"/components/securitySchemes/{escape(name)}", fix)

    def _parameters(self, operation: ir.Operation) -> tuple[table.Parameter, ...]:
        result: list[table.Parameter] = []
        for parameter in operation.parameters:
            field = snake(parameter.name)
            if parameter.location == "header" and parameter.name.lower() in BY_POLICY:
                field = ""
            elif any(field == other.field for other in result):
                field = f"{field}_{parameter.location}"
                while any(field == other.field for other in result):
                    field += "_"
            result.append(self._parameter(parameter, field))
        return tuple(result)

    def _parameter(self, parameter: ir.Parameter, field: str) -> table.Parameter:
        node = parameter.node
        style = node.get("style", "form" if parameter.location in {"query", "cookie"} else "simple")
        schema = Resolved(self._bundle, parameter.schema)
        kinds = schema.kinds()
        return table.Parameter(
            name=parameter.name,
            field=field,
            location=node["in"],
            schema=f"#{parameter.schema}",
            origin=self._origin(parameter.pointer),
            required=node.get("required", False),
            style=style,
            explode=node.get("explode", style == "form"),
            shapes=_ordered(kinds),
            is_array="array" in kinds,
            item_shapes=_ordered(schema.items()) if "array" in kinds else (),
            is_object="object" in kinds,
            properties={name: _ordered(kinds) for name, kinds in schema.members().items()} if "object" in kinds else {},
            content=parameter.content.content_type if parameter.content else None,
            default=schema.default(),
            has_default=schema.has_default(),
        )

    def _parameters_type(self, operation: ir.Operation, parameters: tuple[table.Parameter, ...]) -> str | None:
        members: dict[str, Any] = {}
        required = []
        for parameter in parameters:
            if not parameter.field:
                continue
            pointer = parameter.schema.lstrip("#")
            shape = self.shaper.member(pointer, f"{operation.area}.{camel(operation.id)}{camel(parameter.field)}")
            if parameter.has_default:
                shape = {**shape, "default": parameter.default}
            if parameter.required or parameter.has_default:
                required.append(parameter.field)
            members[parameter.field] = shape
        if not members:
            return None
        name = f"parameters.{operation.area}.{camel(operation.id)}Parameters"
        self.shaper.shapes[name] = {
            "type": "object",
            "description": f"Parameters of {operation.id}.",
            "properties": members,
            "required": sorted(required),
        }
        return self._qualified(name)

    def _body(self, operation: ir.Operation) -> table.Body | None:
        if operation.body is None:
            return None
        body = operation.body
        name = f"{operation.area}.{camel(operation.id)}Body"
        return table.Body(
            media=tuple(self._media(media, name, is_one_of_many=len(body.media) > 1) for media in body.media),
            required=body.node.get("required", False),
            origin=self._origin(body.pointer),
        )

    def _response(self, operation: ir.Operation, response: ir.Response) -> table.Response:
        name = None if response.status >= "400" else f"{operation.area}.{camel(operation.id)}Answer{response.status}"
        return table.Response(
            status=int(response.status),
            origin=self._origin(response.pointer),
            media=tuple(self._media(media, name, is_one_of_many=len(response.media) > 1) for media in response.media),
            headers=tuple(
                table.Header(name=header.name, schema=f"#{header.schema}", required=header.node.get("required", False))
                for header in response.headers
            ),
        )

    def _media(self, media: ir.Media, name: str | None, *, is_one_of_many: bool) -> table.Media:
        type_name = None
        if media.schema is not None and name is not None and is_typed(media.content_type):
            name += camel(media.content_type.rpartition("/")[2]) if is_one_of_many else ""
            type_name = self.shaper.type_of(media.schema, name)
        return table.Media(
            content_type=media.content_type,
            schema=f"#{media.schema}" if media.schema is not None else None,
            type=self._qualified(type_name),
            parts=self._parts(media),
            events={name: schema["$ref"] for name, schema in sorted(media.sse.get("events", {}).items())},
            resumable=media.sse.get("resumable", False),
        )

    def _parts(self, media: ir.Media) -> tuple[table.Part, ...]:
        if (
            media.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}
            or media.schema is None
        ):
            return ()
        encoding = media.node.get("encoding", {})
        schema = Resolved(self._bundle, media.schema)
        return tuple(
            self._part(name, member, encoding.get(name, {})) for name, member in sorted(schema.properties().items())
        )

    def _part(self, name: str, schema: Resolved, encoding: dict[str, Any]) -> table.Part:
        kinds = schema.kinds()
        types = tuple(part.strip() for part in str(encoding.get("contentType", "")).split(",") if part.strip())
        return table.Part(
            name=name,
            shapes=_ordered(kinds),
            is_array="array" in kinds,
            item_shapes=_ordered(schema.items()) if "array" in kinds else (),
            is_binary=schema.is_binary(),
            content_types=types,
            style=encoding.get("style", "form"),
            explode=encoding.get("explode", encoding.get("style", "form") == "form"),
        )

    def _qualified(self, name: str | None) -> str | None:
        if name is None or self._package is None:
            return None
        module, _, own = name.rpartition(".")
        return f"{self._package}.{module}:{own}"

    def _origin(self, pointer: str) -> str:
        location = self._bundle.locate(pointer)
        return f"{location.file}:{location.line}"

    def _converted(self, pointer: str, value: Any, kind: type[Any]) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self._refuse(pointer, f"{error}")

    def _refuse(self, pointer: str, message: str) -> NoReturn:
        raise Refused([Finding("compile", self._bundle.locate(pointer), message)])


def _requirement(alternative: Mapping[str, Sequence[str]]) -> table.Requirement:
    scopes = dict.fromkeys(scope for scopes in alternative.values() for scope in scopes)
    return table.Requirement(schemes=tuple(alternative), scopes=tuple(scopes))


def is_audited(operation: ir.Operation) -> bool:
    """Say whether the audit trail tells of an operation: every unsafe one that gives no reason, and who asks for it."""
    stated = operation.node.get("x-audit", operation.method in UNSAFE)
    return stated is True


def is_typed(content_type: str) -> bool:
    """Say whether bodies of this media type become a generated type."""
    return (
        content_type == "application/json"
        or content_type.endswith("+json")
        or content_type
        in {
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        }
    )


def _ordered(kinds: set[str]) -> tuple[Shape, ...]:
    return tuple(shape for shape in _SHAPES if shape in kinds)
