"""Server-sent events as bytes (WHATWG HTML, 9.2.5)."""

from __future__ import annotations

from core.kernel.call import Event, EventStream


def failure(stream: EventStream, event: Event) -> bytes:
    """Return the frame that takes a bad event's place; it keeps the id, so that a client that resumes goes on behind it."""
    if stream.failure_event is None:
        return b""
    type_, data = stream.failure_event
    return encode(Event(channel=event.channel, seq=event.seq, type=type_, id=event.id, data=data), stream.named)


def position(event_id: str) -> bytes:
    """Return a frame without data: it is no event, and its id is the one that a client resumes by."""
    return b"id: %s\n\n" % event_id.encode()


def encode(event: Event, is_named: bool) -> bytes:
    """Return an event's frame (WHATWG HTML, 9.2.5): id, event and data when named, else data alone."""
    data = event.data.replace(b"\r", b"").replace(b"\n", b"\ndata: ")
    if not is_named:
        return b"data: %s\n\n" % data
    id_line = f"id: {event.id}\n" if event.id else ""
    return b"%sevent: %s\ndata: %s\n\n" % (id_line.encode(), event.type.encode(), data)
