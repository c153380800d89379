"""Replace a credential once: whoever repeats the refresh within the grace is given the same successor.

The successor is encrypted under the credential that it replaced, which is stored nowhere, and deleted after the grace.
"""

from __future__ import annotations

from datetime import timedelta

from core.kernel import clock
from core.kernel.sealing import digest, seal, unseal
from models.tables.identity import Successor

GRACE = timedelta(seconds=10)
_PURPOSE = "accord credential successor"


def keep_successor(former: str, successor: str) -> None:
    """Remember what replaced `former`, inside the transaction that replaced it."""
    sealed = seal(successor.encode(), secret=former, purpose=_PURPOSE)
    Successor.create(digest=digest(former), sealed=sealed, expires_at=clock.now() + GRACE)


def find_successor(former: str) -> str | None:
    """Return what replaced `former`, or None when the grace is over."""
    row = Successor.get_or_none(Successor.digest == digest(former), Successor.expires_at > clock.now())
    return unseal(bytes(row.sealed), secret=former, purpose=_PURPOSE).decode() if row else None
