"""The catalogue of scopes: every `resource:action` that the contract asks for, and how patterns of them expand."""

from __future__ import annotations

from collections.abc import Iterable

from core.kernel.principal import ELEVATED_SCOPES, includes

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


def _named(want: str) -> set[str]:
    if want in CATALOGUE or not want.endswith(":*"):
        return {want}
    return {scope for scope in CATALOGUE if scope.startswith(want[:-1])}
