"""The whole Python client of a contract, in memory and as a wheel."""

from __future__ import annotations

from pathlib import Path

from codegen import ir
from codegen.sdk import surface
from codegen.sdk.python import client, wheel
from codegen.sdk.python.resources import Resources
from codegen.sdk.python.text import HEADER

_RUNTIME = Path(__file__).parent / "runtime"


def files(contract: ir.Contract, distribution: wheel.Distribution) -> dict[str, str]:
    """Return path inside the package → text of every file."""
    offered = surface.resources(contract)
    writer = Resources(contract)
    found = {f"resources/{resource.name}.py": writer.module(resource) for resource in offered}
    found |= {f"types/{area}.py": text for area, text in writer.types.modules().items()}
    found |= {f"runtime/{path.name}": path.read_text(encoding="utf-8") for path in sorted(_RUNTIME.glob("*.py"))}
    agent = f"{distribution.name}/{distribution.version}"
    found["client.py"] = client.client_module(contract, offered, agent=agent)
    found["__init__.py"] = client.front_module(str(contract.root["info"]["title"]))
    found["api.md"] = client.index(contract, offered)
    found["py.typed"] = ""
    for folder in ("resources", "types"):
        found[f"{folder}/__init__.py"] = f'{HEADER}\n"""Generated {folder}, one module each."""\n'
    return dict(sorted(found.items()))


def build(contract: ir.Contract, distribution: wheel.Distribution, folder: Path) -> Path:
    """Write the wheel and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / distribution.file_name
    target.write_bytes(wheel.pack(distribution, files(contract, distribution)))
    return target
