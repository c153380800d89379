"""Reads one YAML or JSON file into plain data and remembers the line and column of every node."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from codegen.findings import Finding, Location, Refused

Json = Any

_PLAIN = "accord:plain"
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INTEGER = re.compile(r"^[-+]?[0-9]+$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})+)")
_NOT_FINITE = re.compile(r"^[-+]?(?:\.inf|\.Inf|\.INF)$|^\.(?:nan|NaN|NAN)$")


@dataclass(frozen=True)
class SourceFile:
    """One parsed file.

    path: as findings name it, relative to the working folder where possible. data: plain JSON data.
    marks: JSON pointer → (line, column), both counted from 1; a member's mark is its key's.
    """

    path: str
    text: str
    data: Json
    marks: dict[str, tuple[int, int]] = field(repr=False)

    def locate(self, pointer: str) -> Location:
        """Return where `pointer` stands, or its nearest enclosing node."""
        while pointer and pointer not in self.marks:
            pointer = pointer.rpartition("/")[0]
        line, column = self.marks.get(pointer, (1, 1))
        return Location(self.path, line, column)


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # a base chosen at import
    """Composes nodes only; scalars are resolved here by YAML 1.2's core schema, so `no` and `12:30` stay text."""

    yaml_implicit_resolvers: dict[Hashable, Any] = {None: [(_PLAIN, re.compile("", re.DOTALL))]}


def escape(token: Hashable) -> str:
    """Return one reference token of a JSON pointer (RFC 6901)."""
    return str(token).replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Return what a reference token stands for."""
    return token.replace("~1", "/").replace("~0", "~") if "~" in token else token


def read_file(path: Path, name: str) -> SourceFile:
    """Parse `path`.

    Raises:
        Refused: it is not UTF-8, not YAML, or uses what JSON has not (tags, anchors, repeated keys, NaN).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused([Finding("yaml", Location(name, 1, 1), f"save the file as UTF-8: {error}")]) from error
    return read_text(text, name)


@lru_cache(maxsize=4096)
def read_text(text: str, name: str) -> SourceFile:
    """Parse the text of one file; see `read_file`. A process that compiles again parses only what changed."""
    try:
        node = yaml.compose(_as_yaml(text), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Location(name, mark.line + 1, mark.column + 1) if mark else Location(name, 1, 1)
        fix = (
            "indent with blanks: YAML takes no tab here"
            if mark and _is_tab(text, mark.line, mark.column)
            else f"{error.problem or error.context}"
        )
        raise Refused([Finding("yaml", place, fix)]) from error
    except yaml.YAMLError as error:
        raise Refused([Finding("yaml", Location(name, 1, 1), str(error))]) from error
    marks: dict[str, tuple[int, int]] = {}
    try:
        data = _Builder(name, marks).build(node, "") if node is not None else None
    except RecursionError as error:
        raise Refused([Finding("yaml", Location(name, 1, 1), "nest less deeply; nobody could read this")]) from error
    return SourceFile(name, text, data, marks)


def _as_yaml(text: str) -> str:
    """Return JSON as the YAML that it is but for two things: tabs that indent, and letters written as pairs of surrogates."""
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return text
    indented = _INDENT.sub(lambda found: found[0].replace("\t", " "), text)
    return _SURROGATES.sub(lambda found: found[1] + json.loads(f'"{found[2]}"'), indented)


def _is_tab(text: str, line: int, column: int) -> bool:
    return any(row[column:].startswith("\t") for row in text.split("\n")[line : line + 1])


class _Builder:
    """Turns composed nodes into plain data, filling `marks`."""

    def __init__(self, name: str, marks: dict[str, tuple[int, int]]) -> None:
        self._name = name
        self._marks = marks
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, pointer: str) -> Json:
        mark = node.start_mark
        self._marks.setdefault(pointer, (mark.line + 1, mark.column + 1))
        if id(node) in self._seen:
            self._refuse(pointer, "write a $ref instead of a YAML alias, so that the node keeps one origin")
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "tag:yaml.org,2002:seq")
            return [self.build(child, f"{pointer}/{index}") for index, child in enumerate(node.value)]
        raise AssertionError(f"unknown YAML node {node!r}")

    def _mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Json]:
        self._check_tag(node, "tag:yaml.org,2002:map")
        result: dict[str, Json] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse_at(key_node, "write a plain text key; JSON objects have no other")
            key = key_node.value
            if key == "<<" and key_node.tag == _PLAIN:
                self._refuse_at(key_node, "write allOf or a $ref instead of the YAML merge key <<")
            if key in result:
                self._refuse_at(key_node, f"remove the second {key!r}: the first would be lost")
            child = f"{pointer}/{escape(key)}"
            self._marks[child] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = self.build(value_node, child)
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        text: str = node.value
        if node.tag != _PLAIN:
            if node.style not in ("'", '"', "|", ">"):
                self._refuse_at(node, f"remove the YAML tag {node.tag}; quote text that looks like something else")
            self._check_tag(node, "tag:yaml.org,2002:str")
            return text
        if _NULL.match(text):
            return None
        if _BOOLEAN.match(text):
            return text.lower() == "true"
        if _INTEGER.match(text):
            return int(text)
        number = float(text) if _FLOAT.match(text) else None
        if number is not None and isfinite(number):
            return number
        if number is not None or _NOT_FINITE.match(text):
            self._refuse_at(node, "write a finite number; JSON has no infinity and no NaN")
        return text

    def _check_tag(self, node: yaml.Node, expected: str) -> None:
        if node.tag not in (None, "", "!", expected):
            self._refuse_at(node, f"remove the YAML tag {node.tag}; the contract is JSON data")

    def _refuse(self, pointer: str, message: str) -> None:
        line, column = self._marks[pointer]
        raise Refused([Finding("yaml", Location(self._name, line, column), message)])

    def _refuse_at(self, node: yaml.Node, message: str) -> None:
        place = Location(self._name, node.start_mark.line + 1, node.start_mark.column + 1)
        raise Refused([Finding("yaml", place, message)])
