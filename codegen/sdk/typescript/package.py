"""Builds the npm tarball: generated sources and run time, compiled by TypeScript, in a file that is the same every time."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codegen import ir
from codegen.emit.documents import as_json
from codegen.sdk.typescript import sources

_HERE = Path(__file__).parent
_NODE_MAJOR = 20
_COMPILER = {
    "target": "ES2022",
    "lib": ["ES2022", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    "module": "NodeNext",
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "verbatimModuleSyntax": True,
    "skipLibCheck": True,
    "declaration": True,
    "types": [],
    "rootDir": "src",
    "outDir": "dist",
}


class ToolFailed(Exception):
    """A program that the build needs is missing or refused its input; the text says which and what to do."""


def build(contract: ir.Contract, name: str, output: Path) -> Path:
    """Write the package of a contract to the folder `output` and return the tarball.

    Raises:
        ToolFailed: node or the npm packages are missing, or what was generated is refused by TypeScript.
    """
    check_tools()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        manifest = _manifest(contract.root["info"], name)
        _write(root, contract, manifest)
        _run(["node", _HERE / "schema.js", root / "contract.json", root / "src/schema.ts"])
        _run(["node", _HERE / "node_modules/typescript/bin/tsc", "-p", root])
        packed = ["package.json", "README.md", "api.md"]
        packed += sorted(path.relative_to(root).as_posix() for path in (root / "dist").rglob("*") if path.is_file())
        output.mkdir(parents=True, exist_ok=True)
        tarball = output / f"{name.removeprefix('@').replace('/', '-')}-{manifest['version']}.tgz"
        tarball.write_bytes(_packed(root, packed))
        return tarball


def check_tools() -> None:
    """See that node and the locked npm packages are there.

    Raises:
        ToolFailed: they are not.
    """
    node = shutil.which("node")
    if node is None:
        raise ToolFailed(
            f"the TypeScript SDK needs node {_NODE_MAJOR} or newer on the PATH: install it and run this again"
        )
    version = _run(["node", "--version"]).strip()
    if int(version.removeprefix("v").partition(".")[0]) < _NODE_MAJOR:
        raise ToolFailed(f"the TypeScript SDK needs node {_NODE_MAJOR} or newer; {node} is {version}")
    if not (_HERE / "node_modules/typescript").is_dir():
        raise ToolFailed("the npm packages that write the TypeScript SDK are missing: run `make sdk-ts-tools`")


def _write(root: Path, contract: ir.Contract, manifest: Mapping[str, Any]) -> None:
    files = sources.sources(contract)
    files["src/connect.ts"] = sources.connect()
    files["contract.json"] = as_json(contract.bundle.document)
    files["tsconfig.json"] = json.dumps({"compilerOptions": _COMPILER, "include": ["src"]})
    files["package.json"] = json.dumps(manifest, indent=2) + "\n"
    files["README.md"] = (_HERE / "package.md").read_text(encoding="utf-8").replace("accord-client", manifest["name"])
    files |= {f"src/runtime/{path.name}": path.read_text(encoding="utf-8") for path in (_HERE / "runtime").glob("*.ts")}
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _manifest(info: Mapping[str, Any], name: str) -> dict[str, Any]:
    title = " ".join(str(info["title"]).split())
    return {
        "name": name,
        "version": _semantic(str(info["version"])),
        "description": f"Client of {title}",
        "license": "Apache-2.0",
        "type": "module",
        "sideEffects": False,
        "engines": {"node": f">={_NODE_MAJOR}"},
        "exports": {
            ".": {"types": "./dist/index.d.ts", "default": "./dist/index.js"},
            "./connect": {"types": "./dist/connect.d.ts", "default": "./dist/connect.js"},
            "./resources/*": {"types": "./dist/resources/*.d.ts", "default": "./dist/resources/*.js"},
            "./package.json": "./package.json",
        },
        "files": ["dist", "api.md"],
    }


def _semantic(version: str) -> str:
    """Return a version that npm takes: `2.0` is 2.0.0, a day such as 2026-01-31 is 2026.1.31."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", version):
        return ".".join(str(int(part)) for part in version.split("-"))
    core, dash, rest = version.removeprefix("v").partition("-")
    numbers = [part if part.isdigit() else "0" for part in core.split(".")[:3]]
    return ".".join([*numbers, "0", "0"][:3]) + dash + rest


def _packed(root: Path, names: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in names:
            content = (root / name).read_bytes()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _run(command: Sequence[object]) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(Path(str(word)).name for word in command[:2])
        raise ToolFailed(f"{words} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
