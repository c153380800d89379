"""Samples of the system area."""

from __future__ import annotations

from collections.abc import Callable

from tests.isolation.sample import Sample
from tests.isolation.scene import Scene

SETUP_TOKEN = "set-up-token-of-the-matrix"


def _plain(_scene: Scene) -> Sample:
    return Sample()


def _setup(s: Scene) -> Sample:
    body = {"username": s.word(), "email": s.address(), "password": "correct horse"}
    return Sample(body=body, headers={"X-Setup-Token": SETUP_TOKEN})


def _bootstrap(s: Scene) -> Sample:
    return Sample(body={"email": s.address(), "password": "correct horse"}, headers={"X-Setup-Token": SETUP_TOKEN})


SAMPLES: dict[str, Callable[[Scene], Sample]] = {
    "setup_get": _plain,
    "setup_create": _setup,
    "setup_bootstrap": _bootstrap,
    "health_check_liveness": _plain,
    "health_check_readiness": _plain,
    "health_report": _plain,
    "health_check_dependencies": _plain,
    "metrics_get": _plain,
    "well_known_get": lambda _: Sample(path={"path": "nothing"}, names=()),
    "contract_get_json": _plain,
    "contract_get_yaml": _plain,
    "contract_show_swagger": _plain,
    "contract_show_redoc": _plain,
}
