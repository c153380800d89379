"""Bearer tokens as their holders change them."""

from __future__ import annotations

import base64

from biscuit_auth import Biscuit, BlockBuilder
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.identity.keys import keyring

_HEAD_BYTES, _KEY_BYTES, _SIGNATURE_BYTES, _PROOF_BYTES = 6, 38, 66, 36
"""Of a signed block of 128 to 16,000 bytes: what stands before, the next key, the signature, and the token's end behind it."""


def narrow(token: str, source: str) -> str:
    """Append a block as a holder does: with the public key alone."""
    return _parsed(token).append(BlockBuilder(source)).to_base64()


def narrow_by_hand(token: str, source: str, old: bytes, new: bytes) -> str:
    """Append a block that no tool makes and every holder can sign: with other bytes, as many, in the place of some."""
    former, made = (base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in (token, narrow(token, source)))
    begin, end = len(former) - _PROOF_BYTES + _HEAD_BYTES, -_PROOF_BYTES - _SIGNATURE_BYTES - _KEY_BYTES
    block, key = made[begin:end].replace(old, new), made[end : end + _KEY_BYTES][-32:]
    assert block != made[begin:end]
    signature = Ed25519PrivateKey.from_private_bytes(former[-32:]).sign(block + bytes(4) + key)
    key_field = made[end : end + _KEY_BYTES + 2]  # and what announces the signature
    forged = made[:begin] + block + key_field + signature + made[-_PROOF_BYTES:]
    return _parsed(base64.urlsafe_b64encode(forged).decode()).to_base64()


def _parsed(token: str) -> Biscuit:
    public = keyring().public
    return Biscuit.from_base64(token, lambda key_id: public[key_id])
