"""Operations that a setting can switch off (`x-switch`): not found then, and still published."""

from __future__ import annotations

from core.kernel.operation import Operation
from core.kernel.settings import Settings


class SwitchUnknown(Exception):
    """An x-switch that names no setting; such a contract is not served."""


def is_on(operation: Operation, settings: Settings) -> bool:
    """Say whether the operation is served; one without a switch always is.

    Raises:
        SwitchUnknown: its switch is no true-or-false setting.
    """
    if operation.switch is None:
        return True
    value = getattr(settings, operation.switch, None)
    if not isinstance(value, bool):
        raise SwitchUnknown(
            f"{operation.origin}: {operation.id}: no setting is switched by x-switch: {operation.switch}"
        )
    return value
