"""The Python client of contracts that are not ours imports whole, passes mypy --strict, and calls a server correctly."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tests.conftest import ROOT
from tests.sdk.scripted import Row, scripted

FOREIGN = os.environ.get("ACCORD_TEST_CONTRACT")
ODD = """
openapi: 3.1.0
info: {title: Odd, version: 1.0.0}
paths:
  /settings:
    put:
      operationId: settings_put
      tags: [settings]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/settings.Change"}}}}
      responses: {"204": {description: Stored.}}
components:
  schemas:
    settings.Change: {type: object, properties: {to: {$ref: "#/components/schemas/settings.All"}}}
    settings.All:
      type: object
      properties:
        class: {type: string}
        pool.mode: {$ref: "#/components/schemas/settings.Pool"}
        disk: {$ref: "#/components/schemas/storage.Disk"}
        quoted: {type: string, enum: ["_settings.Pool", "_other.Area"]}
    settings.Pool: {type: object, properties: {size: {type: integer}}}
    storage.Disk: {type: object, properties: {size: {type: integer}}}
"""
_IMPORT_ALL = """
import importlib, pkgutil, typing, odd_client
from odd_client.types import settings
for module in pkgutil.walk_packages(odd_client.__path__, "odd_client."):
    importlib.import_module(module.name)
print(typing.get_type_hints(settings.AllParam)["disk"].__name__, typing.get_type_hints(settings.AllParam)["pool.mode"].__name__)
"""


def _made(spec: Path, folder: Path) -> Path:
    """Generate a client and return the folder that it is unpacked in."""
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--spec", str(spec), "--name", "odd-client"]
    made = subprocess.run(
        [*command, "--output", str(folder / "dist")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder / "installed"), made.stdout.strip()], check=True)
    return folder / "installed"


def _complaints(installed: Path, folder: Path) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--cache-dir", str(folder / "cache")]
    settings = folder / "mypy.ini"
    settings.write_text("[mypy]\n")
    return subprocess.run(
        [*command, "--config-file", str(settings), str(installed / "odd_client")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_names_that_python_cannot_have_are_typed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(ODD)
    installed = _made(tmp_path / "odd.yaml", tmp_path)
    assert "Success" in _complaints(installed, tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.split() == ["DiskParam", "PoolParam"], told.stderr
    text = (installed / "odd_client/types/settings.py").read_text()
    assert r"\"_settings.Pool\", \"_other.Area\"" in text, "texts that look like types stay texts"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the client of odd.yaml where it can be imported from."""
    folder = tmp_path_factory.mktemp("foreign")
    installed = _made(Path(__file__).with_name("odd.yaml"), folder)
    sys.path.insert(0, str(installed))
    yield installed
    sys.path.remove(str(installed))
    for name in [name for name in sys.modules if name.partition(".")[0] == "odd_client"]:
        del sys.modules[name]


@pytest.fixture
def odd(foreign: Path) -> ModuleType:
    """Import the client of odd.yaml."""
    return importlib.import_module("odd_client")


def test_a_contract_full_of_clashes_is_imported_whole_and_typed(foreign: Path, odd: ModuleType, tmp_path: Path) -> None:
    assert "Success" in _complaints(foreign, tmp_path)
    for module in pkgutil.walk_packages(odd.__path__, "odd_client."):
        importlib.import_module(module.name)


def test_operations_without_ids_are_found_by_tag_and_their_default_answer_is_read(odd: ModuleType) -> None:
    with scripted(Row(200, [{"id": 1, "color": None}, {"id": "b", "größe": 3}])) as server:
        one, two = odd.Client(server.url).things.get_things()
        assert (one.id, one.color, two.gr_e, two.a_b) == (1, None, 3, odd.UNSET)


def test_an_object_of_parts_that_may_all_be_null_may_be_null(odd: ModuleType) -> None:
    rows = [{"id": 1, "window": None, "size": None}, {"id": 2, "window": {"start": 3}, "size": "small"}]
    with scripted(Row(200, rows), Row(200, [{"id": 1, "always": None}])) as server:
        one, two = odd.Client(server.url).things.get_things()
        assert (one.window, two.window.start) == (None, 3)
        assert (one.size, two.size) == (None, "small")
        with pytest.raises(odd.ResponseInvalid):
            odd.Client(server.url).things.get_things()


