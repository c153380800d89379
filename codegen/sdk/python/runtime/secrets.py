"""Values that are not to be shown where a reply is printed or logged."""

from __future__ import annotations

from msgspec import UNSET, Struct


def concealing(value: Struct, *secrets: str) -> str:
    """Return the text that `repr` would give, with the values of these fields as three asterisks; missing and null ones are told."""
    fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
    shown = (
        f"{name}=***" if name in secrets and field is not UNSET and field is not None else f"{name}={field!r}"
        for name, field in fields
    )
    return f"{type(value).__name__}({', '.join(shown)})"
