"""Starts the handler of an operation and its test, once: what is there is never changed, only added to."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from codegen import ir
from codegen.emit import signatures
from codegen.locate import Json
from codegen.pipeline import Compiled
from codegen.project import Project
from codegen.resolved import Resolved
from core.kernel.operation import Operation

_SAMPLES = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}, "null": None}
_SAMPLE_ID = "00000000-0000-0000-0000-000000000000"


def handler_path(project: Project, operation: Operation) -> str:
    """Return the module that the operation's handler belongs in."""
    return f"{project.handlers}/{operation.area}/{operation.resource}.py"


def tests_path(project: Project, operation: Operation) -> str:
    """Return the module that the operation's tests belong in."""
    return f"{project.tests}/{operation.area}/test_{operation.resource}.py"


def has_handler(project: Project, operation: Operation) -> bool:
    """Say whether the operation's function is written."""
    file = project.root / handler_path(project, operation)
    return file.is_file() and operation.id in _functions(file)


def has_test(project: Project, operation: Operation) -> bool:
    """Say whether some test of its resource calls the operation by its id."""
    file = project.root / tests_path(project, operation)
    return file.is_file() and f'"{operation.id}"' in file.read_text(encoding="utf-8")


def start(project: Project, compiled: Compiled, operation: Operation) -> list[str]:
    """Write what the operation still lacks; return the files written."""
    written = []
    if not has_handler(project, operation):
        path = handler_path(project, operation)
        _extend(
            project.root / path, f"Handlers of {operation.resource}.", _handler_imports(operation), _handler(operation)
        )
        written.append(path)
    if not has_test(project, operation):
        path = tests_path(project, operation)
        resolved = next(found for found in compiled.ir.operations if found.id == operation.id)
        imports = ["from __future__ import annotations", f"from {project.tests.split('/')[0]}.client import Client"]
        _extend(project.root / path, f"Tests of {operation.resource}.", imports, _test(compiled, resolved, operation))
        written.append(path)
    return written


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _extend(file: Path, docstring: str, imports: list[str], function: str) -> None:
    """Append a function to a module, making the module and its package where they are missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "__init__.py").touch()
    text = file.read_text(encoding="utf-8") if file.exists() else f'"""{docstring}"""\n\n{imports[0]}\n'
    lines = text.rstrip("\n").split("\n")
    present = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    at = max((node.end_lineno or node.lineno for node in present), default=1)
    missing = [line for line in imports if line not in lines]
    lines[at:at] = missing if len(present) > 1 or not missing else ["", *missing]
    file.write_text("\n".join([*lines, "", "", function]), encoding="utf-8")


def _handler_imports(operation: Operation) -> list[str]:
    kinds = signatures.modules(operation)
    names = ["Call", *(name for name in ("EventStream", "Reply") if name in _answer(operation))]
    lines = ["from __future__ import annotations"]
    lines += [f"from typing import {name}" for name in ("Any", "Literal") if name in _answer(operation)]
    lines += [f"from core.kernel.call import {', '.join(names)}", "from core.kernel.problems import NotImplementedYet"]
    return lines + [signatures.import_line(module) for module in sorted(kinds)]


def _answer(operation: Operation) -> str:
    """Return the handler's return type: the plain body where that is allowed, else every Reply."""
    kinds = signatures.returns(operation)
    plain = [kind for kind in kinds if not kind.startswith("Reply[")]
    return " | ".join(plain or kinds)


def _handler(operation: Operation) -> str:
    parameters, body = signatures.call_type(operation)
    return (
        f"def {operation.id}(call: Call[{parameters}, {body}]) -> {_answer(operation)}:\n"
        f'    """{operation.summary}"""\n'
        f'    raise NotImplementedYet("{operation.id} is not written yet")\n'
    )


def _test(compiled: Compiled, resolved: ir.Operation, operation: Operation) -> str:
    status = operation.success[0].status if operation.success else 200
    parts = []
    path = {p.name: _sample(compiled, p) for p in resolved.parameters if p.location == "path"}
    query = {
        p.name: _sample(compiled, p) for p in resolved.parameters if p.location == "query" and p.node.get("required")
    }
    parts += [f"path={path!r}"] if path else []
    parts += [f"query={query!r}"] if query else []
    parts += [f"body={_example(compiled, resolved)!r}"] if resolved.body else []
    return (
        f"def test_{operation.id}_answers_{status}_when_asked_as_in_the_contract(client: Client) -> None:\n"
        f"    answer = client.call({', '.join([_quoted(operation.id), *parts])})\n"
        f"    assert answer.status == {status}\n"
    )


def _quoted(text: str) -> str:
    return f'"{text}"'


def _example(compiled: Compiled, operation: ir.Operation) -> Json:
    for media in operation.body.media if operation.body else ():
        for name in media.node.get("examples", {}):
            example: dict[str, Any] = compiled.bundle.follow(f"{media.pointer}/examples/{name}")[1]
            return example.get("value")
    return {}


def _sample(compiled: Compiled, parameter: ir.Parameter) -> Json:
    if "example" in parameter.node:
        return parameter.node["example"]
    schema = Resolved(compiled.bundle, parameter.schema)
    if isinstance(schema.node, dict) and schema.node.get("format") == "uuid":
        return _SAMPLE_ID
    return next((_SAMPLES[kind] for kind in sorted(schema.kinds()) if kind in _SAMPLES), "x")
