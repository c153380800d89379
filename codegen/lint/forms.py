"""A form or multipart body is an object of fields, each of which the server can read as declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract, Media
from codegen.locate import escape
from codegen.resolved import Resolved
from codegen.table import is_typed

RULE = "forms"
_STYLES = {"form", "spaceDelimited", "pipeDelimited"}
_EMPTY = {"204", "205", "304"}
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield bodies whose parts have no reading, and what is said of bodies or parts that do not exist."""
    for operation in contract.operations:
        if operation.body is not None and operation.method == "GET":
            place = contract.bundle.locate(operation.body.pointer)
            yield Finding(
                RULE, place, "send the input as parameters; the body of a GET has no meaning (RFC 9110, 9.3.1)"
            )
        if operation.body is None and "x-max-body" in operation.node:
            place = contract.bundle.locate(f"{operation.pointer}/x-max-body")
            yield Finding(RULE, place, "remove x-max-body: the operation takes no body, and none is read")
        for response in operation.responses:
            if response.status in _EMPTY and response.media:
                place = contract.bundle.locate(f"{response.pointer}/content")
                yield Finding(RULE, place, f"remove it: a {response.status} has no body (RFC 9110, 15)")
        listed = [response.media for response in operation.responses]
        for entries in [operation.body.media, *listed] if operation.body else listed:
            for pointer, message in _types(entries):
                yield Finding(RULE, contract.bundle.locate(pointer), message)
        media = list(operation.body.media) if operation.body else []
        media += [entry for response in operation.responses for entry in response.media]
        for entry in media:
            for pointer, message in _media(contract.bundle, entry):
                yield Finding(RULE, contract.bundle.locate(pointer), message)


def _types(entries: Iterable[Media]) -> Iterator[tuple[str, str]]:
    """Yield keys of `content` that are no media type, and those of which another one hides the schema."""
    seen: set[str] = set()
    for entry in entries:
        if "/" not in entry.content_type:
            yield entry.pointer, f"write a media type, such as application/json, instead of {entry.content_type!r}"
        if entry.content_type in seen:
            yield entry.pointer, f"describe {entry.content_type} once: parameters do not tell media types apart"
        seen.add(entry.content_type)


def _media(bundle: Bundle, media: Media) -> Iterator[tuple[str, str]]:
    if "*" in media.content_type:
        yield media.pointer, "name the media type; ranges are not matched"
    if media.schema is None and is_typed(media.content_type):
        yield media.pointer, "write its schema: without one any body would do"
    encoding = media.node.get("encoding", {})
    if media.content_type not in FORMS and encoding:
        yield f"{media.pointer}/encoding", "remove encoding: it belongs to form and multipart bodies"
    if media.content_type not in FORMS or media.schema is None:
        return
    if Resolved(bundle, media.schema).kinds() != {"object"}:
        yield media.pointer, "describe the fields as the properties of an object"
        return
    fields = Resolved(bundle, media.schema).properties()
    for name in encoding:
        if name not in fields:
            yield f"{media.pointer}/encoding/{escape(name)}", f"remove it: the body has no field {name!r}"
    for name, row in encoding.items():
        for word, message in _encoding(row, fields[name].kinds()) if name in fields else ():
            yield f"{media.pointer}/encoding/{escape(name)}/{word}", message
    for name, field in fields.items():
        kinds = field.kinds() | (field.items() if "array" in field.kinds() else set())
        if "object" in kinds and "json" not in str(encoding.get(name, {}).get("contentType", "")):
            yield field.pointer, f"write `encoding: {{{name}: {{contentType: application/json}}}}`: text has no members"


def _encoding(row: dict[str, Any], kinds: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what is said of a field and not looked at."""
    if "contentType" in row and "json" not in str(row["contentType"]):
        yield "contentType", "remove it: what a part says of its own type is not checked"
    for word in ("style", "explode"):
        if word in row and (kinds != {"array"} or "contentType" in row):
            yield word, f"remove {word}: it is for arrays of plain values"
    if row.get("style", "form") not in _STYLES:
        yield "style", f"write one of {', '.join(sorted(_STYLES))}"
