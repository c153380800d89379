"""The published contract, as documents and as pages to browse."""

from __future__ import annotations

from typing import Any, Literal

from core.kernel.call import Call, Reply
from server import docs, published


def contract_get_json(call: Call[None, None]) -> Reply[Any, Literal[200]]:
    """Read this contract as JSON."""
    data, etag = published.document("json")
    return Reply(None, 200, headers={"ETag": etag}, raw=data, media_type="application/json")


def contract_get_yaml(call: Call[None, None]) -> Reply[None, Literal[200]]:
    """Read this contract as YAML."""
    data, etag = published.document("yaml")
    return Reply(None, 200, headers={"ETag": etag}, raw=data, media_type="application/yaml")


def contract_show_swagger(call: Call[None, None]) -> Reply[None, Literal[200]]:
    """Browse this contract with Swagger UI."""
    return _page("swagger")


def contract_show_redoc(call: Call[None, None]) -> Reply[None, Literal[200]]:
    """Browse this contract with Redoc."""
    return _page("redoc")


def _page(kind: docs.Kind) -> Reply[None, Literal[200]]:
    return Reply(None, 200, headers=docs.HEADERS, raw=docs.page(kind).encode(), media_type="text/html; charset=utf-8")
