"""What a provider's definition must be beyond its schema: complete for its kind, with addresses that may be called."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from core.kernel.problems import Violation
from core.system import outbound
from models.contract.identity import FederationProvider

_ADDRESSES = ("issuer", "auth_url", "token_url", "userinfo_url")


def violations(document: FederationProvider) -> Iterator[Violation]:
    """Yield what is wrong with a definition."""
    spec = document.spec
    given = {name: url for name in _ADDRESSES if (url := getattr(spec, name)) is not UNSET}
    if spec.provider == "custom":
        yield from _incomplete(given)
    else:
        for name in given:
            yield _violation(f"/spec/{name}", "of_custom_alone", f"{spec.provider} has addresses of its own.")
    if spec.tenant_id is not UNSET and spec.provider != "microsoft":
        yield _violation("/spec/tenant_id", "of_microsoft_alone", "Only microsoft has directories.")
    for name, url in given.items():
        try:
            outbound.check_url(url)
        except outbound.OutboundRefused as refused:
            yield _violation(f"/spec/{name}", "address_refused", f"The address may not be called: {refused}.")


def _incomplete(given: dict[str, str]) -> Iterator[Violation]:
    if "issuer" in given:
        for name in given.keys() - {"issuer"}:
            yield _violation(f"/spec/{name}", "of_issuer", "The issuer's own metadata say this.")
    elif len(given) < len(_ADDRESSES) - 1:
        message = "custom needs issuer, or auth_url, token_url and userinfo_url."
        yield _violation("/spec", "incomplete", message)


def _violation(pointer: str, rule: str, message: str) -> Violation:
    return Violation(pointer=pointer, location="body", rule=rule, message=message)
