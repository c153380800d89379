"""Whatever slips into a contract, the compiler takes it or refuses it with its place; it never ends in an error of its own.

More of them: ACCORD_TEST_SLIPS=3000 (two minutes), others: ACCORD_TEST_SEED=2.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.bundle import bundle
from codegen.findings import Refused
from codegen.load import Sources
from codegen.locate import read_text
from codegen.pipeline import compile_sources
from codegen.sdk import foreign
from codegen.sdk.python import package as python
from codegen.sdk.python.wheel import Distribution
from codegen.sdk.typescript import sources as typescript
from tests.codegen.slips import slips
from tests.conftest import ROOT

CASES = int(os.environ.get("ACCORD_TEST_SLIPS", "200"))
SEED = int(os.environ.get("ACCORD_TEST_SEED", "1"))
SHOP = ROOT / "tests/codegen/contract"
ODD = ROOT / "tests/sdk/odd.yaml"


def _compile(sources: Sources) -> None:
    compile_sources(sources, "generated")


def _write_clients(sources: Sources) -> None:
    contract = foreign.read(bundle(sources))
    for path, text in python.files(contract, Distribution("odd-client", "odd_client", "1", "Odd")).items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    typescript.sources(contract)


@pytest.mark.parametrize(
    ("contract", "run", "share"),
    [
        (lambda: bundle(Sources(SHOP, "openapi.yaml")).document, _compile, 1),
        (lambda: yaml.safe_load(ODD.read_text()), _write_clients, 2),
    ],
    ids=["compiled", "clients"],
)
def test_a_slip_is_taken_or_refused_where_it_stands(
    contract: Callable[[], Any], run: Callable[[Sources], None], share: int
) -> None:
    taken, refused, places = 0, 0, set()
    for told, document in slips(contract(), SEED, CASES // share):
        try:
            run(Sources.of_text(json.dumps(document), "slip.json"))
        except Refused as error:
            refused += 1
            places |= {finding.location.file for finding in error.findings}
        except Exception as error:  # what must not happen, told with the slip that made it
            raise AssertionError(f"seed {SEED}: {told}") from error
        else:
            taken += 1
    assert places == {"slip.json"}
    assert taken, "a slip may do no harm"
    assert refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("swagger: '2.0'\ninfo: {title: A, version: '1'}\npaths: {}\n", "a.yaml:1:1: convert it to OpenAPI 3"),
        ("hello: 1\n", "a.yaml:1:1: write the version"),
        ("openapi: 3.1.0\npaths: {}\n", "a.yaml:1:1: give this root its info"),
        (
            "openapi: 3.1.0\ninfo: {title: A, version: '1'}\ncomponents:\n  securitySchemes:\n    key: {type: apiKey, in: header}\n"
            "security: [{key: []}]\n",
            "a.yaml:5:5: give this key its name",
        ),
        (
            "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n"
            "          description: A.\n          content: {image/png: {type: string}}\n",
            "a.yaml:9:33: write it below `schema`",
        ),
    ],
)
def test_a_contract_of_which_no_client_can_be_made_is_refused_where_it_is_wrong(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        foreign.read(bundle(Sources.of_text(text, "a.yaml")))
    assert str(refused.value.findings[0]).startswith(told)


def test_json_is_read_as_json_writes_it(tmp_path: Path) -> None:
    text = '{\n\t"a": "\\ud83d\\ude00 \\\\ud83d\\\\ude00 \\u00e9\\ud83d\\udcd8\\ud83d\\udcd8",\n\t\t"b": [1,\t2], "c": "\\/"}'
    read = read_text(text, "a.json")
    assert read.data == json.loads(text)
    assert str(read.locate("/b")) == "a.json:3:3"
    with pytest.raises(Refused, match=r"a\.json:1:"):
        read_text('{"a": "\\ud83d"}', "a.json")
