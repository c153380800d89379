"""The work of knowing a caller, done alike by every peer: a Biscuit, verified once, then known by its hash until the security epoch moves.

It does what the product's own verifier does for a warm caller: hash the credential, ask the database whether anything
changed, look the principal up. SQLite is asked with `PRAGMA data_version`.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from biscuit_auth import (
    Algorithm,
    AuthorizationError,
    AuthorizerBuilder,
    Biscuit,
    BiscuitBuilder,
    BiscuitValidationError,
    KeyPair,
    PrivateKey,
    PublicKey,
    Rule,
)


class Caller(NamedTuple):
    user_id: str
    scopes: frozenset[str]


class Callers:
    """Callers known to this process."""

    def __init__(self, public_key: str, database_file: str) -> None:
        self._key = PublicKey.from_bytes(bytes.fromhex(public_key), Algorithm.Ed25519)
        self._database = sqlite3.connect(database_file, check_same_thread=False)
        self._version = -1
        self._epoch = -1
        self._known: dict[bytes, Caller] = {}

    def find(self, token: str) -> Caller | None:
        """Return who holds `token`, or None when it is not one of ours; the epoch is SQLite's."""
        self._follow_epoch()
        return self._find(token)

    def find_at(self, token: str, epoch: int) -> Caller | None:
        """Do the same for a peer that has read the epoch from its own database."""
        self._move_to(epoch)
        return self._find(token)

    def _find(self, token: str) -> Caller | None:
        digest = hashlib.sha256(token.encode()).digest()
        caller = self._known.get(digest)
        if caller is None:
            caller = self._verify(token)
            if caller is not None:
                self._known[digest] = caller
        return caller

    def _follow_epoch(self) -> None:
        version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        self._move_to(self._database.execute("SELECT value FROM epoch").fetchone()[0])

    def _move_to(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._epoch = epoch
            self._known.clear()

    def _verify(self, token: str) -> Caller | None:
        try:
            biscuit = Biscuit.from_base64(token, self._key)
            builder = AuthorizerBuilder("time({now}); allow if user($id);", {"now": datetime.now(UTC)})
            limits = builder.limits()
            limits.max_time = timedelta(milliseconds=100)
            builder.set_limits(limits)
            authorizer = builder.build(biscuit)
            authorizer.authorize()
        except (BiscuitValidationError, AuthorizationError):
            return None
        user = authorizer.query(Rule("found($id) <- user($id)"))[0].terms[0]
        scopes = frozenset(fact.terms[0] for fact in authorizer.query(Rule("found($s) <- scope($s)")))
        return Caller(user, scopes)


def from_environment() -> Callers:
    """Make the callers of a peer that the runner started."""
    return Callers(os.environ["BENCH_PUBLIC_KEY"], os.environ["BENCH_EPOCH_DATABASE"])


def make_credentials(database_file: str, user_id: str) -> tuple[str, str]:
    """Make the epoch's database and a token; return (public key, token)."""
    with sqlite3.connect(database_file) as database:
        database.execute("PRAGMA journal_mode=wal")
        database.execute("CREATE TABLE epoch (value INTEGER NOT NULL)")
        database.execute("INSERT INTO epoch VALUES (1)")
    database.close()
    keys = KeyPair()
    private: PrivateKey = keys.private_key
    builder = BiscuitBuilder(
        'user({id}); scope("chat:read"); check if time($t), $t < {until};',
        {
            "id": user_id,
            "until": datetime.now(UTC) + timedelta(hours=1),
        },
    )
    return bytes(keys.public_key.to_bytes()).hex(), builder.build(private).to_base64()
