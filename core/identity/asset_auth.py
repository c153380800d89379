"""The password of a tenant's assets: its rules, and keeping it as a hash."""

from __future__ import annotations

from uuid import UUID

from core.identity.access import access_tenant
from core.identity.passwords import hash_password
from core.kernel import clock
from core.kernel.principal import Principal
from core.kernel.problems import Invalid, Violation
from models.database import write
from models.tables.identity import AssetPassword

_LENGTH = range(8, 129)
_SYMBOLS = "!@#$%^&*"


def prepare_password(principal: Principal, tenant_id: UUID, *, password: str, confirmation: str) -> str:
    """Judge and hash a new password; slow, so never inside a transaction.

    Raises:
        NotFound: see `access_tenant`.
        Invalid: names every rule that is not met.
        Unavailable: too many are hashing.
    """
    access_tenant(principal, tenant_id)
    check_rules(password, confirmation)
    return hash_password(password, pointer="/newPassword")


def do_set_password(tenant_id: UUID, password_hash: str) -> None:
    """Keep a judged password in place of the former one."""
    values = {"password_hash": password_hash, "changed_at": clock.now()}
    with write():
        row = AssetPassword.insert(tenant=tenant_id, **values)
        row.on_conflict(conflict_target=[AssetPassword.tenant], update=values).execute()


def check_rules(password: str, confirmation: str) -> None:
    """Check length, composition and confirmation (page 004).

    Raises:
        Invalid: names every rule that is not met.
    """
    rules = {
        "length": (len(password) in _LENGTH, "It must have 8 to 128 characters."),
        "upper_case": (any("A" <= letter <= "Z" for letter in password), "It must have an upper-case letter."),
        "lower_case": (any("a" <= letter <= "z" for letter in password), "It must have a lower-case letter."),
        "digit": (any("0" <= letter <= "9" for letter in password), "It must have a digit."),
        "symbol": (any(letter in _SYMBOLS for letter in password), f"It must have one of {' '.join(_SYMBOLS)}."),
    }
    unmet = [_violation("/newPassword", rule, message) for rule, (is_met, message) in rules.items() if not is_met]
    if confirmation != password:
        unmet.append(_violation("/confirmPassword", "equal", "It must equal newPassword."))
    if unmet:
        raise Invalid("The password does not meet every rule.", errors=unmet)


def _violation(pointer: str, rule: str, message: str) -> Violation:
    return Violation(pointer=pointer, location="body", rule=rule, message=message)
