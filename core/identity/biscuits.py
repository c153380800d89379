"""The bearer token's format: a Biscuit (Ed25519) that its holder can narrow without asking.

Facts of the first block: user, tenant, scope (one each), exp, and a check of the time. A holder appends blocks of checks;
while they are verified the authorizer states `time` (now), `requested_scope` (one scope after the other), so that
`check if requested_scope("chat:read")` leaves that scope alone, and `resource` (name and value of each parameter of the
path), so that `check if resource("project", "7")` leaves what names that project. Facts that a holder appends count for nothing, since a
Biscuit shows the authorizer only those of the first block; a block that has any is refused all the same. The library looks at its limits
between checks and never inside one, so a check that joins many facts, or matches a pattern for each, would hold a worker for hours: what
blocks may hold is bounded before they are evaluated.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from biscuit_auth import (
    AuthorizationError,
    Authorizer,
    AuthorizerBuilder,
    Biscuit,
    BiscuitBuilder,
    BiscuitValidationError,
    Fact,
    Rule,
)

from core.identity.keys import keyring
from core.identity.scopes import expand
from core.kernel import clock
from core.kernel.problems import Unavailable

_MAX_TIME = timedelta(milliseconds=100)
_MAX_CPU_SECONDS = 0.05
_MAX_FACTS = 1000
_MAX_ITERATIONS = 100
APPENDED_MAX = 2000
"""How many characters of checks a token may carry beside our own; what it costs to judge them grows with it."""
_CHECK = re.compile("check if |check all |reject if ")
_JOINED_MAX = {"scope": 1, "resource": 3}
"""How often a block may name what there are several facts of: their number is multiplied by itself as often."""
_NAMED = re.compile(rf"\b({'|'.join(_JOINED_MAX)})\(")
_SLOW = ("->", ".matches(", "<invalid ")
"""A function for each member, a pattern that is compiled at each use, and what the library evaluates and cannot print."""
_REQUESTED = "requested_scope("
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CHANGING = ("time(", "resource(")
_NOTHING: Mapping[str, str] = {}
_LIMIT_REACHED = "execution limits"


class Minted(msgspec.Struct, frozen=True, kw_only=True):
    """A new token and the id by which it is revoked."""

    token: str
    revocation_id: str


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says, its signature, time and checks being good.

    revocation_ids: of its blocks in order; the first names the token, more than one means that a holder narrowed it.
    is_constant: no appended block looks at the time or the resource, so the answer holds until the token expires.
    changes_at: the next moment that an appended block names, from when it may allow less; None when there is none.
    """

    user_id: UUID
    tenant_id: UUID
    scopes: frozenset[str]
    revocation_ids: tuple[str, ...]
    is_constant: bool
    changes_at: datetime | None = None

    @property
    def is_narrowed(self) -> bool:
        return len(self.revocation_ids) > 1


def mint(*, user_id: UUID, tenant_id: UUID, scopes: Iterable[str], expires_at: datetime) -> Minted:
    """Sign a token."""
    keys = keyring()
    builder = BiscuitBuilder(
        "user({user}); tenant({tenant}); exp({exp}); check if time($now), $now < {expires_at};",
        {
            "user": str(user_id),
            "tenant": str(tenant_id),
            "exp": int(expires_at.timestamp()),
            "expires_at": expires_at,
        },
    )
    for scope in sorted(scopes):
        builder.add_fact(Fact("scope({scope})", {"scope": scope}))
    builder.set_root_key_id(keys.key_id)
    biscuit = builder.build(keys.private)
    return Minted(token=biscuit.to_base64(), revocation_id=biscuit.revocation_ids[0])


def present(token: str, resources: Mapping[str, str] = _NOTHING) -> Presented | None:
    """Return what the token says, or None when it is not ours, is over, or what a holder appended refuses everything or is no mere check.

    resources: the parameters of the path that is asked for.

    Raises:
        Unavailable: a limit of the evaluation was reached; says nothing about the token.
    """
    biscuit = _parse(token)
    if biscuit is None:
        return None
    blocks = [biscuit.block_source(index) for index in range(1, biscuit.block_count())]
    if sum(map(len, blocks)) > APPENDED_MAX or not all(_is_cheap(block) for block in blocks):
        return None
    try:
        allowed = _judge(biscuit, blocks, resources)
    except _LimitReached as error:
        raise Unavailable("The token cannot be judged now.", retry_after_seconds=1, cause=str(error)) from error
    if allowed is None:
        return None
    return msgspec.structs.replace(
        allowed,
        revocation_ids=tuple(biscuit.revocation_ids),
        is_constant=not any(fact in block for block in blocks for fact in _CHANGING),
        changes_at=_next_moment(blocks),
    )


def _next_moment(blocks: Iterable[str]) -> datetime | None:
    """Return the next moment at which a check may turn; a Biscuit can compare the time, and cannot compute with it."""
    now = clock.now()
    turns = {turn for block in blocks for text in _MOMENT.findall(block) for turn in _turns(text)}
    return min((turn for turn in turns if turn > now), default=None)


