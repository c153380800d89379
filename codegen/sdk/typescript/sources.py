"""Writes the generated modules: one a resource, the client that joins them, the types by area, and the index of all."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from codegen import ir
from codegen.locate import escape
from codegen.names import camel, snake
from codegen.sdk import servers, surface
from codegen.sdk.surface import class_name
from codegen.sdk.typescript.methods import Method, component, lower_camel, methods

HEADER = "// Generated from the contract; change the contract instead."
_RUNTIME_TYPES = (
    "Call",
    "EventStream",
    "Idempotent",
    "IfMatch",
    "IfNoneMatch",
    "Pager",
    "RequestOptions",
    "ServerEvent",
    "Upload",
)


def sources(contract: ir.Contract) -> dict[str, str]:
    """Return path below `src/` → text, and `api.md`."""
    resources = {resource.name: methods(contract.bundle, resource) for resource in surface.resources(contract)}
    files = {f"src/resources/{name}.ts": _resource(name, found) for name, found in resources.items()}
    areas = _types(contract.root)
    files |= {f"src/types/{area}.ts": text for area, text in areas.items()}
    files["src/schemes.ts"] = _schemes(contract)
    files["src/client.ts"] = _client(contract.root, resources)
    files["src/index.ts"] = _index(resources, areas)
    files["api.md"] = _api(resources)
    return files


def _resource(name: str, found: tuple[Method, ...]) -> str:
    body = "\n".join(_method(method) for method in found)
    constants = "\n".join(f"const {_constant(m)}: Operation = {_literal(m.data)};" for m in found)
    aliases = "\n".join(f"export type {alias} = {type_};" for m in found for alias, type_ in m.aliases.items())
    text = f"{aliases}\n{body}"
    runtime = [
        kind
        for kind in _RUNTIME_TYPES
        if any(use in text for use in (f"{kind}<", f"options?: {kind}", f"& {kind}", f" {kind};"))
    ]
    schema = [kind for kind in ("components", "operations") if f"{kind}[" in text]
    imports = ['import type { Connection } from "../runtime/connection.js";']
    imports.append('import type { Operation } from "../runtime/operation.js";')
    imports += [f'import type {{ {", ".join(runtime)} }} from "../runtime/index.js";'] if runtime else []
    imports += [f'import type {{ {", ".join(schema)} }} from "../schema.js";'] if schema else []
    opening = [
        f"/** Operations of {name}. */",
        f"export class {class_name(name)} {{",
        "  readonly #connection: Connection;",
        "",
        "  constructor(connection: Connection) {",
        "    this.#connection = connection;",
        "  }",
    ]
    return "\n".join([HEADER, *imports, "", aliases, "", *opening, body + "}", "", constants, ""])


def _constant(method: Method) -> str:
    return snake(camel(method.name)).upper()


def _method(method: Method) -> str:
    arguments = [f"{argument.name}: {argument.type}" for argument in method.path]
    passed = []
    if method.path:
        names = ", ".join(f"{json.dumps(a.wire)}: {a.name}" for a in method.path)
        passed.append(f"path: {{ {names} }}")
    passed += [f"body: {_merged(method)}"] if method.body else []
    passed += ["params"] if method.params else []
    arguments += _optional(method)
    arguments.append(f"options?: {' & '.join(method.options)}")
    call, result = _call(method)
    return "\n".join(
        [
            "",
            textwrap.indent(_comment(method), "  "),
            f"  {method.name}({', '.join(arguments)}): {result} {{",
            f"    return this.#connection.{call}({_constant(method)}, {{ {', '.join(passed)} }}, options);",
            "  }",
            "",
        ]
    )


def _optional(method: Method) -> list[str]:
    """Return body and params; an optional one before a required one must be given, if only as undefined."""
    rows = [("body", method.body, method.body_required), ("params", method.params, method.params_required)]
    present = [row for row in rows if row[1] is not None]
    result = []
    for index, (name, alias, is_required) in enumerate(present):
        if is_required:
            result.append(f"{name}: {alias}")
        elif any(needed for _, _, needed in present[index + 1 :]):
            result.append(f"{name}: {alias} | undefined")
        else:
            result.append(f"{name}?: {alias}")
    return result


def _merged(method: Method) -> str:
    if not method.constants:
        return "body"
    fixed = ", ".join(f"{name}: {json.dumps(value)}" for name, value in method.constants.items())
    return f"{{ ...body, {fixed} }}"


def _call(method: Method) -> tuple[str, str]:
    if method.kind == "paged":
        types = f"<{method.result}, {method.page}>"
        return f"pages{types}", f"Pager{types}"
    if method.kind == "stream":
        return f"stream<{method.result}>", f"EventStream<{method.result}>"
    return f"call<{method.result}>", f"Call<{method.result}>"


def _comment(method: Method) -> str:
    node = method.operation.node
    lines = [str(node.get("summary", "")).strip(), "", *str(node.get("description", "")).strip().splitlines(), ""]
    lines += [f"@param {a.name} {' '.join(str(a.description).split())}".rstrip() for a in method.path]
    refused = [response.status for response in method.operation.responses if response.status >= "4"]
    lines += [f"@throws a StatusError of {', '.join(refused)}"] if refused else []
    lines += method.served
    if "deprecated" in method.data:
        lines.append(f"@deprecated {method.data['deprecated']}")
    safe = [line.replace("*/", "*\\/") for line in lines]
    return _joined_comment(safe)


def _joined_comment(lines: Iterable[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in kept), " */"])


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text else "undefined"


def _literal(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _types(root: Mapping[str, Any]) -> dict[str, str]:
    """Return area → module of its types: `chat.Message` is Message of chat; a name without an area is of `schemas`."""
    rows = []
    for name in root.get("components", {}).get("schemas", {}):
        area, _, own = name.rpartition(".")
        rows.append((snake(area) if area else "schemas", camel(own), name))
    areas = {}
    for area, group in groupby(sorted(rows), key=lambda row: row[0]):
        named = {own: name for _, own, name in group}
        lines = [
            f"export type {own} = {component(f'/components/schemas/{escape(name)}')};" for own, name in named.items()
        ]
        areas[area] = "\n".join([HEADER, 'import type { components } from "../schema.js";', "", *lines, ""])
    return areas


def _schemes(contract: ir.Contract) -> str:
    credentials = [surface.credential(contract, scheme) for scheme in contract.schemes]
    schemes = {lower_camel(credential.scheme): _scheme(credential) for credential in credentials}
    given = [lower_camel(credential.scheme) for credential in credentials if credential.cookie is None]
    union = " | ".join(json.dumps(name) for name in given) or "never"
    return "\n".join(
        [
            HEADER,
            'import type { Schemes } from "./runtime/credentials.js";',
            'import type { Renewal } from "./runtime/renewal.js";',
            "",
            "/** The security schemes that take a text; sessions are kept in cookies. */",
            f"export type SchemeName = {union};",
            "",
            f"export const SCHEMES: Schemes = {_literal(schemes)};",
            "",
            f"export const RENEWAL: Renewal | undefined = {_renewal(contract)};",
            "",
            "/** The address that the contract names. */",
            f"export const CONTRACT_URL: string | undefined = {_text(servers.base(contract.root))};",
            "",
        ]
    )


def _renewal(contract: ir.Contract) -> str:
    found = surface.renewal(contract)
    if found is None:
        return "undefined"
    told = {
        "scheme": lower_camel(found.scheme),
        "method": found.operation.method,
        "path": found.operation.path,
        "token": f"/{escape(found.token)}",
        "expiresIn": f"/{escape(found.expires_in)}",
    }
    return _literal(told)


def _scheme(credential: surface.Credential) -> dict[str, str]:
    scheme = {"kind": credential.kind, "parameter": credential.parameter}
    return scheme if credential.from_cookie is None else {**scheme, "fromCookie": credential.from_cookie}


def _client(root: Mapping[str, Any], resources: Mapping[str, tuple[Method, ...]]) -> str:
    title = " ".join(str(root["info"]["title"]).split()).replace("*/", "* /")
    imports = [f'import {{ {class_name(name)} }} from "./resources/{name}.js";' for name in resources]
    members = [f"  readonly {lower_camel(name)}: {class_name(name)};" for name in resources]
    made = [f"    this.{lower_camel(name)} = new {class_name(name)}(this.connection);" for name in resources]
    return "\n".join(
        [
            HEADER,
            'import { connect } from "./connect.js";',
            'import type { ClientOptions, Connection } from "./runtime/index.js";',
            'import type { SchemeName } from "./schemes.js";',
            *imports,
            "",
            f"/** Every resource of {title}; a program that uses few of them imports their modules and `connect` alone. */",
            "export class Client {",
            "  readonly connection: Connection;",
            *members,
            "",
            "  constructor(options: ClientOptions<SchemeName>) {",
            "    this.connection = connect(options);",
            *made,
            "  }",
            "}",
            "",
        ]
    )


_CONNECT = """
import { Connection, type ClientOptions } from "./runtime/index.js";
import { CONTRACT_URL, RENEWAL, SCHEMES, type SchemeName } from "./schemes.js";