def test_every_style_of_a_parameter_is_written_as_the_contract_says(odd: ModuleType) -> None:
    point = {"x": 1, "y": 2}
    with scripted(Row(200, [])) as server:
        odd.Client(server.url).things.get_things(
            class_="a b",
            tags=["a,b", "c"],
            ids=["a,b", "c"],
            pipe=["a", "b"],
            pos=point,
            deep={"x": 1, "all": ["a", "b"], "in": point},
            limit=1,
            x_limit=2,
            x_ids=[1, 2],
            x_pos=point,
            mark="a b",
        )
        asked = server.asked[0]
    assert asked.path.partition("?")[2].split("&") == [
        "class=a%20b",
        "tags=a%2Cb",
        "tags=c",
        "ids=a%2Cb,c",
        "pipe=a%7Cb",
        "pos=x,1,y,2",
        *("deep%5Bx%5D=1", "deep%5Ball%5D=a", "deep%5Ball%5D=b", "deep%5Bin%5D%5Bx%5D=1", "deep%5Bin%5D%5By%5D=2"),
        "limit=1",
    ]
    assert [asked.headers[name] for name in ("x-limit", "x-ids", "x-pos", "cookie")] == [
        "2",
        "1,2",
        "x,1,y,2",
        "mark=a%20b",
    ]


def test_lists_objects_and_json_are_written_into_paths_headers_and_cookies(odd: ModuleType) -> None:
    point = {"x": 1, "y": 2}
    with scripted(Row(204)) as server:
        odd.Client(server.url).shapes.find(["a b", "c/d"], point, x_at=point, x_json=point, seen=[1, 2])
        asked = server.asked[0]
    assert asked.path == "/shapes/a%20b,c%2Fd/x=1,y=2"
    assert asked.headers["x-at"] == "x=1,y=2"
    assert asked.headers["x-json"] == '{"x":1,"y":2}'
    assert asked.headers["cookie"] == "seen=%5B1%2C2%5D"


def test_a_body_of_a_range_of_types_says_its_own(odd: ModuleType) -> None:
    picture = Row(200, "{}", {"Content-Type": "image/svg+json"})
    with scripted(picture, picture) as server:
        client = odd.Client(server.url)
        assert client.pictures.echo(body=odd.File(b"x", content_type="image/png")) == b"{}"
        assert client.pictures.echo(body=b"x") == b"{}"
        assert [asked.headers["content-type"] for asked in server.asked] == ["image/png", "application/octet-stream"]


EVENTS = {"Content-Type": "text/event-stream"}


def test_events_that_no_contract_names_are_read_until_the_stream_ends(odd: ModuleType) -> None:
    with scripted(
        Row(200, "event: tick\ndata: 1\n\ndata: 2\n\n", EVENTS), Row(200, 3), Row(200, "data: 4\n\n", EVENTS)
    ) as server:
        feeds = odd.Client(server.url).feeds
        assert list(feeds.make_stream()) == [1, 2]
        assert feeds.make_2() == 3
        assert list(feeds.make_2_stream()) == [4]
        assert [asked.path for asked in server.asked] == ["/feeds/early", "/feeds/late", "/feeds/late"]


def test_a_feed_that_cannot_be_replayed_is_not_asked_again(odd: ModuleType) -> None:
    with scripted(Row(200, "data: 1\n\n", EVENTS, is_cut=True)) as server:
        stream = odd.Client(server.url).feeds.make_stream()
        assert next(stream) == 1
        with pytest.raises(odd.ConnectionFailed):
            next(stream)


def test_a_form_repeats_a_list_and_writes_an_object_as_json(odd: ModuleType) -> None:
    with scripted(Row(204)) as server:
        made = odd.Client(server.url, basic="ada:päss").things.create_thing(
            name="a&b", tags=["x", "y"], at={"x": 1}, on=True, some=["a", "b"], more=["c", "d"]
        )
        assert made is None
        asked = server.asked[0]
    assert asked.body == b"name=a%26b&tags=x&tags=y&at=%7B%22x%22%3A1%7D&on=true&some=a%2Cb&more=c%7Cd"
    assert asked.headers["authorization"] == "Basic " + b64encode("ada:päss".encode()).decode()


