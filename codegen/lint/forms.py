"""A form or multipart body is an object of fields, each of which the server can read as declared."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract, Media
from codegen.locate import escape
from codegen.resolved import Resolved

RULE = "forms"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield bodies whose parts have no reading, and encodings of parts that do not exist."""
    for operation in contract.operations:
        if operation.body is not None and operation.method == "GET":
            place = contract.bundle.locate(operation.body.pointer)
            yield Finding(
                RULE, place, "send the input as parameters; the body of a GET has no meaning (RFC 9110, 9.3.1)"
            )
        media = list(operation.body.media) if operation.body else []
        media += [entry for response in operation.responses for entry in response.media]
        for entry in media:
            for pointer, message in _media(contract.bundle, entry):
                yield Finding(RULE, contract.bundle.locate(pointer), message)


def _media(bundle: Bundle, media: Media) -> Iterator[tuple[str, str]]:
    if "*" in media.content_type:
        yield media.pointer, "name the media type; ranges are not matched"
    encoding = media.node.get("encoding", {})
    if media.content_type not in FORMS:
        if encoding:
            yield f"{media.pointer}/encoding", "remove encoding: it belongs to form and multipart bodies"
        return
    if media.schema is None or Resolved(bundle, media.schema).kinds() != {"object"}:
        yield media.pointer, "describe the fields as the properties of an object"
        return
    fields = Resolved(bundle, media.schema).properties()
    for name in encoding:
        if name not in fields:
            yield f"{media.pointer}/encoding/{escape(name)}", f"remove it: the body has no field {name!r}"
    for name, field in fields.items():
        kinds = field.kinds() | (field.items() if "array" in field.kinds() else set())
        if "object" in kinds and "json" not in str(encoding.get(name, {}).get("contentType", "")):
            yield field.pointer, f"write `encoding: {{{name}: {{contentType: application/json}}}}`: text has no members"
