"""Settings that cannot be read are named, with their value unless it may hold a secret."""

from __future__ import annotations

import pytest

from core.kernel import settings


@pytest.mark.parametrize(
    ("variable", "value", "is_shown"),
    [
        ("ACCORD_DATABASE_URL", "postgresql+psycopg2://accord:s3cret@db/accord", False),
        ("ACCORD_WORKERS", "many", True),
    ],
)
def test_bad_value_is_shown_unless_it_may_hold_a_secret(variable: str, value: str, is_shown: bool) -> None:
    with pytest.raises(settings.SettingsError, match=variable) as refused:
        settings.read({variable: value})
    assert (value in str(refused.value)) is is_shown
