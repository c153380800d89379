"""The parameter styles of OpenAPI 3.1 (4.8.12.6): one function per style, compiled per parameter.

Delimiters are looked for in the raw text and each piece is decoded afterwards, so an encoded comma stays in its item.
A scalar sent more than once is an error; an exploded array is never split on commas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from core.kernel.operation import Parameter
from server import query
from server.texts import Reader, reader

Splitter = Callable[[Any], Any]

_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "|", "simple": ",", "label": ",", "matrix": ","}


def splitter(row: Parameter) -> Splitter:
    """Return raw → JSON value for this parameter; it raises ValueError for text that its style cannot have."""
    if row.location == "query":
        return _query(row)
    text = _content if row.content is not None else _flat(row)
    if row.location == "cookie":
        return lambda raw: text(unquote(raw)) if row.content is not None else text(raw)
    return text


def _content(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError("is not JSON") from error


def _query(row: Parameter) -> Splitter:
    if row.content is not None:
        return lambda raws: _content(query.decode(_single(raws)))
    if row.is_object:
        return _query_object(row)
    if row.is_array:
        return _query_array(row)
    scalar = reader(row.shapes)
    return lambda raws: scalar(query.decode(_single(raws)))


def _query_array(row: Parameter) -> Splitter:
    item = reader(row.item_shapes)
    if row.explode:
        return lambda raws: [item(query.decode(raw)) for raw in raws]
    delimiter = _DELIMITERS.get(row.style, ",")

    def read(raws: list[str]) -> list[Any]:
        raw = _single(raws)
        if row.style == "spaceDelimited":
            raw = raw.replace("+", "%20")
        elif row.style == "pipeDelimited":
            raw = raw.replace("%7C", "|").replace("%7c", "|")
        return [item(query.decode(piece)) for piece in raw.split(delimiter)] if raw else []

    return read


def _query_object(row: Parameter) -> Splitter:
    members = _members(row)
    if row.style == "deepObject" or row.explode:
        return lambda sent: {name: _member(members, name, query.decode(_single(raws))) for name, raws in sent.items()}
    delimiter = _DELIMITERS.get(row.style, ",")

    def read(raws: list[str]) -> dict[str, Any]:
        pieces = [query.decode(piece) for piece in _single(raws).split(delimiter)]
        return _alternating(pieces, members)

    return read


def _flat(row: Parameter) -> Splitter:
    """Read the text of a path, header or cookie parameter, which is decoded already."""
    prefix = {"label": ".", "matrix": f";{row.name}="}.get(row.style, "")
    if row.is_object:
        return _flat_object(row)
    if row.is_array:
        return _flat_array(row, prefix)
    scalar = reader(row.shapes)
    return (lambda text: scalar(_unprefixed(text, prefix))) if prefix else scalar


def _flat_array(row: Parameter, prefix: str) -> Splitter:
    item = reader(row.item_shapes)
    separator = {"label": ".", "matrix": prefix}.get(row.style, ",") if row.explode else ","

    def read(text: str) -> list[Any]:
        body = _unprefixed(text, prefix)
        pieces = body.split(separator) if body else []
        return [item(piece.strip(" \t") if row.location == "header" else piece) for piece in pieces]

    return read


def _flat_object(row: Parameter) -> Splitter:
    members = _members(row)
    prefix = {"label": ".", "matrix": ";" if row.explode else f";{row.name}="}.get(row.style, "")
    separator = {"label": ".", "matrix": ";"}.get(row.style, ",") if row.explode else ","

    def read(text: str) -> dict[str, Any]:
        pieces = [piece.strip(" \t") for piece in _unprefixed(text, prefix).split(separator)]
        if not row.explode:
            return _alternating(pieces, members)
        found: dict[str, Any] = {}
        for piece in pieces:
            name, equals, value = piece.partition("=")
            if not equals or name in found:
                raise ValueError("must be name=value members, each once")
            found[name] = _member(members, name, value)
        return found

    return read


def _members(row: Parameter) -> Mapping[str, Reader]:
    return {name: reader(shapes) for name, shapes in row.properties.items()}


def _member(members: Mapping[str, Reader], name: str, text: str) -> Any:
    read = members.get(name)
    return read(text) if read else text


def _alternating(pieces: list[str], members: Mapping[str, Reader]) -> dict[str, Any]:
    names = pieces[::2]
    if len(pieces) % 2 or len(set(names)) != len(names):
        raise ValueError("must be name,value pairs, each name once")
    return {name: _member(members, name, text) for name, text in zip(names, pieces[1::2], strict=True)}


def _single(raws: list[str]) -> str:
    if len(raws) > 1:
        raise ValueError("was sent more than once")
    return raws[0]


def _unprefixed(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise ValueError(f"must begin with {prefix}")
    return text[len(prefix) :]
