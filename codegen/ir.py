"""The contract with every reference followed: what lint rules read and emitters compile.

Nodes keep the pointer where they stand in the bundle, so each knows its line. Nothing here is judged; see lint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn

from codegen import grammar
from codegen.bundle import Bundle
from codegen.findings import Finding, Refused
from codegen.locate import Json, escape

Node = dict[str, Any]
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Media:
    """One entry of `content`.

    schema: pointer of its schema, the component's own where it is a mere reference. sse: what `x-sse` says of a stream's
    events, here or on the response; empty for other media types.
    """

    content_type: str
    pointer: str
    node: Node
    schema: str | None
    sse: Node


@dataclass(frozen=True)
class Parameter:
    """One parameter. content: its media type where the text is a document of its own, else None."""

    name: str
    location: str
    pointer: str
    node: Node
    schema: str
    content: Media | None


@dataclass(frozen=True)
class Header:
    name: str
    pointer: str
    node: Node
    schema: str


@dataclass(frozen=True)
class Body:
    pointer: str
    node: Node
    media: tuple[Media, ...]


@dataclass(frozen=True)
class Response:
    """One response; status is its key: a number, a range such as 4XX, or default."""

    status: str
    pointer: str
    node: Node
    media: tuple[Media, ...]
    headers: tuple[Header, ...]


@dataclass(frozen=True)
class Operation:
    """One operation; area and resource come from the file it is written in, `paths/<area>/<resource>.yaml`.

    In a contract of another layout they are its first tag and the word of its id before the first `_`, without one the tag again.
    """

    id: str
    method: str
    path: str
    pointer: str
    node: Node
    path_node: Node
    area: str
    resource: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[Response, ...]
    security: list[dict[str, list[str]]]


@dataclass(frozen=True)
class Contract:
    """A whole contract, operations in the order of path and method. schemes: security scheme → its node."""

    bundle: Bundle
    root: Node
    operations: tuple[Operation, ...]
    schemes: dict[str, Node]


def build(bundle: Bundle) -> Contract:
    """Resolve a bundle.

    Raises:
        Refused: the document lacks what every operation needs to have a name and a shape.
    """
    names = bundle.document.get("components", {}).get("securitySchemes", {})
    schemes = {name: bundle.follow(f"/components/securitySchemes/{escape(name)}")[1] for name in sorted(names)}
    return Contract(bundle, bundle.document, tuple(_Resolver(bundle).operations()), schemes)


class _Resolver:
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def operations(self) -> Iterator[Operation]:
        paths = self._bundle.document.get("paths", {})
        for path in sorted(key for key in paths if key.startswith("/")):
            for method in grammar.METHODS:
                if method in paths[path]:
                    yield self._operation(path, method, paths[path])

    def _operation(self, path: str, method: str, path_node: Node) -> Operation:
        pointer = f"/paths/{escape(path)}/{method}"
        node = path_node[method]
        area, resource = self._place(pointer, node)
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            pointer=pointer,
            node=node,
            path_node=path_node,
            area=area,
            resource=resource,
            parameters=self._parameters(f"/paths/{escape(path)}", pointer, path_node, node),
            body=self._body(f"{pointer}/requestBody") if "requestBody" in node else None,
            responses=tuple(
                self._response(status, f"{pointer}/responses/{escape(status)}")
                for status in sorted(node.get("responses", {}))
                if not status.startswith("x-")
            ),
            security=node.get("security", self._bundle.document.get("security", [])),
        )

    def _place(self, pointer: str, node: Node) -> tuple[str, str]:
        file = PurePosixPath(self._bundle.address(pointer).file)
        if len(file.parts) >= 3 and file.parts[-3] == "paths":
            return file.parts[-2], file.stem
        tags = node.get("tags") or ["common"]
        word, mark, _ = str(node["operationId"]).partition("_")
        return str(tags[0]), word if mark else str(tags[0])

    def _parameters(self, path: str, pointer: str, path_node: Node, node: Node) -> tuple[Parameter, ...]:
        """Return the path item's parameters and the operation's, which replace those of equal name and location."""
        found: dict[tuple[str, str], Parameter] = {}
        for base, owner in ((path, path_node), (pointer, node)):
            for index in range(len(owner.get("parameters", []))):
                parameter = self._parameter(f"{base}/parameters/{index}")
                found[parameter.location, parameter.name] = parameter
        return tuple(found.values())

    def _parameter(self, pointer: str) -> Parameter:
        pointer, node = self._bundle.follow(pointer)
        content = self._content(pointer, node)
        if len(content) != ("schema" not in node) or any(media.schema is None for media in content):
            self._refuse(pointer, "give a parameter either `schema`, or `content` with one media type and its schema")
        schema = self._schema(f"{pointer}/schema" if not content else f"{content[0].pointer}/schema")
        return Parameter(node["name"], node["in"], pointer, node, schema, content[0] if content else None)

    def _body(self, pointer: str) -> Body:
        pointer, node = self._bundle.follow(pointer)
        return Body(pointer, node, self._content(pointer, node))

    def _response(self, status: str, pointer: str) -> Response:
        pointer, node = self._bundle.follow(pointer)
        headers = []
        for name in sorted(node.get("headers", {})):
            at, header = self._bundle.follow(f"{pointer}/headers/{escape(name)}")
            if "schema" not in header or "content" in header:
                self._refuse(at, f"give the header {name} a schema, and no content")
            headers.append(Header(name, at, header, self._schema(f"{at}/schema")))
        return Response(status, pointer, node, self._content(pointer, node), tuple(headers))

    def _content(self, pointer: str, node: Node) -> tuple[Media, ...]:
        result = []
        for name in sorted(node.get("content", {})):
            at, media = self._bundle.follow(f"{pointer}/content/{escape(name)}")
            schema = self._schema(f"{at}/schema") if "schema" in media else None
            content_type = name.partition(";")[0].strip().lower()
            sse = media.get("x-sse", node.get("x-sse", {})) if content_type == EVENT_STREAM else {}
            result.append(Media(content_type, at, media, schema, sse))
        return tuple(result)

    def _schema(self, pointer: str) -> str:
        """Return the pointer of the schema that decides; a reference with siblings decides itself."""
        node: Json = self._bundle.get(pointer)
        while isinstance(node, dict) and set(node) == {"$ref"}:
            pointer = node["$ref"].lstrip("#")
            node = self._bundle.get(pointer)
        return pointer

    def _refuse(self, pointer: str, message: str) -> NoReturn:
        raise Refused([Finding("structure", self._bundle.locate(pointer), message)])
