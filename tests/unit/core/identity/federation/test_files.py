"""Providers of files: read once, filled from the environment, refused where they are no definition, and second to PUT."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.identity.federation import files, registry
from core.identity.federation.problems import ProviderUnavailable, ProviderUnknown
from core.kernel import settings as kernel_settings
from core.kernel.settings import Settings, SettingsError
from models.contract.identity import FederationProvider
from models.database import write
from models.tables.federation import FederationProviderRow

GOOD = """
kind: FederationProvider
version: v1
metadata: {name: corporate, description: Our own}
spec:
  provider: custom
  issuer: https://login.example.com
  client_id: ${FEDERATION_ID:accord}
  client_secret: ${FEDERATION_SECRET}
  allowed_domains: [example.com]
"""


@pytest.fixture
def folder(database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a service's providers, with one in it."""
    made = tmp_path / "federation"
    made.mkdir()
    (made / "corporate.yaml").write_text(GOOD)
    monkeypatch.setenv("FEDERATION_SECRET", "from the environment")
    kernel_settings.install(msgspec.structs.replace(database, federation_dir=str(made)))
    files._read.cache_clear()
    return made


def _stored(**spec: str) -> FederationProvider:
    document = {
        "kind": "FederationProvider",
        "version": "v1",
        "metadata": {"name": "corporate"},
        "spec": {"provider": "google", "client_id": "c", "client_secret": "stored", **spec},
    }
    return msgspec.convert(document, FederationProvider)


def test_a_file_is_a_provider(folder: Path) -> None:
    assert registry.list_names() == ["corporate"]
    provider = registry.get_provider("corporate")
    assert (provider.client_id, provider.client_secret) == ("accord", "from the environment")
    assert provider.issuer == "https://login.example.com"
    assert registry.get_shown("corporate").spec.client_secret == "***"


def test_a_variable_that_is_not_set_is_empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDERATION_SECRET")
    monkeypatch.setenv("FEDERATION_ID", "other")
    provider = registry.get_provider("corporate")
    assert (provider.client_id, provider.is_configured) == ("other", False)
    assert registry.get_shown("corporate").spec.client_secret is msgspec.UNSET


def test_what_is_put_wins_over_the_file_until_it_is_deleted_and_so_does_deleting(folder: Path) -> None:
    registry.do_put("corporate", _stored())
    assert registry.get_provider("corporate").kind == "google"
    registry.do_delete("corporate")
    assert registry.list_names() == []
    for find in (registry.get_provider, registry.get_shown, registry.do_delete):
        with pytest.raises(ProviderUnknown):
            find("corporate")
    registry.do_put("corporate", _stored())
    assert registry.list_names() == ["corporate"]


def test_a_masked_secret_keeps_the_files(folder: Path) -> None:
    registry.do_put("corporate", _stored(provider="custom", issuer="https://login.example.com", client_secret="***"))
    assert registry.get_provider("corporate").client_secret == "from the environment"


def test_a_secret_opens_under_a_former_key_and_not_under_a_lost_one(folder: Path) -> None:
    registry.do_put("corporate", _stored())
    configured = kernel_settings.current()
    kernel_settings.install(msgspec.structs.replace(configured, secret_keys=("n" * 32, *configured.secret_keys)))
    assert registry.get_provider("corporate").client_secret == "stored"
    kernel_settings.install(msgspec.structs.replace(configured, secret_keys=("n" * 32,)))
    with pytest.raises(ProviderUnavailable):
        registry.get_provider("corporate")


def test_a_secret_cannot_be_moved_to_another_provider(folder: Path) -> None:
    registry.do_put("corporate", _stored())
    with write():
        row = FederationProviderRow.get_by_id("corporate")
        FederationProviderRow.create(
            name="other", document=row.document, sealed_secret=row.sealed_secret, changed_at=row.changed_at
        )
    with pytest.raises(ProviderUnavailable):
        registry.get_provider("other")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "corporate.yaml"),
        ("[]", "corporate.yaml"),
        (GOOD.replace("v1", "v2"), "version"),
        (GOOD.replace("name: corporate", "name: other"), "the file's name"),
        (GOOD.replace("https://login", "http://login"), "/spec/issuer"),
        (GOOD.replace("  issuer: https://login.example.com\n", ""), "/spec"),
        (GOOD + "  colour: red\n", "colour"),
        ("!!python/object/apply:os.system [id]", "corporate.yaml"),
    ],
)
def test_a_file_that_is_no_definition_stops_the_start(folder: Path, text: str, told: str) -> None:
    (folder / "corporate.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"corporate\.yaml") as refused:
        files.file_providers()
    assert told in str(refused.value)


def test_a_folder_that_is_missing_stops_the_start(folder: Path) -> None:
    kernel_settings.install(msgspec.structs.replace(kernel_settings.current(), federation_dir=str(folder / "nowhere")))
    with pytest.raises(SettingsError, match="ACCORD_FEDERATION_DIR"):
        files.file_providers()
