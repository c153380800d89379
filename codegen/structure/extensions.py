"""Every `x-` key is a policy that the compiler understands, where it is understood, and well typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from codegen.bundle import Bundle
from codegen.findings import Finding, meant
from codegen.locate import escape
from core.kernel.operation import ErrorStyle, Paging

RULE = "extensions"
Text = Annotated[str, msgspec.Meta(min_length=1)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class EtagOf(msgspec.Struct, forbid_unknown_fields=True):
    """The GET whose answer is the validator of a write."""

    of: Text


class Renewal(msgspec.Struct, forbid_unknown_fields=True):
    """How a bearer token is exchanged for its successor: the operation, and the members of its answer."""

    operation: Text
    token: Text
    expires_in: Text


class StrictPaging(Paging, frozen=True, forbid_unknown_fields=True):
    """x-paging as it is written."""


class StrictStyle(ErrorStyle, frozen=True, forbid_unknown_fields=True):
    """An entry of x-error-styles as it is written."""


KNOWN: dict[str, dict[str, Any]] = {
    "root": {"x-error-styles": dict[str, StrictStyle], "x-error-prefixes": dict[str, Text]},
    "pathItem": {"x-error-style": Text, "x-catch-all": Literal[True]},
    "operation": {
        "x-public": Text,
        "x-rate-profile": Text,
        "x-idempotent": bool,
        "x-audit": Literal[True] | Text,
        "x-secret-response": bool,
        "x-paging": StrictPaging,
        "x-max-body": Annotated[int, msgspec.Meta(ge=1, le=2**31)],
        "x-etag": Literal[True] | EtagOf,
        "x-sunset": Day,
        "x-deprecated-at": Day,
        "x-switch": Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")],
        "x-unknown-query": Literal["ignore"],
    },
    "securityScheme": {
        "x-bearer-prefix": Annotated[str, msgspec.Meta(pattern="^[!-~]+$")],
        "x-from-cookie": Text,
        "x-renewal": Renewal,
    },
    "mediaType": {"x-sse": dict[str, Any]},
    "response": {"x-sse": dict[str, Any]},
    "schema": {"x-freeform": Text, "x-open-enum": Literal[True], "x-unit": Text},
}


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield unknown extensions, misplaced ones, and values of the wrong type."""
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        for name in [key for key in node if key.startswith("x-")] if isinstance(node, dict) else []:
            if name not in KNOWN.get(kind, {}):
                places = [place for place, names in KNOWN.items() if name in names]
                fix = f"it belongs to: {', '.join(places)}" if places else "remove it; nothing reads it"
                yield Finding(RULE, bundle.locate(f"{pointer}/{escape(name)}"), f"{name} is unknown here: {fix}")
                continue
            try:
                msgspec.convert(node[name], KNOWN[kind][name])
            except msgspec.ValidationError as error:
                yield Finding(RULE, bundle.locate(f"{pointer}/{escape(name)}"), f"{name}: {error}{meant(node[name])}")
