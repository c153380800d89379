"""Form and multipart bodies: fields → JSON data by the compiled Part table, then judged like any other body."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from core.kernel.operation import Media, Part
from core.kernel.problems import BadRequest, MalformedBody
from server import jsontext, query
from server.mediatypes import is_json
from server.texts import Reader, reader

Fields = dict[str, list[Any]]
FormReader = Callable[[bytes, dict[str, str]], tuple[Any, Any]]
_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


def form_reader(media: Media) -> FormReader:
    """Build bytes → (data for the validator, data for the type); they differ in binary parts, which the type keeps as bytes."""
    parts = {part.name: part for part in media.parts}
    texts = {part.name: _texts(part) for part in media.parts}
    split = _multipart if media.content_type == "multipart/form-data" else _urlencoded

    def read(data: bytes, options: dict[str, str]) -> tuple[Any, Any]:
        judged: dict[str, Any] = {}
        typed: dict[str, Any] = {}
        for name, values in split(data, options).items():
            part = parts.get(name)
            if part is None:
                typed[name] = judged[name] = _text(values[0])
            elif part.is_binary:
                raw = [value if isinstance(value, bytes) else value.encode() for value in values]
                typed[name] = raw if part.is_array else _single(name, raw)
                shown = [value.decode("latin-1") for value in raw]
                judged[name] = shown if part.is_array else shown[0]
            else:
                typed[name] = judged[name] = texts[name]([_text(value) for value in values])
        return judged, typed

    return read


def _texts(part: Part) -> Callable[[list[str]], Any]:
    """Build the function from a field's texts to its JSON value."""
    if any(is_json(content_type) for content_type in part.content_types):
        one: Reader = _json_text
    elif part.is_array:
        one = reader(part.item_shapes)
    else:
        one = reader(part.shapes)
    if not part.is_array:
        return lambda values: one(_single(part.name, values))
    if part.explode:
        return lambda values: [one(value) for value in values]
    delimiter = _DELIMITERS.get(part.style, ",")
    return lambda values: [one(piece) for piece in _single(part.name, values).split(delimiter) if piece]


def _json_text(text: str) -> Any:
    return jsontext.loads(text.encode())


def _single(name: str, values: list[Any]) -> Any:
    if len(values) > 1:
        raise MalformedBody(f"The field {name[:100]!r} was sent more than once.")
    return values[0]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody("A field is not UTF-8.") from error


def _urlencoded(data: bytes, options: dict[str, str]) -> Fields:
    fields: Fields = {}
    try:
        for name, raw in query.pairs(data.decode("ascii")):
            fields.setdefault(name, []).append(query.decode(raw))
    except (UnicodeDecodeError, BadRequest) as error:
        raise MalformedBody("The form is not percent-encoded UTF-8.") from error
    return fields


def _multipart(data: bytes, options: dict[str, str]) -> Fields:
    boundary = options.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise MalformedBody("The multipart body has no boundary.")
    parser = MultiPartParser(max_form_memory_size=len(data) + 1, max_form_parts=query.PAIRS_MAX)
    try:
        form, files = parser.parse(BytesIO(data), boundary.encode(), len(data))
    except (ValueError, RequestEntityTooLarge) as error:
        raise MalformedBody("The multipart body cannot be read.", cause=str(error)) from error
    fields: Fields = {}
    for name, text in _items(form):
        fields.setdefault(name, []).append(text)
    for name, file in _items(files):
        fields.setdefault(name, []).append(file.read())
    return fields


def _items(values: MultiDict[str, Any]) -> Iterable[tuple[str, Any]]:
    return values.items(multi=True)