/** Return a way to the service, for resources that are imported one by one. */
export function connect(options: ClientOptions<SchemeName>): Connection {
  return new Connection(SCHEMES, options, RENEWAL, CONTRACT_URL);
}
"""


def connect() -> str:
    """Return the module `connect`."""
    return HEADER + _CONNECT


def _index(resources: Mapping[str, tuple[Method, ...]], areas: Iterable[str]) -> str:
    lines = ['export { Client } from "./client.js";', 'export { connect } from "./connect.js";']
    lines += [f'export {{ {class_name(name)} }} from "./resources/{name}.js";' for name in resources]
    lines += [f'export type * as {lower_camel(area)} from "./types/{area}.js";' for area in areas]
    lines += ['export type { SchemeName } from "./schemes.js";', 'export * from "./runtime/index.js";']
    return "\n".join([HEADER, *lines, ""])


def _api(resources: Mapping[str, tuple[Method, ...]]) -> str:
    lines = ["# Operations", ""]
    for name, found in resources.items():
        lines += [f"## {lower_camel(name)}", "", "| Call | Operation | Gives |", "|---|---|---|"]
        for method in found:
            arguments = [a.name for a in method.path]
            arguments += ["body" if method.body_required else "body?"] if method.body else []
            arguments += ["params" if method.params_required else "params?"] if method.params else []
            gives = _call(method)[1].replace("|", "\\|")
            call = f"client.{lower_camel(name)}.{method.name}({', '.join([*arguments, 'options?'])})"
            lines.append(f"| `{call}` | `{method.operation.method} {method.operation.path}` | `{gives}` |")
        lines.append("")
    return "\n".join(lines)