def _turns(text: str) -> Iterator[datetime]:
    """Yield the moment and the second behind it: `<` turns at the one, `<=` at the other; a mere text may be no moment."""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        yield moment
        yield moment + timedelta(seconds=1)


def _is_cheap(block: str) -> bool:
    """Say whether a block holds checks alone, and none that takes long.

    The library prints quotes inside a text as they are, so texts cannot be told from the rest: everything counts. So it does
    with names, and a fact or a rule may be named like the beginning of a check; then no check can use it without naming it.
    """
    lines = block.splitlines()
    if not all(map(_CHECK.match, lines)) or len(_CHECK.findall(block)) > len(lines) or any(map(block.count, _SLOW)):
        return False
    named = _NAMED.findall(block)
    return all(named.count(name) <= most for name, most in _JOINED_MAX.items())


def _parse(token: str) -> Biscuit | None:
    public = keyring().public
    try:
        return Biscuit.from_base64(token, lambda key_id: public[key_id])
    except BiscuitValidationError:
        return None


def _judge(biscuit: Biscuit, blocks: list[str], resources: Mapping[str, str]) -> Presented | None:
    """Return what the token says; None when a check fails."""
    budget = _Budget()
    authorizer = _authorizer(biscuit, [], budget)
    if blocks:
        return _narrow(biscuit, _read(authorizer), blocks, resources, budget)
    return _read(authorizer) if _is_allowed(authorizer) else None


def _narrow(
    biscuit: Biscuit, said: Presented, blocks: Iterable[str], resources: Mapping[str, str], budget: _Budget
) -> Presented | None:
    """Ask for the scopes that the token implies; it is good when one passes at least.

    Checks tell those apart that they name, and others only by a variable: without one, what holds for one holds for all.
    """
    named = [
        Fact("resource({name}, {value})", {"name": name, "value": _canonical(value)})
        for name, value in resources.items()
    ]

    def passes(scope: str) -> bool:
        requested = Fact("requested_scope({scope})", {"scope": scope})
        return _is_allowed(_authorizer(biscuit, [requested, *named], budget))

    implied, text = expand(said.scopes), "".join(blocks)
    is_open = _REQUESTED in text and "$" in text
    told_apart = frozenset(scope for scope in implied if is_open or scope in text)
    passed, alike = frozenset(filter(passes, told_apart)), implied - told_apart
    if alike and passes(min(alike)):
        passed |= alike
    return msgspec.structs.replace(said, scopes=passed) if passed else None


def _canonical(value: str) -> str:
    """Write an id as everybody is told it: in capitals it names the same, and a check would not know it."""
    return value.lower() if _ID.fullmatch(value) else value


def _authorizer(biscuit: Biscuit, facts: Iterable[Fact], budget: _Budget) -> Authorizer:
    builder = AuthorizerBuilder("time({now}); allow if user($user);", {"now": clock.now()})
    for fact in facts:
        builder.add_fact(fact)
    return budget.limit(builder).build(biscuit)


def _is_allowed(authorizer: Authorizer) -> bool:
    """Say whether every check holds; one that cannot be computed (an overflow) does not."""
    try:
        with _limits_reported():
            authorizer.authorize()
    except AuthorizationError:
        return False
    return True


class _LimitReached(Exception):
    """The evaluation used up its time, facts or iterations."""


@contextmanager
def _limits_reported() -> Iterator[None]:
    try:
        yield
    except AuthorizationError as error:
        if _LIMIT_REACHED in str(error):
            raise _LimitReached(str(error)) from error
        raise


class _Budget:
    """The time that one token may take, over all its evaluations: this thread's own, whatever else the machine does.

    The library knows wall time alone, and its default of a millisecond would refuse good tokens on a busy machine.
    """

    def __init__(self) -> None:
        self._deadline = time.thread_time() + _MAX_CPU_SECONDS

    def limit(self, builder: AuthorizerBuilder) -> AuthorizerBuilder:
        """Give a builder the limits of one evaluation, if there is time for it."""
        if time.thread_time() > self._deadline:
            raise _LimitReached("time used up")
        limits = builder.limits()  # type: ignore[attr-defined]  # missing in the wheel's stubs, as is set_limits
        limits.max_time, limits.max_facts, limits.max_iterations = _MAX_TIME, _MAX_FACTS, _MAX_ITERATIONS
        builder.set_limits(limits)  # type: ignore[attr-defined]  # see above
        return builder


def _read(authorizer: Authorizer) -> Presented:
    def values(name: str) -> list[str]:
        return [fact.terms[0] for fact in authorizer.query(Rule(f"found($value) <- {name}($value)"))]

    with _limits_reported():
        return Presented(
            user_id=UUID(values("user")[0]),
            tenant_id=UUID(values("tenant")[0]),
            scopes=frozenset(values("scope")),
            revocation_ids=(),
            is_constant=True,
        )