def test_what_only_one_side_gives_is_required_of_that_side_alone(odd: ModuleType) -> None:
    with scripted(Row(200, {"id": 5})) as server:
        assert odd.Client(server.url).things.put_thing(secret="s").id == 5
        assert server.asked[0].body == b'{"secret":"s"}'


def test_any_media_type_files_trees_and_odd_names_are_read(odd: ModuleType) -> None:
    tree = {"value": 1, "children": [{"value": 2}]}
    names = [{"str": "a", "None": "b", "list": ["c"], "other": [1]}]
    binary = Row(200, "bytes", {"Content-Type": "application/octet-stream"})
    rows = [Row(200, {"id": 1}), binary, Row(200, tree), Row(200, {"a": [1, "b"]}), Row(206, 1.5), Row(200, names)]
    with scripted(*rows) as server:
        client = odd.Client(server.url)
        assert client.things.get_thing("eth0", "a/b", "json").id == 1
        assert client.files.download("a.txt") == b"bytes"
        assert client.call_api.call(value=1, children=[{"value": 2}]).children[0].value == 2
        assert client.operation.get() == {"a": [1, "b"]}
        assert client.operation.get_2() == 1.5
        (named,) = client.client_api.list()
        assert (named.str_, named.none, named.list_, named.other) == ("a", "b", ["c"], [1])
        assert [asked.path for asked in server.asked[:2]] == ["/things/eth0/a%2Fb.json", "/download/a.txt"]


@pytest.mark.parametrize("kind", ["text", "pipe"])
def test_a_file_that_cannot_be_sent_is_refused_with_what_to_give_instead(odd: ModuleType, kind: str) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"), scripted() as server:
        source, told = (StringIO("x"), "binary") if kind == "text" else (pipe, "its bytes")
        with pytest.raises(TypeError, match=told):
            odd.Client(server.url).files.send(one=source)


def test_files_that_were_opened_are_closed_when_another_cannot_be(odd: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    with scripted() as server, pytest.raises(FileNotFoundError) as kept:
        odd.Client(server.url).files.send(one=tmp_path / "one", two=tmp_path / "two")
    assert kept.tb is not None, "what a prompt keeps would keep an open file as well"
    held = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_open(name)]
    assert str(tmp_path / "one") not in held


def _is_open(name: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{name}")


def test_schemes_of_one_name_in_python_are_arguments_of_their_own(odd: ModuleType) -> None:
    with scripted(Row(200, {})) as server:
        odd.Client(server.url, headers_="a", api_key="b", api_key_="c").call_api.call()
        assert [server.asked[0].headers[name] for name in ("x-headers", "x-one", "x-two")] == ["a", "b", "c"]


def test_a_scheme_that_no_client_writes_takes_its_header_whole(odd: ModuleType) -> None:
    with scripted(Row(200, {"a": 1})) as server:
        assert odd.Client(server.url, digest='Digest username="ada"').client_api.dict_() == {"a": 1}
        assert server.asked[0].headers["authorization"] == 'Digest username="ada"'


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        (None, ["https://ai.odd.test/models", "https://eu.odd.test/v1/models", "https://eu.odd.test/v2/models"]),
        ("https://eu.odd.test/v1/", ["https://ai.odd.test/models", "https://eu.odd.test/v1/models", "https://eu.odd.test/v2/models"]),
        ("http://mock.test", ["http://mock.test/models", "http://mock.test/models", "http://mock.test/models"]),
    ],
)  # fmt: skip
def test_an_operation_goes_to_the_server_that_the_contract_names_for_it(
    odd: ModuleType, base_url: str | None, asked: list[str]
) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        answers = {
            "GET": httpx.Response(200, json=[]),
            "PUT": httpx.Response(204),
            "POST": httpx.Response(200, json={}),
        }
        return answers[request.method]

    http_client = httpx.Client(transport=httpx.MockTransport(answer))
    given = {} if base_url is None else {"base_url": base_url}
    client = odd.Client(**given, http_client=http_client).with_options(max_retries=0)
    client.models.list()
    client.models.ask()
    client.models.train()
    assert seen == asked


