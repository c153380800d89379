"""The pages that render the contract, Swagger UI and Redoc, with every asset from this server."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

import flask

Kind = Literal["swagger", "redoc"]
PREFIX = "/docs-assets/"

# Both libraries write style attributes and style elements; Redoc builds its search index in a worker from a blob.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; worker-src blob:; child-src blob:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
}
_ASSETS = Path(__file__).parent / "assets"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_YEAR_SECONDS = 31_536_000
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Accord: the contract</title>
<link rel="icon" href="data:,">
<style>body {{ margin: 0 }}</style>
{head}
</head>
<body>
{body}
</body>
</html>
"""


def page(kind: Kind) -> str:
    """Return the HTML of /docs (swagger) or /redoc; send it with HEADERS."""
    if kind == "swagger":
        head = f'<link rel="stylesheet" href="{_url("swagger-ui.css")}">'
        scripts = "".join(
            f'<script src="{_url(name)}"></script>' for name in ("swagger-ui-bundle.js", "swagger-start.js")
        )
        return _PAGE.format(head=head, body=f'<div id="swagger-ui"></div>{scripts}')
    body = f'<redoc spec-url="/openapi.json"></redoc><script src="{_url("redoc.standalone.js")}"></script>'
    return _PAGE.format(head="", body=body)


def blueprint() -> flask.Blueprint:
    """Return the route that serves the assets."""
    routes = flask.Blueprint("docs", __name__)
    routes.get(f"{PREFIX}<digest>/<name>")(_asset)
    return routes


def _asset(digest: str, name: str) -> flask.Response:
    file = _ASSETS / name
    if Path(name).suffix not in _TYPES or not file.is_file() or digest != _digest(name):
        flask.abort(404)
    response = flask.Response(file.read_bytes(), content_type=_TYPES[file.suffix])
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _url(name: str) -> str:
    return f"{PREFIX}{_digest(name)}/{name}"


@cache
def _digest(name: str) -> str:
    """Return a name for these very bytes: the address changes with them, so that a cache may keep them for ever."""
    return hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:16]
