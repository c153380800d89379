"""Samples of logins by identity providers and of their administration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from core.identity.federation import registry
from models.contract.identity import FederationProvider
from tests.isolation.sample import Sample
from tests.isolation.scene import Scene

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _definition() -> dict[str, Any]:
    spec = {"provider": "github", "client_id": "accord", "client_secret": "a secret"}
    return {"kind": "FederationProvider", "version": "v1", "metadata": {"name": f"p-{uuid4().hex}"}, "spec": spec}


def _provider(_scene: Scene) -> Sample:
    definition = _definition()
    name = definition["metadata"]["name"]
    registry.do_put(name, msgspec.convert(definition, FederationProvider))
    return Sample(path={"name": name})


def _login(scene: Scene) -> Sample:
    return Sample(path={"provider": _provider(scene).path["name"]})


def _answer(scene: Scene) -> Sample:
    return Sample(path=_login(scene).path, query={"code": "c", "state": "s"})


def _put(_scene: Scene) -> Sample:
    definition = _definition()
    return Sample(path={"name": definition["metadata"]["name"]}, body=definition, names=())


SAMPLES: dict[str, Callable[[Scene], Sample]] = {
    "oauth_start_github": lambda _: Sample(),
    "oauth_start_apple": lambda _: Sample(),
    "oauth_callback_github": lambda _: Sample(query={"code": "c", "state": "s"}),
    "oauth_callback_apple": lambda _: Sample(query={"code": "c", "state": "s"}),
    "oauth_receive_apple": lambda _: Sample(data=urlencode({"code": "c", "state": "s"}).encode(), headers=_FORM),
    "oauth_exchange_github": lambda _: Sample(body={"auth_code": "c"}),
    "oauth_exchange_apple": lambda _: Sample(body={"auth_code": "c"}),
    "federation_start": _login,
    "federation_callback": _answer,
    "federation_list": lambda _: Sample(),
    "federation_get": _provider,
    "federation_put": _put,
    "federation_delete": _provider,
}
