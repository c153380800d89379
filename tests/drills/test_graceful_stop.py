"""A stop under load: idle and half-sent connections and open streams hold nothing up, and no answer is lost."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.client import Client
from tests.drills.scene import Launch, Scene, set_scene
from tests.live import LiveServer

WORDS = 150
PROMISED_SECONDS = 2.0
NOISE_SECONDS = 1.0
"""What a crowded machine may add; the graceful timeout of 20 is what a failure would take."""
HEAD = b"POST /api/conversations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n"


def test_stop_takes_less_than_two_seconds_when_every_kind_of_connection_is_open(launch: Launch) -> None:
    scene = set_scene(launch, graceful_timeout_seconds="20")
    server = scene.live.server
    with ExitStack() as stack:
        idle = [stack.enter_context(_idle(server)) for _ in range(20)]
        half = [stack.enter_context(_half_sent(server, sent)) for sent in _halves(scene) for _ in range(5)]
        streams = [stack.enter_context(_stream(scene, scene.client)) for _ in range(20)]
        message_id = scene.ask(WORDS)
        time.sleep(0.5)
        began = time.monotonic()
        code = server.stop()
        took = time.monotonic() - began
        last_words = [_rest(stream) for stream in streams]
        assert all(_rest(connection) == b"" for connection in idle)
        assert not any(b" 200 " in _rest(connection) for connection in half)
    assert code == 0
    assert all(b"retry: " in words for words in last_words), "a stream was given no hint when to come back"
    print(f"\nstopped in {took:.2f} s (promised: {PROMISED_SECONDS:g})")
    assert took < PROMISED_SECONDS + NOISE_SECONDS
    server.start()
    scene.await_answer(message_id)
    scene.check_answers([message_id], words=WORDS)


def _halves(scene: Scene) -> tuple[bytes, ...]:
    """Return requests broken off in the line, in the head, in a body that was refused, and in one that is awaited."""
    bearer = f"Authorization: Bearer {scene.ada.token}\r\n".encode()
    return b"GET /api/conver", HEAD, HEAD + b"\r\n{", HEAD + bearer + b"\r\n{"


@contextmanager
def _connected(server: LiveServer) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        yield connection


@contextmanager
def _idle(server: LiveServer) -> Iterator[socket.socket]:
    """Hold a connection that was answered once and is kept alive."""
    with _connected(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        assert answer.status == 200
        yield connection


@contextmanager
def _half_sent(server: LiveServer, sent: bytes) -> Iterator[socket.socket]:
    with _connected(server) as connection:
        connection.sendall(sent)
        yield connection


@contextmanager
def _stream(scene: Scene, client: Client) -> Iterator[socket.socket]:
    """Hold a stream whose first bytes have come."""
    asked = client.asked("streams_open_conversation", path={"conversation_id": scene.conversation_id}, as_=scene.ben)
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers)
    with _connected(scene.live.server) as connection:
        connection.sendall(f"GET {asked.target} HTTP/1.1\r\nHost: a\r\n{head}\r\n".encode())
        received = b""
        while b"retry: " not in received:
            data = connection.recv(4096)
            assert data, received
            received += data
        yield connection


def _rest(connection: socket.socket) -> bytes:
    """Read until the other side ends the connection."""
    data = b""
    try:
        while received := connection.recv(65_536):
            data += received
    except ConnectionResetError:
        return data
    return data
