"""What the documentation of an operation shows: a call by the contract's examples, in Python, TypeScript and curl.

`accord generate` writes the samples beside the contract, and the server publishes them as `x-codeSamples`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from codegen import ir
from codegen.bundle import Bundle
from codegen.locate import Json, unescape
from codegen.sdk import curl, samples, surface
from codegen.sdk.python import sample as python
from codegen.sdk.shown import Shown
from codegen.sdk.surface import Credential, Method
from codegen.sdk.typescript import sample as typescript

Changes = Callable[[Method, dict[str, Any]], Mapping[str, Any]]
Sample = dict[str, str]

_WRITERS: tuple[tuple[str, str, Callable[[Shown], str]], ...] = (
    ("Python", "Python", python.text),
    ("TypeScript", "TypeScript", typescript.text),
    ("Shell", "curl", curl.text),
)
_KINDS = ("bearer", "basic", "header", "query", "cookie")


def code_samples(contract: ir.Contract, change: Changes = lambda _, arguments: arguments) -> dict[str, list[Sample]]:
    """Return operationId → samples: {lang, label, source}, three for each way of calling the operation.

    change: puts other values in the place of documented arguments, by argument.
    """
    found: dict[str, list[Sample]] = {}
    for shown in calls(contract, change):
        told = found.setdefault(shown.method.operation.id, [])
        suffix = " (stream)" if told else ""
        told += [{"lang": lang, "label": f"{label}{suffix}", "source": write(shown)} for lang, label, write in _WRITERS]
    return found


def published(document: Json, written: Mapping[str, list[Sample]]) -> Json:
    """Return a copy of a contract whose operations carry their samples."""
    changed = copy.copy(document)
    changed["paths"] = {path: dict(item) for path, item in document["paths"].items()}
    for item in changed["paths"].values():
        for key, node in item.items():
            if isinstance(node, dict) and node.get("operationId") in written:
                item[key] = {**node, "x-codeSamples": written[node["operationId"]]}
    return changed


def calls(contract: ir.Contract, change: Changes = lambda _, arguments: arguments) -> Iterator[Shown]:
    """Yield what is shown of each method of a client."""
    for resource in surface.resources(contract):
        for method in resource.methods:
            given = dict(change(method, arguments(contract.bundle, method)))
            yield Shown(
                contract.bundle, resource, method, given, _credentials(contract, method.operation), _result(method)
            )


def arguments(bundle: Bundle, method: Method) -> dict[str, Any]:
    """Return argument → plain value: what is required, the example's body, and other parameters that have an example."""
    found = samples.arguments(bundle, method, _body(method))
    for argument in method.arguments:
        if argument.location != "body" and argument.name not in found and {"example", "examples"} & set(argument.node):
            found[argument.name] = samples.parameter(bundle, argument)
    return {argument.name: found[argument.name] for argument in method.arguments if argument.name in found}


def _body(method: Method) -> Any:
    """Return the first example of the body that calls for what the method answers with."""
    told = method.body.constants if method.body is not None else {}
    for example in samples.body_examples(method):
        if isinstance(example, dict) and all(bool(example.get(name)) == value for name, value in told.items()):
            return example
    return next(samples.body_examples(method), None)


def _credentials(contract: ir.Contract, operation: ir.Operation) -> tuple[Credential, ...]:
    """Return the alternative that a program is likeliest to hold: a token before a key before a session's cookies."""
    security = operation.security
    alternatives = [[surface.credential(contract, name) for name in row] for row in security if row]
    alternatives.sort(key=lambda held: (len(held), max(_KINDS.index(credential.kind) for credential in held)))
    return tuple(alternatives[0]) if alternatives and {} not in security else ()


def _result(method: Method) -> str | None:
    """Return the name of what the call gives, of one item where it gives many; None where it gives nothing."""
    media = [m for r in surface.successes(method.operation) for m in r.media if m.content_type != ir.EVENT_STREAM]
    if method.kind != "value":
        return "event" if method.kind == "stream" else "item"
    if not media:
        return None
    area, _, name = unescape((media[0].schema or "").rpartition("/")[2]).rpartition(".")
    return name if area else "answer"
