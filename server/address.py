"""Whether the address to serve at is free: asked before anything slow is loaded, and said in a sentence."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping

from core.kernel.settings import Settings

_INHERITED = ("GUNICORN_FD", "LISTEN_FDS")
"""Set where gunicorn is handed sockets that listen already: by its former master, or by systemd."""


def find_fault(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Say why nothing can listen at ACCORD_BIND; None when it can, or when sockets are inherited."""
    if any(name in environment for name in _INHERITED):
        return None
    try:
        family, kind, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn binds: TIME_WAIT is no fault
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "the address is taken: something listens there already; end it, or set ACCORD_BIND to a free one"
        return error.strerror or str(error)
    return None
