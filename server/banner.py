"""What `accord serve` prints once it listens: where things are, and how to create the first administrator."""

from __future__ import annotations

import json
from typing import Any

import orjson

from server.service import Service

_SETUP = "setup_create"
_PAGES = {"contract_show_swagger": "docs", "metrics_get": "metrics"}


def text(service: Service) -> str:
    """Compose the banner from what the contract has: a page or a setup door that it lacks is not mentioned."""
    base = base_url(service)
    operations = {each.id: each for each in service.contract.operations}
    rows = [("api", base)] + [(label, base + operations[id].path) for id, label in _PAGES.items() if id in operations]
    lines = [f"{service.contract.title} {service.contract.version} ({service.settings.profile})"]
    lines += [f"  {label:<9}{url}" for label, url in rows]
    if _SETUP in operations:
        lines += ["  the first administrator:", f"    {setup_command(service)}"]
    return "\n".join(lines)


def base_url(service: Service) -> str:
    """Return where a client on this machine reaches the service."""
    settings = service.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def setup_command(service: Service) -> str:
    """Return the curl command that creates the first administrator, with the contract's own example as its body."""
    settings = service.settings
    operation = next(each for each in service.contract.operations if each.id == _SETUP)
    document = orjson.loads((service.contract_dir / "openapi.json").read_bytes())
    body = _example(document["paths"][operation.path][operation.method.lower()]["requestBody"])
    token = "" if settings.is_dev and settings.is_loopback else " -H 'X-Setup-Token: $ACCORD_SETUP_TOKEN'"
    quoted = json.dumps(body).replace("'", "'\\''")
    url = base_url(service) + operation.path
    return f"curl -X POST {url}{token.replace(chr(39), chr(34))} -H 'Content-Type: application/json' -d '{quoted}'"


def _example(body: dict[str, Any]) -> Any:
    media = body["content"]["application/json"]
    return media["example"] if "example" in media else next(iter(media["examples"].values()))["value"]
