"""The client of a contract that is not the product's: files, styles, credentials, waits and cuts, answered from memory."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import ROOT
from tests.sdk.typescript.conftest import PROGRAMS, Project
from tests.sdk.typescript.packing import build, install


def test_a_client_of_any_contract_keeps_its_promises(tmp_path: Path) -> None:
    tarball = build(tmp_path / "dist", "--spec", str(ROOT / "tests/codegen/contract/openapi.yaml"))
    assert tarball.name == "accord-client-1.0.0.tgz"
    programs = [Path(__file__).parent / "programs_of_shop/shop.ts", PROGRAMS / "outside.ts"]
    project = Project(tmp_path / "project", Path(), ())
    assert install(project.folder, tarball, programs) == ""
    picture = tmp_path / "picture.png"
    picture.write_text("from a file")
    assert project.run("shop", FILE=str(picture)) == {"done": True}


def test_a_contract_full_of_clashes_is_typed_and_calls_as_it_says(tmp_path: Path) -> None:
    tarball = build(tmp_path / "dist", "--spec", str(ROOT / "tests/sdk/odd.yaml"), "--name", "odd-client")
    assert tarball.name == "odd-client-2026.1.31.tgz"
    programs = [Path(__file__).parent / "programs_of_odd/odd.ts", PROGRAMS / "outside.ts"]
    project = Project(tmp_path / "project", Path(), ())
    assert install(project.folder, tarball, programs, name="odd-client") == ""
    assert project.run("odd") == {"done": True}
