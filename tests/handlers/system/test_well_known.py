"""Well-known entries."""

from __future__ import annotations

import msgspec
import pytest

from core.kernel import settings
from core.kernel.settings import Settings
from tests.client import Client

ENTRIES = {"security.txt": "Contact: mailto:a@example.com\n", "x.json": '{"a": 1}', "list": "[1]"}


@pytest.fixture
def configured(client: Client, database: Settings) -> Client:
    settings.install(msgspec.structs.replace(database, well_known_entries=ENTRIES))
    return client


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("security.txt", "text/plain; charset=utf-8"),
        ("x.json", "application/json"),
        ("list", "text/plain; charset=utf-8"),
    ],
)
def test_entry_is_served_as_written(configured: Client, path: str, media_type: str) -> None:
    answer = configured.call("well_known_get", path={"path": path})
    assert (answer.status, answer.text) == (200, ENTRIES[path])
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = configured.call("well_known_get", path={"path": path}, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


def test_unknown_entry_is_404(configured: Client) -> None:
    answer = configured.call("well_known_get", path={"path": "nothing"})
    assert (answer.status, answer.code) == (404, "RGP.NOT_FOUND")


@pytest.mark.settings(well_known="false")
def test_every_entry_is_404_when_switched_off(configured: Client) -> None:
    assert configured.call("well_known_get", path={"path": "x.json"}).status == 404


def test_name_outside_the_grammar_is_422(configured: Client) -> None:
    assert configured.call("well_known_get", path={"path": "a b"}).status == 422
