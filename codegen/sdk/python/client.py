"""Writes the client's own modules: both clients with their resources, the package's front, and the index api.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from codegen import ir
from codegen.names import snake
from codegen.sdk import servers, surface
from codegen.sdk.python.text import HEADER, literal, sentence
from codegen.sdk.surface import Credential, Method, Resource

_ERRORS = (
    "APIError", "BadRequest", "Conflict", "ConnectionFailed", "Forbidden", "Gone", "Invalid", "Locked", "MethodNotAllowed",
    "NotFound", "NotModified", "NotOffered", "PayloadTooLarge", "PreconditionFailed", "RateLimited", "RequestTimeout",
    "ResponseInvalid", "ServerError", "StatusError", "StreamFailed", "TimedOut", "Unauthorized", "Unavailable",
    "UnsupportedMediaType", "Violation",
)  # fmt: skip
_FRONT = {
    "client": ("AsyncClient", "Client"),
    "runtime.credentials": ("Token",),
    "runtime.errors": _ERRORS,
    "runtime.events": ("Event",),
    "runtime.files": ("File",),
    "runtime.options": ("Options", "Retry"),
    "runtime.paging": ("AsyncPages", "Pages"),
    "runtime.streams": ("AsyncStream", "Stream"),
    "runtime.wire": ("Response",),
}


def client_module(contract: ir.Contract, resources: Sequence[Resource], *, agent: str) -> str:
    """Return the module with Client and AsyncClient."""
    credentials = [surface.credential(contract, scheme) for scheme in contract.schemes]
    held = _arguments(credential.scheme for credential in credentials if credential.cookie is None)
    listed = "".join(f"    {literal(credential.scheme)}: {_scheme(credential)},\n" for credential in credentials)
    typed = "".join(f"    from .resources.{r.name} import {r.class_name}\n" for r in resources)
    properties = "".join(_property(resource) for resource in resources)
    return (
        f'{HEADER}\n"""The client and its async twin: one list of resources, two engines."""\n\n'
        "from __future__ import annotations\n\nfrom collections.abc import Callable, Mapping\nfrom functools import cached_property\n"
        "from typing import TYPE_CHECKING, Any, Generic, cast\n\nfrom .runtime.clients import AsyncClient as _AsyncClient\n"
        "from .runtime.clients import SyncClient as _SyncClient\nfrom .runtime.credentials import Renewal, Scheme, Token\n"
        "from .runtime.kinds import Async, M, Sync\nfrom .runtime.options import TIMEOUT_SECONDS, Retry\n\n"
        f"if TYPE_CHECKING:\n    import httpx\n\n{typed}\n"
        f"_SCHEMES: dict[str, Scheme] = {{\n{listed}}}\n_RENEWAL: Renewal | None = {_renewal(contract)}\n\n\n"
        f'class _Resources(Generic[M]):\n    """Every resource, loaded when it is first asked for."""\n\n{properties}\n'
        + _class("", contract, held, agent)
        + _class("Async", contract, held, agent)
    )


def _arguments(schemes: Iterable[str]) -> dict[str, str]:
    """Return scheme → the argument of a client that takes its credential."""
    found: dict[str, str] = {}
    taken = {"self", "base_url", "cookies", "timeout_seconds", "retry", "headers", "http_client"}
    for scheme in schemes:
        name = snake(scheme)
        while name in taken:
            name += "_"
        taken.add(name)
        found[scheme] = name
    return found


def _property(resource: Resource) -> str:
    name = resource.class_name
    return (
        f"    @cached_property\n    def {resource.name}(self) -> {name}[M]:\n"
        f'        """Return {len(resource.methods)} operations on {resource.name}."""\n'
        f"        from .resources.{resource.name} import {name}\n\n        return {name}(cast(Any, self))\n\n"
    )


def _class(prefix: str, contract: ir.Contract, held: Mapping[str, str], agent: str) -> str:
    name, mark = f"{prefix}Client", prefix or "Sync"
    base, http = f"_{mark}Client", f"httpx.{name}"
    url = servers.base(contract.root)
    default = f" = {literal(url)}" if url else ""
    own = f"    BASE_URL = {literal(url)}\n" if url else ""
    rows = ["self", f"base_url: str{default}", "*"]
    rows += [f"{argument}: str | Token | Callable[[], str] | None = None" for argument in held.values()]
    rows += [
        "cookies: Mapping[str, str] | None = None",
        "timeout_seconds: float | None = TIMEOUT_SECONDS",
        "retry: Retry | None = None",
        "headers: Mapping[str, str] | None = None",
        f"http_client: {http} | None = None",
    ]
    signature = "".join(f"        {row},\n" for row in rows)
    given = ", ".join(f"{literal(scheme)}: {argument}" for scheme, argument in held.items())
    title = _quotable(str(contract.root["info"]["title"]))
    return (
        f'\nclass {name}(_Resources[{mark}], {base}):\n    """A client of {title}.\n\n'
        "    Credentials are texts, callables that return one, or a Token, which renews itself; the cookies of a session are\n"
        "    kept from the answer that began it. timeout_seconds: for connecting, sending and each wait for bytes.\n"
        '    """\n\n'
        f"{own}    SCHEMES = _SCHEMES\n    RENEWAL = _RENEWAL\n    USER_AGENT = {literal(agent)}\n\n"
        f"    def __init__(\n{signature}    ) -> None:\n        super().__init__(\n            base_url,\n"
        f"            http_client=http_client,\n            held={{{given}}},\n            cookies=cookies,\n"
        "            timeout_seconds=timeout_seconds,\n            retry=retry,\n            headers=headers,\n        )\n\n"
    )


