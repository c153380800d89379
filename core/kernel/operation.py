"""The compiled form of a contract: what codegen emits, the server serves and tests walk.

Every Struct here is plain JSON (`models/contract/operations.json` holds a Contract), so a start reads one file and
no YAML, and an operation compiled at run time is the same kind of object as one compiled ahead.
Schemas are not copied: a `schema` is a JSON pointer fragment into the bundled document ("#/components/schemas/chat.Message").
A `type` is "module:Name" of a generated type, or None where the value stays plain JSON data.
`origin` is "file:line" in the hand-written contract.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Location = Literal["path", "query", "header", "cookie"]
Shape = Literal["string", "integer", "number", "boolean", "null"]


class Parameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter.

    field: its attribute in the parameter Struct. shapes: the JSON types its text may become, tried in the order given.
    item_shapes: the same for the items of an array. properties: the same for the members of an object.
    content: media type of a `content` parameter (its text is that document), else None.
    """

    name: str
    field: str
    location: Location
    schema: str
    origin: str
    required: bool = False
    style: str = "form"
    explode: bool = True
    shapes: tuple[Shape, ...] = ()
    is_array: bool = False
    item_shapes: tuple[Shape, ...] = ()
    is_object: bool = False
    properties: dict[str, tuple[Shape, ...]] = {}
    content: str | None = None
    default: Any = None
    has_default: bool = False


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One property of a form or multipart body: how its text becomes JSON data."""

    name: str
    shapes: tuple[Shape, ...] = ()
    is_array: bool = False
    item_shapes: tuple[Shape, ...] = ()
    is_binary: bool = False
    content_types: tuple[str, ...] = ()
    style: str = "form"
    explode: bool = True


class Media(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One media type of a body or response; content_type is lower-case without parameters."""

    content_type: str
    schema: str | None = None
    type: str | None = None
    parts: tuple[Part, ...] = ()
    events: dict[str, str] = {}
    """SSE only: event name → schema of its data."""
    resumable: bool = False


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    media: tuple[Media, ...]
    required: bool
    origin: str


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    schema: str
    required: bool = False


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    status: int
    origin: str
    media: tuple[Media, ...] = ()
    headers: tuple[Header, ...] = ()


class Scheme(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A security scheme: where its credential travels. kind: cookie, header, query or bearer; parameter: its name there.

    bearer_prefix: x-bearer-prefix; the credential is also taken as a bearer, where it is told by what it begins with.
    """

    name: str
    kind: Literal["cookie", "header", "query", "bearer"]
    parameter: str
    bearer_prefix: str | None = None


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One alternative of `security`: all of these schemes together, and the scopes they must carry."""

    schemes: tuple[str, ...]
    scopes: tuple[str, ...]


class Paging(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """x-paging. kind keyset: `parameter` takes the cursor; offset: `parameter` is the offset. Pointers into the reply."""

    kind: Literal["keyset", "offset"]
    parameter: str
    items: str
    limit: str = "limit"
    next: str | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation, with everything the pipeline needs.

    id: the operationId; also the handler function, metric label and log field. path: the contract's template.
    error_style: a key of Contract.styles. etag_of: x-etag; its own id for a GET, or for PUT and PATCH the GET whose
    answer is the validator. public_reason: x-public. max_body_bytes: x-max-body.
    is_audited: the audit trail tells of it: an unsafe method without a reason in x-audit, or any with `x-audit: true`.
    deprecated_at, sunset: x-deprecated-at and x-sunset, days like "2026-12-31".
    switch: x-switch, the true-or-false setting that must be on.
    """

    id: str
    method: str
    path: str
    area: str
    resource: str
    origin: str
    summary: str
    error_style: str
    responses: tuple[Response, ...]
    security: tuple[Requirement, ...] = ()
    public_reason: str | None = None
    parameters: tuple[Parameter, ...] = ()
    parameters_type: str | None = None
    ignores_unknown_query: bool = False
    body: Body | None = None
    rate_profile: str | None = None
    is_idempotent: bool = False
    has_secret_response: bool = False
    paging: Paging | None = None
    max_body_bytes: int = 1_048_576
    is_catch_all: bool = False
    switch: str | None = None
    etag_of: str | None = None
    is_audited: bool = False
    is_deprecated: bool = False
    deprecated_at: str | None = None
    sunset: str | None = None

    @property
    def success(self) -> tuple[Response, ...]:
        """Return the responses below 400, in the contract's order."""
        return tuple(response for response in self.responses if response.status < 400)

    @property
    def is_stream(self) -> bool:
        """Say whether a success of this operation may be a server-sent event stream."""
        return any(media.content_type == "text/event-stream" for r in self.success for media in r.media)


class ErrorStyle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the contract's `x-error-styles`.

    format: the renderer (problem, code, workflow, api, openai). invalid_status: the status of schema-invalid input.
    codes: the product's code → the name this surface publishes.
    """

    format: Literal["problem", "code", "workflow", "api", "openai"]
    content_type: str
    invalid_status: int
    codes: dict[str, str] = {}


class StylePrefix(msgspec.Struct, frozen=True, kw_only=True):
    """Errors outside any operation take the style of the longest prefix that matches the path."""

    prefix: str
    style: str


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled contract. `bundle_file` and `origins_file` are beside the file this was read from.

    fingerprint: SHA-256 over the sources; names the build in logs and the ETag of the published document.
    sources: file of the contract, relative to the project → SHA-256 of its text as it was compiled.
    """

    title: str
    version: str
    fingerprint: str
    schemes: tuple[Scheme, ...]
    styles: dict[str, ErrorStyle]
    style_prefixes: tuple[StylePrefix, ...]
    operations: tuple[Operation, ...]
    sources: dict[str, str] = {}
