"""Authenticate and authorise: credentials of the contract's schemes → the Principal, then the scopes of the operation.

A request may carry one credential. Companions (a scheme that is never the first of an alternative, like a CSRF token)
are no credential of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from core.kernel.exchange import Credentials
from core.kernel.operation import Contract, Operation, Requirement, Scheme
from core.kernel.principal import ANONYMOUS, Principal
from core.kernel.problems import AmbiguousCredentials, Forbidden, InsufficientScope, Unauthenticated
from server import query
from server.ports import CredentialVerifier
from server.request import Request, cookies, environ_name
from server.router import names_of

Gate = Callable[[Request, tuple[str, ...]], None]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class _Extractor:
    """Find the credentials of a request."""

    def __init__(self, schemes: Iterable[Scheme], requirements: Iterable[Requirement]) -> None:
        primaries = {row.schemes[0] for row in requirements if row.schemes}
        known = tuple(schemes)
        self.headers = [
            (s.name, environ_name(s.parameter), s.kind == "bearer") for s in known if s.kind in {"header", "bearer"}
        ]
        self.cookies = [(s.name, s.parameter) for s in known if s.kind == "cookie"]
        self.queries = [(s.name, s.parameter) for s in known if s.kind == "query"]
        self.prefixes = [(s.bearer_prefix, s.name) for s in known if s.bearer_prefix]
        self.primaries = primaries

    def extract(self, request: Request) -> dict[str, str]:
        """Return scheme name → credential.

        Raises:
            AmbiguousCredentials: two different ones.
        """
        found: dict[str, str] = {}
        environ = request.environ
        for name, key, is_bearer in self.headers:
            value = environ.get(key)
            if value and is_bearer:
                value = _bearer(value)
            if not value:
                continue
            scheme = self._scheme_of(value) or name if is_bearer else name
            if found.setdefault(scheme, value) != value:
                raise AmbiguousCredentials("Send one credential, not two.")
        if self.cookies and "HTTP_COOKIE" in environ:
            jar = cookies(environ["HTTP_COOKIE"])
            found.update((name, jar[key]) for name, key in self.cookies if jar.get(key))
        if self.queries and request.query:
            sent = dict(query.pairs(request.query))
            found.update((name, query.decode(sent[key])) for name, key in self.queries if sent.get(key))
        if len(found) > 1 and len({value for name, value in found.items() if name in self.primaries}) > 1:
            raise AmbiguousCredentials("Send one credential, not two.")
        return found

    def _scheme_of(self, bearer: str) -> str | None:
        """Return the scheme whose credentials begin like this bearer, or None."""
        return next((name for prefix, name in self.prefixes if bearer.startswith(prefix)), None)


def _bearer(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def compile_gate(operation: Operation, contract: Contract, verifier: CredentialVerifier) -> Gate | None:
    """Build the function that sets the request's principal or refuses it; None for a public operation."""
    if not operation.security:
        return None
    extractor = _Extractor(contract.schemes, [row for other in contract.operations for row in other.security])
    extract = extractor.extract
    verify = verifier.verify
    is_unsafe = operation.method.upper() not in _SAFE_METHODS
    style, operation_id = operation.error_style, operation.id
    allows_anonymous = any(not row.schemes for row in operation.security)
    authorise = _authoriser(operation)
    names = names_of(operation.path)

    def gate(request: Request, values: tuple[str, ...]) -> None:
        found = extract(request)
        principal = verify(
            Credentials(
                values=found,
                is_unsafe=is_unsafe,
                error_style=style,
                client_address=request.client_address,
                operation_id=operation_id,
                resources=dict(zip(names, values, strict=True)),
                is_local=not found and _is_local(request),
            )
        )
        if principal is None:
            if found or not allows_anonymous:
                raise Unauthenticated("The credential is not valid." if found else "Send a credential.")
            principal = ANONYMOUS
        request.principal = principal
        request.credentials = found
        authorise(principal, found, values)

    return gate


def _is_local(request: Request) -> bool:
    """Say whether a program of this machine asks.

    A page in this machine's browser comes from its address as well: another site's names itself in Origin, or in Host
    when its name was made to lead here (DNS rebinding).
    """
    address = request.client_address.removeprefix("::ffff:")
    if not (address.startswith("127.") or address == "::1"):
        return False
    origin = request.header("HTTP_ORIGIN")
    named = [request.header("HTTP_HOST") or ""] + ([origin] if origin is not None else [])
    return all(_names_loopback(name) for name in named)


def _names_loopback(authority: str) -> bool:
    try:
        return urlsplit(authority if "://" in authority else f"//{authority}").hostname in _LOOPBACK
    except ValueError:
        return False


def _authoriser(operation: Operation) -> Callable[[Principal, dict[str, str], tuple[str, ...]], None]:
    """Build the check that one alternative of `security` is met whole: all its schemes, all its scopes."""
    names = names_of(operation.path)
    rows = tuple((frozenset(row.schemes), row.schemes[:1], tuple(row.scopes)) for row in operation.security)
    templated = any("{" in scope for row in operation.security for scope in row.scopes)

    def authorise(principal: Principal, found: dict[str, str], values: tuple[str, ...]) -> None:
        missing: str | None = None
        companions: frozenset[str] = frozenset()
        for schemes, primary, stated in rows:
            if found and not schemes.issubset(found):
                companions = schemes.difference(found) if primary and primary[0] in found else companions
                continue
            scopes = [_filled(scope, names, values) for scope in stated] if templated else stated
            missing = next((scope for scope in scopes if not principal.holds(scope)), None)
            if missing is None:
                return
        if missing is not None:
            raise InsufficientScope(f"This needs the scope {missing}.", extensions={"scope": missing})
        if companions:
            raise Forbidden(f"This credential must be accompanied by {', '.join(sorted(companions))}.")
        raise Unauthenticated("This operation does not accept that kind of credential.")

    return authorise


def _filled(scope: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    for name, value in zip(names, values, strict=True):
        scope = scope.replace(f"{{{name}}}", value)
    return scope
