"""The loaders: what they measure, and that a refused request ends the run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import load
from tests.bench.load import LoadError, Target, measure
from tests.bench.processes import Server, free_port, serving

_SERVER = """
import sys
from gevent.pywsgi import WSGIServer

def app(environ, start_response):
    sent = environ["wsgi.input"].read()
    is_found = environ["PATH_INFO"] in {"/", "/other"} and sent in {b"", b"body"}
    start_response("200 OK" if is_found else "404 Not Found", [("Content-Length", "2")])
    return [b"ok"]

WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None).serve_forever()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Hold a small server."""
    folder: Path = tmp_path_factory.mktemp("server")
    port = free_port()
    command = [sys.executable, "-c", _SERVER, str(port)]
    with serving(command, port=port, environment={}, folder=folder, core=None, probe="/") as running:
        yield running


@pytest.fixture(params=["wrk", "own"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose each of the two loaders in turn."""
    if request.param == "wrk" and shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")
    monkeypatch.setattr(load.shutil, "which", {"wrk": "wrk"}.get if request.param == "wrk" else lambda _: None)
    return str(request.param)


@pytest.mark.usefixtures("loader")
def test_throughput_and_latency_are_measured_when_every_answer_is_good(server: Server) -> None:
    """Both loaders agree on what a result is."""
    result = measure(server.port, Target("POST", ("/", "/other"), {"X-Name": "a"}, b"body"), 1, core=None)
    assert result.requests_per_second > 50
    assert 0 < result.p50_ms <= result.p99_ms < 10_000


@pytest.mark.usefixtures("loader")
def test_run_ends_when_an_answer_is_not_2xx(server: Server) -> None:
    """One bad path of several is enough."""
    with pytest.raises(LoadError):
        measure(server.port, Target("GET", ("/", "/missing"), {}), 1, core=None)


def test_server_is_gone_and_its_log_told_when_it_does_not_answer(tmp_path: Path) -> None:
    """A process that ends early is not waited for."""
    command = [sys.executable, "-c", "raise SystemExit('cannot start')"]
    with (
        pytest.raises(RuntimeError, match="cannot start"),
        serving(command, port=free_port(), environment={}, folder=tmp_path, core=None, probe="/"),
    ):
        pass
