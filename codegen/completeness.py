"""Asks whether the project follows its contract: generated files fresh, every operation with a handler and a test."""

from __future__ import annotations

import os
import subprocess
import sys

from codegen import generate, pipeline, scaffold
from codegen.findings import Finding, Refused
from codegen.load import Sources
from codegen.project import Project


def check(project: Project) -> None:
    """Judge the contract and compare the project with it.

    Raises:
        Refused: a rule is broken, a generated file is stale, or an operation lacks its handler or test.
    """
    compiled = pipeline.compile_sources(Sources(project.root, project.contract), project.package)
    findings = []
    entry = compiled.bundle.locate("")
    for path in generate.check(project):
        findings.append(
            Finding("generated", entry, f"{path} is not what the contract compiles to; run `accord generate`")
        )
    for resolved, operation in zip(compiled.ir.operations, compiled.contract.operations, strict=True):
        place = compiled.bundle.locate(resolved.pointer)
        if not scaffold.has_handler(project, operation):
            path = scaffold.handler_path(project, operation)
            findings.append(
                Finding("handlers", place, f"write {operation.id} in {path}; `accord new {operation.id}` starts it")
            )
        if not scaffold.has_test(project, operation):
            path = scaffold.tests_path(project, operation)
            findings.append(
                Finding("tests", place, f"call {operation.id} in {path}; `accord new {operation.id}` starts it")
            )
    if findings:
        raise Refused(findings)


def check_types(project: Project) -> int:
    """Check every handler against its signature; an error shows the whole line, which ends with the contract's. Returns mypy's exit code."""
    command = [sys.executable, "-m", "mypy", "--strict", "--pretty", project.bindings]
    environment = {**os.environ, "MYPY_FORCE_TERMINAL_WIDTH": "400"}
    return subprocess.run(command, cwd=project.root, env=environment, check=False).returncode