def _quotable(title: str) -> str:
    """Return a title as words of a docstring that they cannot end."""
    return sentence(title).rstrip(".").replace('"', "'").replace("\\", "/")


def _scheme(credential: Credential) -> str:
    rows = [literal(credential.kind), literal(credential.parameter)]
    if credential.from_cookie is not None:
        rows.append(literal(credential.from_cookie))
    return f"Scheme({', '.join(rows)})"


def _renewal(contract: ir.Contract) -> str:
    found = surface.renewal(contract)
    if found is None:
        return "None"
    words = (found.scheme, found.operation.method, found.operation.path, found.token, found.expires_in)
    return f"Renewal({', '.join(literal(word) for word in words)})"


def front_module(title: str) -> str:
    """Return the package's __init__, which loads nothing until it is asked."""
    typed = "".join(
        f"    from .{module} import {name} as {name}\n" for module, names in _FRONT.items() for name in names
    )
    typed += "    from msgspec import UNSET as UNSET\n"
    where = "".join(
        f"    {literal(name)}: {literal(f'.{module}')},\n" for module, names in _FRONT.items() for name in names
    )
    listed = "".join(f"    {literal(name)},\n" for name in ("UNSET", *chain(*_FRONT.values())))
    return (
        f'{HEADER}\n"""A client of {_quotable(title)}. api.md beside this file lists every operation."""\n\n'
        "from typing import TYPE_CHECKING, Any\n\nif TYPE_CHECKING:\n"
        f"{typed}\n_WHERE = {{\n{where}}}\n__all__ = [\n{listed}]\n\n\n"
        "def __getattr__(name: str) -> Any:\n"
        '    """Load what is asked for."""\n'
        "    from importlib import import_module\n\n"
        '    if name == "UNSET":\n        return import_module("msgspec").UNSET\n'
        "    if name not in _WHERE:\n"
        '        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")\n'
        "    value = globals()[name] = getattr(import_module(_WHERE[name], __name__), name)\n"
        "    return value\n"
    )


def index(contract: ir.Contract, resources: Sequence[Resource]) -> str:
    """Return api.md."""
    lines = [f"# {contract.root['info']['title']} {contract.root['info']['version']}", ""]
    lines += ["`AsyncClient` has the same methods; what returns a value is awaited there.", ""]
    for resource in resources:
        lines += [f"## client.{resource.name}", "", "| Method | Answer | Operation |", "|---|---|---|"]
        for method in resource.methods:
            arguments = ", ".join(_shown(method))
            kind = {"value": "value", "paged": "pages", "stream": "events"}[method.kind]
            what = f"{method.operation.method} {method.operation.path}"
            summary = sentence(str(method.operation.node.get("summary", ""))).replace("|", "\\|")
            lines.append(f"| `{method.name}({arguments})` | {kind} | {what} · {summary} |")
        lines.append("")
    return "\n".join(lines)


def _shown(method: Method) -> list[str]:
    placed = [argument.name for argument in method.arguments if argument.location == "path"]
    needed = [argument.name for argument in method.arguments if argument.location != "path" and argument.is_required]
    others = [f"{a.name}=…" for a in method.arguments if a.location != "path" and not a.is_required]
    return [*placed, *(["*"] if needed or others else []), *needed, *others]
