"""No framework and no work: read the body, answer fixed bytes. The ceiling of the worker it runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

CREATED = (
    b'{"contact_id":"01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a35","is_trial":false,"contact":{"name":{"given":"Ada","family":'
    b'"Byron"},"account_id":"01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34","met_at":"2026-11-22T09:30:00Z","tags":["friend",'
    b'"number"],"addresses":[{"street":"12 St James Square","city":"London","postal_code":"SW1Y 4LB","country":"GB"},'
    b'{"street":"1 Rue de Rivoli","city":"Paris","postal_code":"75001","country":"FR"}],"score":87,"note":"Met at the '
    b'demonstration of the difference engine; asked for the drawings and the notes."}}'
)
FOUND = b'{"number":7,"given":"Ada","is_trial":false}'


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a WSGI request."""
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read()
        status, body = "201 Created", CREATED
    else:
        status, body = "200 OK", FOUND
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
