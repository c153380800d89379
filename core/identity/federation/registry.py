"""The providers there are: those stored by administrators, and those of files whose name nobody stored or removed."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from core.identity.federation import providers
from core.identity.federation.definitions import violations
from core.identity.federation.files import file_providers
from core.identity.federation.problems import ProviderUnavailable, ProviderUnknown
from core.identity.federation.providers import Provider
from core.identity.keys import secrets_in_use
from core.kernel import clock
from core.kernel.problems import Conflict, Invalid, Violation
from core.kernel.sealing import SealBroken, seal, unseal
from models.contract.identity import FederationProvider
from models.database import read, write
from models.tables.federation import FederationProviderRow
from models.tables.identity import Role

MASK = "***"
PROVIDERS_MAX = 500
_PURPOSE = "accord federation client secret"


class TooManyProviders(Conflict):
    code, title = "too_many_providers", f"More than {PROVIDERS_MAX} identity providers are not kept"


def list_names() -> list[str]:
    """Return the names of all providers, in alphabetical order."""
    rows = FederationProviderRow.select(FederationProviderRow.name, FederationProviderRow.document)
    with read():
        is_removed = {row.name: row.document is None for row in rows}
    return sorted({name for name in is_removed if not is_removed[name]} | (file_providers().keys() - is_removed.keys()))


def get_shown(name: str) -> FederationProvider:
    """Return a definition as it is shown: the secret masked.

    Raises:
        ProviderUnknown: there is none.
    """
    document, secret = _find(name)
    return _with_secret(document, MASK if secret else None)


def get_provider(name: str) -> Provider:
    """Return a provider to log in by.

    Raises:
        ProviderUnknown: there is none, or it is disabled.
        ProviderUnavailable: its secret was kept under a key that the service has no more.
    """
    document, secret = _find(name)
    if not document.enabled:
        raise ProviderUnknown
    return providers.of_document(document, _opened(name, secret) if isinstance(secret, bytes) else secret)


def do_put(name: str, document: FederationProvider) -> FederationProvider:
    """Store a definition and return it as it is shown; a masked secret stays the one there is.

    Raises:
        Invalid: it is not complete, names an address that may not be called, or a role that cannot be given.
        TooManyProviders: see the class.
    """
    faults = [*violations(document), *_misnamed(name, document)]
    with write():
        faults += _role_faults(document)
        secret = _sealed(name, document, faults)
        if faults:
            raise Invalid("The definition does not hold together.", errors=faults)
        row = {
            "document": msgspec.json.encode(_with_secret(document, None)).decode(),
            "sealed_secret": secret,
            "changed_at": clock.now(),
        }
        stored = FederationProviderRow.insert(name=name, **row).on_conflict(
            conflict_target=[FederationProviderRow.name], update=row
        )
        stored.execute()
        if FederationProviderRow.select().count() > PROVIDERS_MAX:
            raise TooManyProviders
    return get_shown(name)


def do_delete(name: str) -> None:
    """Take a provider out of use; one that is nowhere but in the database is forgotten, a file's is marked.

    Raises:
        ProviderUnknown: there is none.
    """
    with write():
        _find(name)
        if name not in file_providers():
            FederationProviderRow.delete().where(FederationProviderRow.name == name).execute()
            return
        gone = {"document": None, "sealed_secret": None, "changed_at": clock.now()}
        removed = FederationProviderRow.insert(name=name, **gone)
        removed.on_conflict(conflict_target=[FederationProviderRow.name], update=gone).execute()


def _find(name: str) -> tuple[FederationProvider, bytes | str]:
    """Return a definition without its secret, and the secret: sealed bytes of a stored one, the text of a file's."""
    with read():
        row = FederationProviderRow.get_or_none(FederationProviderRow.name == name)
    if row is not None and row.document is not None:
        document = msgspec.json.decode(row.document, type=FederationProvider)
        return document, bytes(row.sealed_secret) if row.sealed_secret is not None else ""
    filed = file_providers().get(name)
    if row is not None or filed is None:
        raise ProviderUnknown
    secret = filed.spec.client_secret
    return _with_secret(filed, None), "" if secret is UNSET else secret


def _with_secret(document: FederationProvider, secret: str | None) -> FederationProvider:
    spec = msgspec.structs.replace(document.spec, client_secret=UNSET if secret is None else secret)
    return msgspec.structs.replace(document, spec=spec)


def _sealed(name: str, document: FederationProvider, faults: list[Violation]) -> bytes | None:
    """Return the secret to store, encrypted: the given one, or for a masked one what there is."""
    given = document.spec.client_secret
    if given != MASK:
        return seal(given.encode(), secret=secrets_in_use()[0], purpose=_purpose(name)) if given else None
    try:
        former, kept = _find(name)
    except ProviderUnknown:
        former, kept = document, ""
    if not kept:
        faults.append(_secret_fault("no_secret", "Three asterisks keep a secret, and there is none."))
        return None
    if _recipient(former) != _recipient(document):
        message = "The secret that is kept was given for another address; state the one for this."
        faults.append(_secret_fault("secret_of_elsewhere", message))
        return None
    plain = _opened(name, kept) if isinstance(kept, bytes) else kept
    return seal(plain.encode(), secret=secrets_in_use()[0], purpose=_purpose(name))


def _recipient(document: FederationProvider) -> tuple[object, ...]:
    """Return what decides to whom the secret is sent."""
    spec = document.spec
    return spec.provider, spec.issuer, spec.token_url


def _secret_fault(rule: str, message: str) -> Violation:
    return Violation(pointer="/spec/client_secret", location="body", rule=rule, message=message)


def _opened(name: str, sealed: bytes) -> str:
    for secret in secrets_in_use():
        try:
            return unseal(sealed, secret=secret, purpose=_purpose(name)).decode()
        except SealBroken:
            continue
    raise ProviderUnavailable(f"{name}: its secret was kept under a key that ACCORD_SECRET_KEYS lacks")


def _purpose(name: str) -> str:
    """Bind a secret to its provider, so that stored bytes cannot be moved to another's row."""
    return f"{_PURPOSE} {name}"


def _misnamed(name: str, document: FederationProvider) -> list[Violation]:
    if document.metadata.name == name:
        return []
    message = "metadata.name must be the name in the path."
    return [Violation(pointer="/metadata/name", location="body", rule="other_name", message=message)]


def _role_faults(document: FederationProvider) -> list[Violation]:
    name = document.spec.default_role
    if name is UNSET or Role.select().where(Role.name == name, ~Role.is_system).exists():
        return []
    message = "There is no such role that can be given."
    return [Violation(pointer="/spec/default_role", location="body", rule="role_not_assignable", message=message)]
