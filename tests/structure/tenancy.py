"""Where core asks the tables that tenants own, and whether each question names the tenant.

Read from the source: a use is one call that reads or changes rows (`Membership.select`, `.join(UserRole)`), or one part of a
written statement. It is scoped when its query, the local names that make it up, or a function of the module that it calls, compare
a table's tenant; a comparison under `|` decides nothing and does not count, but where the other side is `Role.is_system`,
whose grants are meant to count in every tenant. Inserting needs no condition: the column is
not null.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import models.tables
from models.tables.table import Table

VERBS = frozenset({"select", "update", "delete", "get", "get_or_none", "get_by_id", "delete_by_id", "set_by_id"})
VERBS_OF_UNKNOWN = VERBS - {"get"}
COLUMNS = frozenset({"tenant", "tenant_id"})
_EVERYWHERE = "Role.is_system"
_SQL_PART = re.compile(r"\b(?=SELECT|UPDATE|DELETE)")
_SQL_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)")
_SCOPED_SQL = re.compile(r"\btenant_id = :tenant\b")


@dataclass(frozen=True)
class Use:
    """One use. place: `core/chat/access.py is_participant Participant.select`; line: where it stands."""

    place: str
    line: int
    is_scoped: bool


@cache
def tables() -> dict[str, type[Table]]:
    """Return the table classes by name."""
    found: dict[str, type[Table]] = {}
    for module in pkgutil.iter_modules(models.tables.__path__, "models.tables."):
        members = inspect.getmembers(import_module(module.name), inspect.isclass)
        found |= {name: table for name, table in members if issubclass(table, Table) and table is not Table}
    return found


@cache
def owned() -> frozenset[str]:
    """Return the names of the classes whose rows tenants own."""
    return frozenset(name for name, table in tables().items() if COLUMNS & set(table._meta.fields))


def uses(path: str, tree: ast.Module) -> Iterator[Use]:
    """Yield every use of one module, in its order."""
    for scope, name in _scopes(tree):
        reader = _Reader(tree, scope)
        for node in _own_nodes(scope):
            if (table := _asked(node)) is not None:
                yield Use(f"{path} {name} {table}", node.lineno, reader.is_scoped(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                label = name or reader.name_of(node)
                for part, names in _owned_of_sql(node.value):
                    yield Use(f"{path} {label} SQL {names}", node.lineno, bool(_SCOPED_SQL.search(part)))


def _asked(node: ast.AST) -> str | None:
    """Return `Table.verb` when the node asks a tenant's table, or one that only the run knows."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    receiver, verb = node.func.value, node.func.attr
    if verb == "join" and node.args and isinstance(node.args[0], ast.Name) and node.args[0].id in owned():
        return f"{node.args[0].id}.join"
    if isinstance(receiver, ast.Name) and receiver.id in tables():
        return f"{receiver.id}.{verb}" if receiver.id in owned() and verb in VERBS else None
    text = ast.unparse(receiver)
    is_unknown = verb in VERBS_OF_UNKNOWN and text.rpartition(".")[2] in {"table", "model"}
    return f"{text}.{verb}" if is_unknown else None


def _owned_of_sql(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a statement, one for each of its verbs, that ask tenants' tables, with the tables' names."""
    known = {table._meta.table_name for name, table in tables().items() if name in owned()}
    for part in _SQL_PART.split(text):
        if names := known & set(_SQL_TABLE.findall(part)):
            yield part, " ".join(sorted(names))


def _scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    yield tree, ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, node.name


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what belongs to a function or module itself: not what is inside its functions, nor docstrings."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        yield child
        yield from _own_nodes(child)


class _Reader:
    """Follows a query through the names of its function."""

    def __init__(self, tree: ast.Module, scope: ast.AST) -> None:
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        self._parents = {child: node for node in ast.walk(scope) for child in ast.iter_child_nodes(node)}
        self._values: dict[str, list[ast.expr]] = {}
        for node in _own_nodes(scope):
            for target in _targets(node):
                self._values.setdefault(target, []).append(node.value)

    def is_scoped(self, node: ast.AST) -> bool:
        """Say whether the query around the node compares a tenant."""
        whole, names = self._whole(node)
        return any(self._compares(part, set()) for part in [whole, *self._chains(names)])

    def name_of(self, node: ast.AST) -> str:
        """Return the name that the expression around the node is given."""
        return next(iter(self._whole(node)[1]), "")

    def _whole(self, node: ast.AST) -> tuple[ast.AST, list[str]]:
        """Return the chain of calls around the node, and the names it is assigned to."""
        while isinstance(parent := self._parents[node], ast.Attribute | ast.Call | ast.Await | ast.BinOp):
            if isinstance(parent, ast.Call) and node is not parent.func and _asked(node) and not _is_join(parent):
                break
            node = parent
        return node, _targets(parent)

    def _chains(self, names: list[str]) -> Iterator[ast.AST]:
        """Yield what is made of a query that was given a name."""
        for node in self._parents:
            if isinstance(node, ast.Name) and node.id in names and isinstance(self._parents[node], ast.Attribute):
                yield self._whole(node)[0]

    def _compares(self, node: ast.AST, seen: set[str]) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return ast.unparse(node.right) == _EVERYWHERE and self._compares(node.left, seen)
        if is_comparison(node):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "of_tenant":
            return True
        if isinstance(node, ast.Name) and node.id not in seen:
            seen = seen | {node.id}
            if node.id in self._functions and isinstance(self._parents.get(node), ast.Call):
                returned = [part.value for part in ast.walk(self._functions[node.id]) if isinstance(part, ast.Return)]
                return any(self._compares(value, seen) for value in returned if value is not None)
            return any(self._compares(value, seen) for value in self._values.get(node.id, ()))
        return any(self._compares(child, seen) for child in ast.iter_child_nodes(node))


def _is_join(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "join"


def is_comparison(node: ast.AST) -> bool:
    """Say whether the node compares a table's tenant for equality."""
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq) and _is_tenant(node.left)


def _is_tenant(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in COLUMNS
        and isinstance(node.value, ast.Name)
        and (node.value.id in tables() or node.value.id == "table")
    )


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return (
        [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value else []
    )
