"""A document compiles in memory, without files and without generated types."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from codegen.bundle import bundle
from codegen.emit import documents
from codegen.findings import Refused
from codegen.load import Sources
from codegen.pipeline import Compiled, compile_sources, compile_text
from core.kernel.operation import Contract
from server.schemas import Schemas
from tests.codegen.test_invalid import VALID


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """Return the valid contract, compiled from its bundle as one text."""
    joined = bundle(Sources(VALID, "openapi.yaml"))
    return compile_text(documents.as_yaml(joined.document), "defined.yaml")


def test_a_bundle_compiles_to_the_operations_of_its_sources(compiled: Compiled) -> None:
    ahead = compile_sources(Sources(VALID, "openapi.yaml"), "shop").contract
    found = [(operation.id, operation.method, operation.path) for operation in compiled.contract.operations]
    assert found == [(operation.id, operation.method, operation.path) for operation in ahead.operations]


def test_a_table_compiled_at_run_time_names_no_types_and_travels_as_json(compiled: Compiled) -> None:
    contract = compiled.contract
    media = [entry for operation in contract.operations if operation.body for entry in operation.body.media]
    assert [entry.type for entry in media] == [None] * 3
    assert {operation.parameters_type for operation in contract.operations} == {None}
    assert msgspec.json.decode(msgspec.json.encode(contract), type=Contract) == contract


def test_a_body_is_judged_by_the_compiled_pointer(compiled: Compiled) -> None:
    create = next(operation for operation in compiled.contract.operations if operation.id == "items_create")
    assert create.body is not None
    schema = Schemas(compiled.bundle.document).get(create.body.media[0].schema or "")
    assert schema.is_valid({"name": "Book", "payment": {"kind": "cash"}})
    assert not schema.is_valid({"name": "Book", "payment": {"kind": "cash", "digits": "4242"}})


def test_a_refusal_names_the_line_of_the_text(compiled: Compiled) -> None:
    lines = documents.as_yaml(compiled.bundle.document).splitlines()
    at = next(index for index, line in enumerate(lines) if line.endswith("maxLength: 4"))
    lines[at] = lines[at].replace("4", "-1")
    with pytest.raises(Refused) as refused:
        compile_text("\n".join(lines), "defined.yaml")
    column = lines[at].index("maxLength") + 1
    assert [str(finding.location) for finding in refused.value.findings] == [f"defined.yaml:{at + 1}:{column}"]


def test_a_text_reaches_no_file() -> None:
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"$ref": "/etc/passwd"}}}
    with pytest.raises(Refused, match="there is no file"):
        compile_text(yaml.safe_dump(document))


def test_every_parameter_has_a_member_of_its_own_and_the_default_beside_its_reference() -> None:
    document = (VALID / "openapi.yaml").parent
    text = documents.as_yaml(bundle(Sources(document, "openapi.yaml")).document)
    data = yaml.safe_load(text)
    name = {"$ref": "#/components/schemas/shop.Name", "default": "Bob"}
    named = [{"name": word, "in": "query", "schema": name} for word in ("userId", "user_id", "USER-ID")]
    data["paths"]["/items"]["get"]["parameters"] += named
    compiled = compile_text(documents.as_yaml(data))
    listed = next(operation for operation in compiled.contract.operations if operation.id == "items_list")
    fields = {row.name: row.field for row in listed.parameters}
    assert len(set(fields.values())) == len(listed.parameters)
    assert [row.default for row in listed.parameters if row.name in {"userId", "user_id"}] == ["Bob", "Bob"]


def test_a_fields_style_says_by_default_whether_its_items_are_spread() -> None:
    data = yaml.safe_load(documents.as_yaml(bundle(Sources(VALID, "openapi.yaml")).document))
    body = data["paths"]["/items/{item_id}/picture"]["put"]["requestBody"]["content"]["multipart/form-data"]
    fields = data["components"]["schemas"]["shop.PictureUpload"]["properties"]
    fields |= {name: {"$ref": "#/components/schemas/shop.Colours"} for name in ("all", "some")}
    body["encoding"]["some"] = {"style": "pipeDelimited"}
    compiled = compile_text(documents.as_yaml(data))
    upload = next(found for found in compiled.contract.operations if found.id == "pictures_upload")
    assert upload.body is not None
    explode = {part.name: part.explode for part in upload.body.media[0].parts}
    assert (explode["all"], explode["some"]) == (True, False)
