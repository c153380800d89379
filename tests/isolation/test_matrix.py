"""Every operation, every caller, foreign and missing objects: nobody gets what the contract does not give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.identity.scopes import CATALOGUE
from core.kernel import settings as kernel_settings
from core.kernel.operation import Contract, Operation
from core.kernel.settings import Settings
from handlers.service import build
from server.logs import Log
from server.runtime import Runtime
from tests import databases as sources
from tests.client import Client, InProcess
from tests.conftest import ROOT, PeopledTemplates
from tests.isolation import rules
from tests.isolation.matrix import Matrix
from tests.isolation.samples import FACTORIES
from tests.isolation.samples.system import SETUP_TOKEN
from tests.isolation.world import World, make_world
from tests.oracle import Oracle

CONTRACT = msgspec.json.decode((ROOT / "models/contract/operations.json").read_bytes(), type=Contract)
OPERATIONS = {operation.id: operation for operation in CONTRACT.operations}
PRODUCTION = {
    "rate_profiles": sources.UNLIMITED,
    "profile": "production",
    "setup_token": SETUP_TOKEN,
    "response_check": "enforce",
    "public_url": "https://accord.example.com",
}


@pytest.fixture(scope="module")
def installation(
    databases: sources.Databases,
    peopled_templates: PeopledTemplates,
    oracle: Oracle,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, Settings]]:
    """Hold one installation, in the production profile, for all operations; each cell makes its own objects."""
    folder = tmp_path_factory.mktemp("matrix")
    url = databases.create(folder, "peopled")
    settings = sources.read_settings(folder, database_url=url, **PRODUCTION)
    with (Path(settings.data_dir) / "test.log").open("ab") as log:
        runtime = Runtime(build(settings), Log("info", log.fileno()))
        client = Client(InProcess(runtime.wsgi), oracle)
        try:
            yield make_world(client, peopled_templates.people().ada, _everything()), settings
        finally:
            runtime.stop()
            sources.close()
            databases.drop(url)


@pytest.fixture
def world(installation: tuple[World, Settings]) -> World:
    """Give the installation with its settings in place, which every test begins without."""
    made, settings = installation
    kernel_settings.install(settings)
    return made


def _everything() -> frozenset[str]:
    """Return the scopes of the contract and the catalogue that an administrator of a tenant holds."""
    asked = {scope for row in CONTRACT.operations for alternative in row.security for scope in alternative.scopes}
    return frozenset(scope for scope in asked | CATALOGUE if "{" not in scope and rules.role_holds("admin", scope)) | {
        "model:*"
    }


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_everybody_gets_what_the_contract_gives_and_no_more(world: World, operation: Operation) -> None:
    matrix = Matrix(world, operation)
    matrix.run()
    print(json.dumps({"operation": operation.id, "cells": matrix.cells, "failures": len(matrix.failures)}))
    assert not matrix.failures, "\n".join(matrix.failures)


def test_every_exemption_is_of_an_operation_and_says_why() -> None:
    assert {row.operation for row in rules.EXEMPTIONS} <= OPERATIONS.keys()
    assert all(row.reason for row in rules.EXEMPTIONS)
    assert FACTORIES.keys() <= OPERATIONS.keys()
