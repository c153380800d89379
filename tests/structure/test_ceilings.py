"""Ceilings: a function has at most 60 lines, a handler 20, a module 400; a module says what it is in one sentence."""

from __future__ import annotations

import ast

from tests.structure.tree import ROOMS, modules

FUNCTION_LINES = 60
HANDLER_LINES = 20
MODULE_LINES = 400
SWALLOWED = {"Exception", "BaseException"}


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_stay_below_their_ceiling() -> None:
    long = [
        f"{module.path}:{function.lineno} {function.name} has {_lines(function)} lines"
        for module in modules()
        if not module.is_generated
        for function in module.functions()
        if _lines(function) > (HANDLER_LINES if module.name.startswith("handlers.") else FUNCTION_LINES)
    ]
    assert not long, "\n".join(long)


def test_modules_stay_below_their_ceiling() -> None:
    long = [f"{m.path} has {m.lines} lines" for m in modules() if not m.is_generated and m.lines > MODULE_LINES]
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is() -> None:
    silent = [
        module.path
        for module in modules()
        if not module.is_generated and module.tree.body and not ast.get_docstring(module.tree)
    ]
    assert not silent, "\n".join(silent)


def test_every_public_function_and_class_is_documented() -> None:
    silent = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in modules("codegen", "core", "models", "server")
        if not module.is_generated and not module.name.startswith("models.migrations.")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node) and len(node.body) > 1 and (node.end_lineno or 0) - node.lineno > 4
    ]
    assert not silent, "\n".join(silent)


def test_no_handler_of_errors_is_blind() -> None:
    blind = [
        f"{module.path}:{node.lineno}"
        for module in modules(*ROOMS)
        for node in module.nodes
        if isinstance(node, ast.ExceptHandler) and _is_blind(node)
    ]
    assert not blind, "\n".join(blind)


def _is_blind(node: ast.ExceptHandler) -> bool:
    """Say whether it catches everything and does not raise again."""
    names = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else SWALLOWED
    raises = any(isinstance(part, ast.Raise) for statement in node.body for part in ast.walk(statement))
    return bool(names & SWALLOWED) and not raises
