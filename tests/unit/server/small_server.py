"""A process that serves one small application under the real gunicorn worker, for tests that stop it, stall it and kill it.

Run: python -m tests.unit.server.small_server, with ACCORD_* settings in the environment.
"""

# ruff: noqa: E402 - the standard library is patched before anything else is imported, as in `accord serve`
from gevent import monkey

monkey.patch_all()

import os

import flask
import gevent

from core.kernel import settings as kernel_settings
from core.kernel.call import EventStream
from core.kernel.principal import ANONYMOUS
from server import datadir

SETTINGS = kernel_settings.read(os.environ)
datadir.prepare_data_dir(SETTINGS)

from server import logs, metrics, process
from server.streams import Streams
from server.telemetry import Telemetry
from tests.unit.server.fakes import MemoryEvents, OpenVerifier


class SmallRuntime:
    """What the worker needs of a Runtime."""

    def __init__(self) -> None:
        self.settings = SETTINGS
        self.telemetry = Telemetry(logs.Log(SETTINGS.log_level))
        self.events = MemoryEvents()
        self.streams = Streams(self.events, OpenVerifier(), SETTINGS, self.telemetry)
        self.wsgi = application(self)

    def start(self) -> None:
        """Nothing begins before the first stream."""

    def stop(self) -> None:
        """End the streams."""
        self.streams.stop()


def application(runtime: SmallRuntime) -> flask.Flask:
    """Answer a few requests that show what the worker does."""
    app = flask.Flask(__name__)

    @app.get("/")
    def _hello():
        return {"pid": os.getpid()}

    @app.post("/")
    def _echo():
        try:
            return flask.request.get_data()
        except OSError:  # no chunk, or the body ends early
            return "", 400

    @app.get("/slow/<float:seconds>")
    def _slow(seconds):
        gevent.sleep(seconds)
        return {"slept": seconds}

    @app.get("/large/<int:size>")
    def _large(size):
        return flask.Response(b"x" * size)

    @app.get("/stream")
    def _stream():
        stream = EventStream(channel="c", after=None, is_current=lambda: True)
        return runtime.streams.open(stream, principal=ANONYMOUS, operation_id="stream_open")

    @app.post("/publish")
    def _publish():
        runtime.events.append("c", "said", flask.request.get_data())
        return "", 204

    @app.get("/environ")
    def _environ():
        return {key: value for key, value in flask.request.environ.items() if isinstance(value, str)}

    @app.post("/fault")
    def _fault():
        """Have the worker's next measurement fail, as by a bug."""

        def fail(**_):
            del runtime.telemetry.measured
            raise RuntimeError

        runtime.telemetry.measured = fail
        return "", 204

    @app.get("/metrics")
    def _metrics():
        return flask.Response(metrics.render(), content_type=metrics.CONTENT_TYPE)

    return app


if __name__ == "__main__":
    process.Application(SmallRuntime(), f"ready {SETTINGS.bind}").run()
