"""The gunicorn worker: gevent's pywsgi with deadlines, a strict and cheap reading of requests, and a stop within two seconds.

Deadlines are kept by one greenlet per worker that looks over all connections, so that a request costs no timer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import gevent
from gevent.pool import Pool
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIServer

from core.kernel.settings import Settings
from models import database
from server.background import Background
from server.held import Connection
from server.http11 import Handler
from server.telemetry import Telemetry

_TICK_SECONDS = 0.1
_HALF_SENT_SECONDS = 0.5
"""What a body that is on its way gets for the rest of it when the worker stops."""


class Server(PyWSGIServer):
    """A listening socket and its connections."""

    def __init__(self, listener: Any, application: Any, *, settings: Settings, telemetry: Telemetry, **options: Any):
        super().__init__(listener, application, handler_class=Handler, log=None, **options)
        self.settings = settings
        self.telemetry = telemetry
        self.connections: set[Connection] = set()
        self.is_stopping = False

    def expire(self) -> None:
        """End every connection that has passed its deadline."""
        now = time.monotonic()
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.expire()

    def wind_down(self) -> None:
        """Accept no more, end what waits for a request or is half-way through sending one, let the others finish."""
        self.is_stopping = True
        self.close()
        for connection in list(self.connections):
            connection.wind_down()

    def cut_half_sent(self) -> None:
        """End what has not sent its whole request; nothing was done for it yet, so its client may repeat it."""
        for connection in [each for each in self.connections if each.is_half_sent]:
            connection.cut()


class Worker(GeventPyWSGIWorker):
    """One process: serves until it is told to stop, then ends streams, jobs and connections in that order."""

    def run(self) -> None:
        """Serve until SIGTERM, or until the parent is gone."""
        servers = [self._listen(each) for each in self.sockets]
        self.app.runtime.start()
        Background("deadlines", lambda: self._keep_deadlines(servers), self.app.runtime.telemetry).start()
        while self.alive:
            self.notify()
            gevent.sleep(_TICK_SECONDS)
        self._stop(servers)

    def _listen(self, listener: Any) -> Server:
        listener.setblocking(1)
        server = Server(
            listener,
            self.wsgi,
            settings=self.app.runtime.settings,
            telemetry=self.app.runtime.telemetry,
            spawn=Pool(self.worker_connections),
            environ={
                "wsgi.multithread": True,
                "wsgi.multiprocess": self.cfg.workers > 1,  # accepts one at a time: a burst spreads over the workers
                "SERVER_NAME": self.app.runtime.settings.host,  # or pywsgi asks the resolver, which may hang
            },
        )
        server.start()
        return server

    def _keep_deadlines(self, servers: Iterable[Server]) -> None:
        settings = self.app.runtime.settings
        shortest = min(settings.header_timeout_seconds, settings.body_timeout_seconds, settings.idle_timeout_seconds)
        while True:
            gevent.sleep(min(1.0, shortest / 4))
            for server in servers:
                server.expire()
            database.give_up_silent()
            connections = [each for server in servers for each in server.connections]
            in_flight = sum(not each.is_waiting for each in connections)
            self.app.runtime.telemetry.measured(connections=len(connections), in_flight=in_flight)

    def _stop(self, servers: Iterable[Server]) -> None:
        began = time.monotonic()
        until = began + self.app.runtime.settings.graceful_timeout_seconds
        for server in servers:
            server.wind_down()
        stopping = gevent.spawn(self.app.runtime.stop)
        while time.monotonic() < until and not (stopping.ready() and not any(each.connections for each in servers)):
            self.notify()
            if time.monotonic() > began + _HALF_SENT_SECONDS:
                for server in servers:
                    server.cut_half_sent()
            gevent.sleep(_TICK_SECONDS / 4)
        for server in servers:
            for connection in list(server.connections):
                connection.cut()
