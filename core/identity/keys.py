"""The keys that sign bearer tokens: made from ACCORD_SECRET_KEYS, or from a key file that a dev start makes once."""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

import msgspec
from biscuit_auth import Algorithm, KeyPair, PrivateKey, PublicKey

from core.kernel import settings
from core.kernel.sealing import derive

_KEY_FILE = "secret.key"
_PURPOSE = "accord biscuit signing key"


class Keyring(msgspec.Struct, frozen=True):
    """The first key signs and is named in the token by `key_id`; every key verifies."""

    private: PrivateKey
    key_id: int
    public: dict[int, PublicKey]


def keyring() -> Keyring:
    """Return the keys of this process's settings."""
    return _keyring(secrets_in_use())


def secrets_in_use() -> tuple[str, ...]:
    """Return the secrets of this process's settings: the first makes, all of them open."""
    configured = settings.current()
    return configured.secret_keys or (_file_key(configured.data_dir),)


@lru_cache(maxsize=4)
def _keyring(secret_keys: tuple[str, ...]) -> Keyring:
    pairs = [KeyPair.from_private_key(_private(secret)) for secret in secret_keys]
    identified = {_identify(pair.public_key): pair.public_key for pair in pairs}
    return Keyring(pairs[0].private_key, _identify(pairs[0].public_key), identified)


def _private(secret: str) -> PrivateKey:
    # The wheel's stubs lack the algorithm that its code asks for.
    return PrivateKey.from_bytes(derive(secret, _PURPOSE), Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]


def _identify(key: PublicKey) -> int:
    return int.from_bytes(hashlib.sha256(bytes(key.to_bytes())).digest()[:4], "big")


@lru_cache(maxsize=4)
def _file_key(data_dir: str) -> str:
    path = Path(data_dir) / _KEY_FILE
    if not path.exists():
        _make_key_file(path)
    return path.read_text().strip()


def _make_key_file(path: Path) -> None:
    """Make the file whole or not at all: of several processes, the one whose link comes first has made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{_KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
