"""Runs the stages: sources → bundle → IR → lint → table and types → files; nothing is written until all of them end well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codegen import ir, lint, rules, structure
from codegen.bundle import Bundle, bundle
from codegen.emit import documents, signatures, types
from codegen.emit.shapes import Shape
from codegen.load import Sources
from codegen.project import Project
from codegen.sdk import documentation
from codegen.table import Compiler
from core.kernel.operation import Contract

PACKAGE_MARKER = f"{types.HEADER}\n"


@dataclass(frozen=True)
class Compiled:
    """A contract that went through every stage, in memory.

    modules: dotted area → the shapes its types are made from.
    """

    ir: ir.Contract
    contract: Contract
    bundle: Bundle
    modules: Mapping[str, Mapping[str, Shape]]


def compile_sources(sources: Sources, package: str | None) -> Compiled:
    """Compile a contract without touching any file.

    Raises:
        Refused: with every finding of the first stage that had one.
    """
    joined = bundle(sources)
    resolved = judge(joined)
    compiler = Compiler(resolved, package)
    contract = compiler.compile()
    return Compiled(resolved, contract, joined, types.areas(compiler.shaper.shapes))


def judge(joined: Bundle) -> ir.Contract:
    """Resolve a bundle that obeys every rule.

    Raises:
        Refused: with the findings of the rules on structure, or where there are none, of the lint rules.
    """
    rules.run(structure, joined)
    resolved = ir.build(joined)
    rules.run(lint, resolved)
    return resolved


def compile_text(text: str, name: str = "contract.yaml") -> Compiled:
    """Compile one document given as text, for operations that are defined at run time.

    Every stage and rule is the same; the table names no types, since none are generated: values stay plain JSON data,
    judged by the same validators. `name` is what origins and findings call the document.
    """
    return compile_sources(Sources.of_text(text, name), None)


def emit(compiled: Compiled, project: Project, fresh: Mapping[str, str]) -> dict[str, str]:
    """Return path → text of every generated file.

    fresh: `path of a types module` → its text, for modules whose shapes did not change since it was written.
    """
    output = project.output
    shown = documentation.code_samples(compiled.ir)
    files = {
        f"{output}/operations.json": documents.operations_json(compiled.contract),
        f"{output}/openapi.json": documents.as_json(compiled.bundle.document),
        f"{output}/openapi.yaml": documents.as_yaml(documentation.published(compiled.bundle.document, shown)),
        f"{output}/origins.json": documents.origins_json(compiled.bundle),
        f"{output}/routes.json": documents.routes_json(compiled.ir),
        f"{output}/samples.json": documents.as_json(shown),
        project.bindings: signatures.bindings(compiled.contract.operations, project.package, project.handlers),
    }
    for area, text in signatures.signatures(compiled.contract.operations).items():
        files[f"{output}/signatures/{area}.py"] = text
    for area, shapes in compiled.modules.items():
        path = module_path(output, area)
        files[path] = fresh[path] if path in fresh else types.module_text(area, shapes)
    for path in list(files):
        if path.endswith(".py") and path.startswith(output):
            files.setdefault(f"{Path(path).parent.as_posix()}/__init__.py", PACKAGE_MARKER)
    files.setdefault(f"{output}/__init__.py", PACKAGE_MARKER)
    return dict(sorted(files.items()))


def module_path(output: str, area: str) -> str:
    """Return the file of an area's types: `parameters.chat` is in parameters/chat.py."""
    return f"{output}/{area.replace('.', '/')}.py"


def digest(value: object) -> str:
    """Return a hash of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
