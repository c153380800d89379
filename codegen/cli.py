"""The compiler's commands: lint, bundle, generate, check, new, sdk and vectors.

Each imports what it needs when it runs: the compiler takes longer to import than an unchanged contract to compare.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from codegen.findings import Refused, render
from codegen.project import Project, find_project

_WATCH_SECONDS = 0.1


def generate(arguments: list[str]) -> int:
    """Compile the contract into types, table and documents; write what changed."""
    from codegen import generate as generation

    parser = argparse.ArgumentParser(prog="accord generate", description=generate.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not fresh")
    parser.add_argument("--watch", action="store_true", help="stay, and compile again whenever a source changes")
    parser.add_argument("--no-cache", action="store_true", help="compile even when nothing seems to have changed")
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())
    if options.check:
        return _guarded(project, lambda: _report_stale(generation.check(project)))

    def run() -> int:
        for path in generation.generate(project, use_cache=not options.no_cache):
            print(path, flush=True)
        return 0

    if options.watch:
        watch(project, run)
    with _without_collector():
        return _guarded(project, run)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let the garbage be, for a second's work: looking through all that is imported and parsed takes a seventh of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def watch(project: Project, run: Callable[[], int]) -> NoReturn:
    """Call `run` now and whenever a file beside the entry file changes, in this warm process; ends by a signal."""
    from codegen.emit import types

    types.warm()
    seen: dict[str, int] = {}
    while True:
        folder = (project.root / project.contract).parent
        found = {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
        if found != seen:
            seen = found
            _guarded(project, run)
        time.sleep(_WATCH_SECONDS)


def lint(arguments: list[str]) -> int:
    """Judge the contract; print every finding with its place and the fix."""
    from codegen import compatibility, ir
    from codegen.bundle import bundle as join
    from codegen.load import Sources
    from codegen.pipeline import judge

    parser = argparse.ArgumentParser(prog="accord lint", description=lint.__doc__)
    parser.add_argument("contract", nargs="?", help="entry file; the project's when absent")
    parser.add_argument(
        "--against", type=Path, metavar="OLD", help="an older contract, whose callers must go on working"
    )
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())
    sources = Sources(project.root, options.contract or project.contract)

    def run() -> int:
        judged = judge(join(sources))
        if options.against is not None:
            older = ir.build(join(Sources(options.against.resolve().parent, options.against.name)))
            compatibility.run(older, judged)
        return 0

    return _guarded(project, run)


def bundle(arguments: list[str]) -> int:
    """Print the contract as one document."""
    from codegen.bundle import bundle as join
    from codegen.emit import documents
    from codegen.load import Sources

    parser = argparse.ArgumentParser(prog="accord bundle", description=bundle.__doc__)
    parser.add_argument("contract", nargs="?", help="entry file; the project's when absent")
    parser.add_argument("--yaml", action="store_true", help="YAML instead of JSON")
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())
    sources = Sources(project.root, options.contract or project.contract)

    def run() -> int:
        joined = join(sources)
        sys.stdout.write(documents.as_yaml(joined.document) if options.yaml else documents.as_json(joined.document))
        return 0

    return _guarded(project, run)


def new(arguments: list[str]) -> int:
    """Start the handler of an operation and its test; never changes what is written."""
    from codegen import pipeline, scaffold
    from codegen.load import Sources

    parser = argparse.ArgumentParser(prog="accord new", description=new.__doc__)
    parser.add_argument("operation", help="operationId, as the contract gives it")
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())

    def run() -> int:
        compiled = pipeline.compile_sources(Sources(project.root, project.contract), project.package)
        operation = next((found for found in compiled.contract.operations if found.id == options.operation), None)
        if operation is None:
            print(f"the contract has no operation {options.operation!r}", file=sys.stderr)
            return 1
        written = scaffold.start(project, compiled, operation)
        print("\n".join(written) or f"{operation.id} has its handler and its test")
        return 0

    return _guarded(project, run)


def check(arguments: list[str]) -> int:
    """Judge the contract, and whether generated files, handlers and tests follow it."""
    from codegen import completeness

    parser = argparse.ArgumentParser(prog="accord check", description=check.__doc__)
    parser.add_argument("--types", action="store_true", help="also check every handler against its signature (mypy)")
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())

    def run() -> int:
        completeness.check(project)
        return completeness.check_types(project) if options.types else 0

    return _guarded(project, run)


def sdk(arguments: list[str]) -> int:
    """Generate the client of a contract: a wheel for Python, an npm tarball for TypeScript."""
    from codegen import pipeline
    from codegen.bundle import bundle as join
    from codegen.load import Sources
    from codegen.sdk import foreign, languages
    from codegen.sdk.surface import PACKAGE

    parser = argparse.ArgumentParser(prog="accord sdk", description=sdk.__doc__)
    parser.add_argument("--language", choices=sorted(languages.BUILDERS), default="python")
    parser.add_argument(
        "--spec", type=Path, help="another contract's entry file, which need not obey the rules of lint"
    )
    parser.add_argument("--output", type=Path, default=Path("dist"), help="folder of the package")
    parser.add_argument("--name", default=PACKAGE, help="name of the package; in Python it is imported with _ for -")
    options = parser.parse_args(arguments)
    project = find_project(Path.cwd())
    root = options.spec.resolve().parent if options.spec else project.root
    sources = Sources(root, options.spec.name if options.spec else project.contract)

    def run() -> int:
        contract = (foreign.read if options.spec else pipeline.judge)(join(sources))
        try:
            print(languages.BUILDERS[options.language](contract, options.name, options.output))
        except languages.ToolFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        return 0

    return _guarded(Project(root), run)


def vectors(arguments: list[str]) -> int:
    """Print the vectors of the contract: requests, refusals and answers that every implementation must agree on."""
    from codegen import pipeline
    from codegen.bundle import bundle as join
    from codegen.emit import documents
    from codegen.load import Sources
    from codegen.sdk import vectors as derived

    argparse.ArgumentParser(prog="accord vectors", description=vectors.__doc__).parse_args(arguments)
    project = find_project(Path.cwd())

    def run() -> int:
        contract = pipeline.judge(join(Sources(project.root, project.contract)))
        sys.stdout.write(documents.as_json({"format": 1, "vectors": derived.vectors(contract)}))
        return 0

    return _guarded(project, run)


def _report_stale(paths: list[str]) -> int:
    for path in paths:
        print(f"{path}: not what the contract compiles to; run `accord generate`", file=sys.stderr)
    return 1 if paths else 0


def _guarded(project: Project, run: Callable[[], int]) -> int:
    try:
        return run()
    except Refused as refusal:
        print(render(refusal.findings, project.root), file=sys.stderr)
        print(f"{len(refusal.findings)} finding(s)", file=sys.stderr)
        return 1


COMMANDS = {
    "lint": lint,
    "bundle": bundle,
    "generate": generate,
    "check": check,
    "new": new,
    "sdk": sdk,
    "vectors": vectors,
}


def main(arguments: list[str]) -> int:
    """Run one command by name, for `python -m codegen.cli`."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: python -m codegen.cli {{{','.join(COMMANDS)}}} …", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
