"""Bearer tokens as their holders change them."""

from __future__ import annotations

from biscuit_auth import Biscuit, BlockBuilder

from core.identity.keys import keyring


def narrow(token: str, source: str) -> str:
    """Append a block as a holder does: with the public key alone."""
    public = keyring().public
    return Biscuit.from_base64(token, lambda key_id: public[key_id]).append(BlockBuilder(source)).to_base64()
