"""The catalogue of scopes: every `resource:action` that the contract asks for, and how patterns of them expand."""

from __future__ import annotations

from collections.abc import Iterable

from core.kernel.principal import ELEVATED_SCOPES, includes
from core.kernel.problems import Forbidden

ADMIN = "iam:admin"
CATALOGUE = frozenset(
    {
        ADMIN,
        *(f"account:{action}" for action in ("create", "read", "update")),
        *(f"apikey:{action}" for action in ("create", "delete", "read", "rotate")),
        "asset:manage",
        *(f"chat:{action}" for action in ("create", "delete", "read")),
        "estimator:create",
        *(f"file:{action}" for action in ("delete", "read", "upload")),
        *(f"git:{action}" for action in ("commit", "push")),
        "model:*",
        *(f"projects:{action}" for action in ("read", "write")),
        *(f"runs:{action}" for action in ("control", "start")),
        *(f"settings:{action}" for action in ("read", "write")),
        *(f"store:{action}" for action in ("manage", "read", "sync")),
        *(f"tenant:{action}" for action in ("create", "read")),
        "usage:read",
    }
)
EVERYDAY = frozenset(
    {
        "account:read",
        *(f"chat:{action}" for action in ("create", "delete", "read")),
        "estimator:create",
        *(f"file:{action}" for action in ("delete", "read", "upload")),
        "model:*",
        *(f"store:{action}" for action in ("manage", "read", "sync")),
        "tenant:read",
        "usage:read",
    }
)
"""What an API key is for when nothing else is asked for."""


PERSONAL = ("projects:*", "runs:start", "runs:control", "git:commit", "settings:read")
"""What a device's token is for when nothing else is asked for (page 003)."""


class ScopeExceedsCaller(Forbidden):
    code, title = "scope_exceeds_caller", "The caller cannot give away a scope that it does not hold"


def expand(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes together with every catalogued one that they imply."""
    held = frozenset(scopes)
    return held | {scope for scope in CATALOGUE if includes(held, scope)}


def grant(wanted: Iterable[str] | None, held: frozenset[str]) -> frozenset[str]:
    """Return what a credential may hold: the wanted scopes that `held` includes (all of `held` for None).

    A wanted `resource:*` becomes the catalogued scopes of the resource. Elevated scopes are never granted here.
    """
    if wanted is None:
        return held - ELEVATED_SCOPES
    names = {name for want in wanted for name in _named(want)}
    return frozenset(name for name in names if includes(held, name)) - ELEVATED_SCOPES


def elevate(wanted: Iterable[str], held: frozenset[str]) -> frozenset[str]:
    """Return what an elevated token may hold: as `grant`, and the elevated scopes that are wanted and may be held."""
    named = {name for want in wanted for name in _named(want)}
    return grant(wanted, held) | {name for name in named & ELEVATED_SCOPES if may_hold(held, name)}


def may_hold(held: frozenset[str], scope: str) -> bool:
    """Say whether who holds `held` may have the scope; an elevated one by name or as `iam:admin`, in an elevated token."""
    return includes(held, scope) or (scope in ELEVATED_SCOPES and ADMIN in held)


def claim(wanted: Iterable[str], held: frozenset[str]) -> frozenset[str]:
    """Return the wanted scopes, `resource:*` as the catalogued ones of the resource, when `held` includes every one.

    Elevated scopes are left out of a `resource:*` and refused by name.

    Raises:
        ScopeExceedsCaller: see the class.
    """
    names = {name for want in wanted for name in _spelled_out(want)}
    if elevated := names & ELEVATED_SCOPES:
        raise ScopeExceedsCaller(f"Only an elevated token holds {', '.join(sorted(elevated))}.")
    check_within(names, held)
    return frozenset(names)


def check_within(names: Iterable[str], held: frozenset[str]) -> None:
    """Check that the holder of `held` may give these scopes away; elevated ones are no one's to hold for long and pass.

    Raises:
        ScopeExceedsCaller: see the class.
    """
    beyond = sorted(name for name in names if name not in ELEVATED_SCOPES and not includes(held, name))
    if beyond:
        raise ScopeExceedsCaller(f"These scopes are not the caller's to give: {', '.join(beyond)}.")


def _spelled_out(want: str) -> set[str]:
    names = _named(want)
    return names if want in names else (names - ELEVATED_SCOPES) or {want}


def _named(want: str) -> set[str]:
    if want in CATALOGUE or not want.endswith(":*"):
        return {want}
    return {scope for scope in CATALOGUE if scope.startswith(want[:-1])}
