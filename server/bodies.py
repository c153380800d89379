"""The request body: media type, cap, text → JSON data → every violation or the typed value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.kernel.operation import Media, Operation
from core.kernel.problems import Invalid, MalformedBody, PayloadTooLarge, UnsupportedMediaType, Violation
from server import jsontext
from server.convert import converter
from server.forms import form_reader
from server.mediatypes import is_json, parse
from server.request import Request
from server.schemas import Schemas

Decoder = Callable[[Request], Any]
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
_CHUNK_BYTES = 65536


def compile_body(operation: Operation, schemas: Schemas) -> Decoder:
    """Build the decoder of the operation's body; what it read stays in `request.body`."""
    cap = operation.max_body_bytes
    if operation.body is None:
        return lambda request: None
    required, origin = operation.body.required, operation.body.origin
    readers = {media.content_type: _reader(media, schemas) for media in operation.body.media}

    def decode(request: Request) -> Any:
        header = request.header("CONTENT_TYPE")
        if not header and not has_body(request):
            if required:
                raise Invalid(errors=[_missing(origin)])
            return None
        media_type, options = parse(header or "")
        decoder = _choose(readers, media_type)
        if decoder is None or (options and options.get("charset", "").lower() not in _CHARSETS):
            raise UnsupportedMediaType(f"The body may be {' or '.join(readers)}, in UTF-8.")
        if (request.header("HTTP_CONTENT_ENCODING") or "identity").lower() != "identity":
            raise UnsupportedMediaType("The body may not be compressed.", headers={"Accept-Encoding": "identity"})
        data = request.body = read_body(request, cap)
        if not data and not required:
            return None
        return decoder(data, options)

    return decode


def _missing(origin: str) -> Violation:
    return Violation(pointer="", location="body", rule="required", message="the body is required", source=origin)


def _choose(readers: dict[str, Any], media_type: str) -> Any:
    return readers.get(media_type) or readers.get(f"{media_type.partition('/')[0]}/*") or readers.get("*/*")


def _reader(media: Media, schemas: Schemas) -> Callable[[bytes, dict[str, str]], Any]:
    """Build bytes → typed value for one media type."""
    schema = schemas.get(media.schema) if media.schema else None
    convert = converter(media.type)
    if media.parts or media.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        text = form_reader(media)
    elif is_json(media.content_type):
        text = _json
    else:
        return lambda data, options: data

    def read(data: bytes, options: dict[str, str]) -> Any:
        value, typed = text(data, options)
        if schema is not None and not schema.is_valid(value):
            raise Invalid(errors=schema.violations(value, location="body"))
        return convert(typed)

    return read


def _json(data: bytes, options: dict[str, str]) -> tuple[Any, Any]:
    value = jsontext.loads(data)
    return value, value


def has_body(request: Request) -> bool:
    """Say whether the request announces a body."""
    environ = request.environ
    return environ.get("CONTENT_LENGTH") not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def read_body(request: Request, cap: int) -> bytes:
    """Read the body, at most `cap` bytes of it.

    Raises:
        PayloadTooLarge: it is longer; what is over the cap is never read.
        MalformedBody: its length is no number, or it ends early.
    """
    environ = request.environ
    declared = environ.get("CONTENT_LENGTH")
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            raise MalformedBody("Content-Length is not a number.")
        if len(declared) > 18 or int(declared) > cap:
            raise PayloadTooLarge(f"The body may have {cap} bytes.")
    elif "HTTP_TRANSFER_ENCODING" not in environ and not environ.get("wsgi.input_terminated"):
        return b""
    size = int(declared) if declared else cap + 1
    try:
        data = _read(environ["wsgi.input"], size)
    except (OSError, ValueError) as error:
        raise MalformedBody("The body could not be read.", cause=str(error)) from error
    if declared and len(data) < size:
        raise MalformedBody("The body ended early.")
    if len(data) > cap:
        raise PayloadTooLarge(f"The body may have {cap} bytes.")
    return data


def _read(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size) if size <= _CHUNK_BYTES else b""
    if len(data) == size:
        return data
    chunks, left = [data], size - len(data)
    while left and (chunk := stream.read(min(left, _CHUNK_BYTES))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
