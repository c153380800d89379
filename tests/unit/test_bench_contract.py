"""The bench contract stays compilable: a new lint rule is met there too."""

from __future__ import annotations

from pathlib import Path

from codegen.load import Sources
from codegen.pipeline import compile_sources
from tests.bench.contracts import PACKAGE, write_sources


def test_bench_contract_compiles_with_all_its_operations(tmp_path: Path) -> None:
    """Two that are measured and 150 that fill the router."""
    write_sources(tmp_path / "spec")
    compiled = compile_sources(Sources(tmp_path, "spec/openapi.yaml"), PACKAGE)
    assert len(compiled.contract.operations) == 152
