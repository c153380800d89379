"""One stem `<area>/<resource>` names the same thing in the contract, the handlers and their tests."""

from __future__ import annotations

import pytest

from tests.structure.tree import ROOT, stems

OPERATIONS_PER_FILE = 14
# Stems of schemas that no path file shares, and why.
SCHEMAS_OF_SEVERAL_RESOURCES: dict[str, str] = {}


def _operation_ids(stem: str) -> list[str]:
    text = (ROOT / f"spec/paths/{stem}.yaml").read_text()
    return [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("    operationId:")]


def test_schemas_share_the_stem_of_their_paths() -> None:
    lonely = stems("spec/schemas", ".yaml") - stems("spec/paths", ".yaml")
    assert lonely == set(SCHEMAS_OF_SEVERAL_RESOURCES)


def test_an_operation_id_begins_with_its_resource() -> None:
    resources = {stem.split("/")[1] for stem in stems("spec/paths", ".yaml")}
    wrong = []
    for stem in stems("spec/paths", ".yaml"):
        for operation_id in _operation_ids(stem):
            matching = [resource for resource in resources if operation_id.startswith(f"{resource}_")]
            if max(matching, key=len, default=None) != stem.split("/")[1]:
                wrong.append(f"{operation_id} in spec/paths/{stem}.yaml")
    assert not wrong


def test_a_path_file_holds_one_resource() -> None:
    assert all(1 <= len(_operation_ids(stem)) <= OPERATIONS_PER_FILE for stem in stems("spec/paths", ".yaml"))


@pytest.mark.whole
def test_handlers_share_the_stem_of_their_paths() -> None:
    assert stems("handlers", ".py") == stems("spec/paths", ".yaml")


@pytest.mark.whole
def test_handler_tests_share_the_stem_of_their_paths() -> None:
    paths = stems("spec/paths", ".yaml")
    tested = {stem.replace("/test_", "/") for stem in stems("tests/handlers", ".py") if "/test_" in stem}
    assert not paths - tested
    # A side of a resource that needs a module of its own: test_completions_of_an_endpoint.
    assert not {stem for stem in tested - paths if not stem.startswith(tuple(f"{path}_of_" for path in paths))}