def test_a_certificate_is_the_connections_and_what_goes_with_it_is_sent(odd: ModuleType) -> None:
    with scripted(Row(200, [])) as server:
        odd.Client(server.url, basic="ada:secret").models.list()
        assert server.asked[0].headers["authorization"].startswith("Basic ")
    with pytest.raises(TypeError, match="certificate"):
        odd.Client(server.url, certificate="a")


def test_what_is_served_elsewhere_says_so(odd: ModuleType) -> None:
    resource = importlib.import_module("odd_client.resources.models").Models
    assert "Sent to https://ai.odd.test by a client whose base_url is the contract's own." in resource.list.__doc__
    assert "Served elsewhere (https://{agent}): make a client whose base_url is that address." in resource.ask.__doc__


def test_a_server_that_is_relative_to_nothing_is_refused_where_it_stands(tmp_path: Path) -> None:
    spec = tmp_path / "odd.yaml"
    operation = "{servers: [{url: /v2}], responses: {default: {description: Any.}}}"
    spec.write_text(f"openapi: 3.1.0\ninfo: {{title: Odd, version: '1'}}\npaths:\n  /all:\n    get: {operation}\n")
    assert "odd.yaml:5:21: write the whole address, or the prefix into the path" in _refused(spec)


def test_a_title_cannot_leave_its_docstring(odd: ModuleType) -> None:
    assert (odd.__doc__ or "").startswith("A client of Odd ")


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (
            "{name: id, in: path, required: true, style: label, schema: {type: string}}",
            "write style simple in the path",
        ),
        ("{name: id, in: path, required: true, style: matrix, schema: {type: string}}", "clients do not write matrix"),
        ("{name: id, in: header, style: form, schema: {type: string}}", "write style simple in the header"),
        ("{name: id, in: query, content: {text/csv: {schema: {type: string}}}}", "clients write no text/csv here"),
        ("{name: id, in: cookie, schema: {type: array, items: {type: string}}}", "arrays and objects in cookies"),
        ("{name: of, in: path, required: true, schema: {type: string}}", "declare the path parameter 'id'"),
    ],
)
def test_a_parameter_that_no_client_writes_is_refused_where_it_stands(
    tmp_path: Path, parameter: str, told: str
) -> None:
    spec = tmp_path / "odd.yaml"
    path = "/{id}" if "in: path" in parameter else "/all"
    operation = f"{{parameters: [{parameter}], responses: {{default: {{description: Any.}}}}}}"
    spec.write_text(f"openapi: 3.1.0\ninfo: {{title: Odd, version: '1'}}\npaths:\n  {path}:\n    get: {operation}\n")
    refused = _refused(spec)
    assert "odd.yaml:5:" in refused
    assert told in refused


def test_a_schema_that_is_a_part_of_itself_is_refused_where_it_stands(tmp_path: Path) -> None:
    spec = tmp_path / "endless.yaml"
    node = "{allOf: [{$ref: '#/components/schemas/Node'}, {type: object}]}"
    answer = "{description: A node., content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}"
    paths = f"paths: {{/: {{get: {{responses: {{'200': {answer}}}}}}}}}"
    info = "openapi: 3.1.0\ninfo: {title: Endless, version: '1'}"
    spec.write_text(f"{info}\n{paths}\ncomponents:\n  schemas:\n    Node: {node}\n")
    assert "endless.yaml:6:5: break the circle: this schema is a part of itself" in _refused(spec)


def test_a_contract_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    assert "none.yaml:1:1: name a contract's entry file" in _refused(tmp_path / "none.yaml")


def _refused(spec: Path) -> str:
    """Return what is said of a contract of which no client is made."""
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--spec", str(spec), "--output", str(spec.parent)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert not list(spec.parent.glob("*.whl"))
    return told.stderr


@pytest.mark.long
@pytest.mark.skipif(FOREIGN is None, reason="ACCORD_TEST_CONTRACT names no OpenAPI file")
def test_a_foreign_contract_passes(tmp_path: Path) -> None:
    installed = _made(Path(FOREIGN or ""), tmp_path)
    assert "Success" in _complaints(installed, tmp_path)
