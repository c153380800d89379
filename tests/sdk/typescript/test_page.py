"""The package as it is, in a page of a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import Live
from tests.sdk.typescript.conftest import Project
from tests.sdk.typescript.page import BROWSERS, Site, find_browser, visit

STAGES = ["logged in", "events", "pages", "a streamed reply", "no other origin", "no forged request"]


def test_a_page_calls_and_streams(project: Project, live: Live, tmp_path: Path) -> None:
    browser = find_browser()
    if browser is None:
        pytest.skip(f"no browser on this machine (`make browser` installs Debian's): none of {', '.join(BROWSERS)}")
    ben, server = live.people.ben, live.server
    told = {"elsewhere": server.url, "email": ben.email, "password": ben.password}
    folders = {"client": project.package / "dist", "programs": project.folder / "out"}
    site = Site("", folders, (server.host, server.port), told)
    assert visit(browser, tmp_path, "in_page", site) == {"stages": STAGES}
