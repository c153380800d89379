"""The certified OpenID Connect provider of npm in a process of its own, for logins over real HTTP.

It is installed by `package-lock.json` beside this module; node and npm must be on the machine, as they are in CI.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.processes import KeptProcess, free_port

FOLDER = Path(__file__).parent
CLIENT_ID, CLIENT_SECRET = "accord", "a secret: of +both%20 kinds"
_READY_SECONDS = 20.0


class OpenIdProvider:
    """A running provider; `restart` gives it new keys on the same port, as a provider that rotates them."""

    def __init__(self, folder: Path, redirect_uri: str) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._log = folder / "openid.log"
        self._redirect_uri = redirect_uri
        self._process: KeptProcess | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        command = ["node", FOLDER / "provider.js", self.port, CLIENT_ID, CLIENT_SECRET, self._redirect_uri]
        self._process = KeptProcess(command, log=self._log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            assert self._process.is_running, self._process.log_tail()
            assert time.monotonic() < deadline, self._process.log_tail()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; its port refuses connections from then on."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def restart(self) -> None:
        """Come back with other keys."""
        self.stop()
        self.start()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.issuer}/.well-known/openid-configuration").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def serving(folder: Path, redirect_uri: str) -> Iterator[OpenIdProvider]:
    """Hold a running provider that sends browsers to redirect_uri."""
    install()
    provider = OpenIdProvider(folder, redirect_uri)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def install() -> None:
    """Install what the lock file names, once per lock file; a machine without node fails the test and says so."""
    assert shutil.which("node"), "these tests need node (20 or newer) on the PATH: they log in by npm's oidc-provider"
    assert shutil.which("npm"), "these tests need npm on the PATH: they log in by npm's oidc-provider"
    lock, mark = FOLDER / "package-lock.json", FOLDER / "node_modules/.installed"
    with (FOLDER / ".install.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if mark.exists() and mark.read_text() == lock.read_text():
            return
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts"], cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
        mark.write_text(lock.read_text())


def log_in(url: str, *, until: str, person: str) -> httpx.URL:
    """Be a browser whose user logs in as `person`, and return the address below `until` that it is sent back to."""
    with httpx.Client(timeout=10) as browser:
        answer = browser.get(httpx.URL(url).copy_merge_params({"login_hint": person}))
        for _ in range(10):
            assert answer.is_redirect, f"{answer.url}: {answer.status_code} {answer.text[:500]}"
            target = answer.url.join(answer.headers["Location"])
            if str(target).startswith(until):
                return target
            answer = browser.get(target)
    raise AssertionError(f"the provider led nowhere: {answer.url}")
