"""Encrypt a short-lived secret under another secret that only its owner holds.

AES-256-GCM under a key that HKDF-SHA256 makes from the owner's secret and a purpose: the stored bytes are of no use to
whoever reads the database, and a purpose's bytes cannot be opened as another's. The cryptography library is a tenth of a start and
is imported when something is first sealed.
"""

from __future__ import annotations

import hashlib
import os

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes were made under another secret or purpose, or were changed."""


def derive(secret: str, purpose: str, size_bytes: int = 32) -> bytes:
    """Make a key from a secret (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - a tenth of a start, for what few need
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - a tenth of a start, for what few need

    return HKDF(algorithm=SHA256(), length=size_bytes, salt=None, info=purpose.encode()).derive(secret.encode())


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret of high entropy, in hex: what is stored in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seal(plain: bytes, *, secret: str, purpose: str) -> bytes:
    """Encrypt `plain`."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - a tenth of a start, for what few need

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(derive(secret, purpose)).encrypt(nonce, plain, None)


def unseal(sealed: bytes, *, secret: str, purpose: str) -> bytes:
    """Decrypt what `seal` made.

    Raises:
        SealBroken: see the class.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - a tenth of a start, for what few need
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - a tenth of a start, for what few need

    nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(derive(secret, purpose)).decrypt(nonce, encrypted, None)
    except InvalidTag as error:
        raise SealBroken from error
