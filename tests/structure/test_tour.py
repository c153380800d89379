"""The README's tour, run block after block in one shell against a server of its own, as a reader would."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.databases import read_settings
from tests.live import LiveServer

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.whole
def test_the_tour_of_the_readme_works(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 6
    server = LiveServer(read_settings(tmp_path))
    try:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"BASE={server.url}\n" + "\n".join(BLOCKS)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        server.close()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "event: message.done" in ended.stdout
    assert "chat.completion" in ended.stdout
