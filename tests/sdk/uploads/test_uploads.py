"""Files from a path, from bytes and from an open file arrive whole, with progress, also at a second try."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sdk.driving import KINDS, Driver, Script
from tests.sdk.typescript.conftest import PROGRAMS, Project
from tests.sdk.typescript.packing import build, install
from tests.sdk.typescript.proxy import faulty
from tests.sdk.uploads.receiver import Receiver, receiving

HERE = Path(__file__).parent
SPEC = str(HERE / "openapi.yaml")
SIZE = 1_500_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "picture.png"
    path.write_bytes(hashlib.shake_128(b"picture").digest(SIZE))
    return path


@pytest.fixture(scope="module")
def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as held:
        yield held


@pytest.fixture(scope="module")
def uploads_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("uploads")
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--spec", SPEC, "--name", "uploads-client"]
    built = subprocess.run([*command, "--output", str(folder)], cwd=ROOT, capture_output=True, text=True, check=True)
    sys.path.insert(0, built.stdout.strip())  # a wheel of plain Python can be imported as it is
    yield import_module("uploads_client")
    sys.path.pop(0)


@pytest.fixture(params=KINDS)
def driver(request: pytest.FixtureRequest, uploads_client: ModuleType) -> Driver:
    return Driver(uploads_client, request.param)


def _client(driver: Driver, receiver: Receiver) -> Any:
    return driver.client(f"http://127.0.0.1:{receiver.port}")


def test_bytes_arrive_from_each_source(driver: Driver, receiver: Receiver, file: Path, digest: str) -> None:
    def script() -> Script:
        client = _client(driver, receiver)
        for source in (file, file.open("rb"), file.read_bytes(), driver.sdk.File(file, content_type="image/png")):
            came = yield client.files.upload_blob("x", body=source)
            assert (came.sizes, came.digests) == ([SIZE], [digest])
        assert (yield client.files.upload_blob("x", body=b"")).sizes == [0]
        assert (yield client.files.upload_blob("x", body="Größe")).sizes == [7]

    driver.run(script())
    assert receiver.lengths == [SIZE] * 4 + [0, 7]


def test_a_form_carries_files_texts_and_objects(driver: Driver, receiver: Receiver, file: Path, digest: str) -> None:
    def script() -> Script:
        named = driver.sdk.File(b"abc", name='odd "name".txt', content_type="text/plain")
        return (
            yield _client(driver, receiver).files.upload_picture(
                "x", file=file, more=[io.BytesIO(b"abc"), named], title="Größe", rating=3, focus={"x": 0.5}
            )
        )

    came = driver.run(script())
    assert (came.sizes, came.digests[0]) == ([SIZE, 3, 3], digest)
    assert came.members["file.0"] == "picture.png image/png"
    assert came.members["more.1"] == 'odd "name".txt text/plain'
    assert [came.members[name] for name in ("title", "rating", "focus")] == ["Größe", "3", '{"x":0.5}']
    assert receiver.lengths[0] is not None
    assert receiver.lengths[0] > SIZE


@pytest.mark.parametrize("operation", ["upload_blob", "upload_picture"])
def test_progress_grows_to_the_size_and_begins_anew_at_a_second_try(
    driver: Driver, receiver: Receiver, file: Path, digest: str, operation: str
) -> None:
    steps: list[tuple[int, int | None]] = []
    source = driver.sdk.File(file.open("rb"), progress=lambda sent, size: steps.append((sent, size)))
    given = {"body": source} if operation == "upload_blob" else {"file": source}

    def script(url: str) -> Script:
        client = driver.client(url, retry=driver.sdk.Retry(2, 0.001))
        return (yield getattr(client.files, operation)("x", **given))

    with faulty("127.0.0.1", receiver.port, {0: 0}.get) as proxy:
        came = driver.run(script(proxy.url))
    assert came.digests == [digest]
    assert len(receiver.lengths) == 2, "the first answer was lost"
    sent = [step[0] for step in steps]
    half = len(sent) // 2
    assert sent[:half] == sent[half:] == sorted(set(sent))
    assert (half > 10, sent[-1]) == (True, SIZE)
    assert {step[1] for step in steps} == {SIZE}


def test_what_is_no_file_is_refused(driver: Driver, receiver: Receiver) -> None:
    def script() -> Script:
        with pytest.raises(TypeError, match="text, bytes or a file"):
            yield _client(driver, receiver).files.upload_blob("x", body={"a": 1})

    driver.run(script())
    assert receiver.lengths == []


def test_the_typescript_client_does_the_same(tmp_path: Path, receiver: Receiver, file: Path, digest: str) -> None:
    tarball = build(tmp_path / "dist", "--spec", SPEC, "--name", "uploads-client")
    project = Project(tmp_path / "project", Path(), ())
    assert install(project.folder, tarball, [HERE / "uploads.ts", PROGRAMS / "outside.ts"], name="uploads-client") == ""
    with faulty("127.0.0.1", receiver.port, lambda number: 0 if number in {0, 2} else None) as proxy:
        url = f"http://127.0.0.1:{receiver.port}"
        told = project.run("uploads", FILE=str(file), SIZE=str(SIZE), DIGEST=digest, URL=url, LOSING_URL=proxy.url)
    assert told["members"]["file.0"] == "picture.png image/png"
    assert told["members"]["more.1"] == 'odd "name".txt application/octet-stream'
    assert [told["members"][name] for name in ("title", "rating", "focus")] == ["Größe", "3", '{"x":0.5}']
    assert told["plain"] == {"file.0": "file application/octet-stream"}
    assert None not in receiver.lengths, "every upload told its length"
    assert proxy.answers == 4
