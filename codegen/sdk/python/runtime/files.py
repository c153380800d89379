"""Files that a call sends: from a path, from bytes or from an open file, with progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

_PIECE_BYTES = 65_536
Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes sent so far and the size in bytes, None where it is unknown."""


class File(NamedTuple):
    """A file to send. source: a path, its bytes, or an open binary file that can be rewound for another try."""

    source: PathLike[str] | bytes | IO[bytes]
    name: str | None = None
    content_type: str | None = None
    progress: Progress | None = None


FileInput: TypeAlias = "File | PathLike[str] | bytes | IO[bytes]"


class Part(NamedTuple):
    """One part of a multipart body: a member that is text, or a file. content_type: of text that is not plain."""

    name: str
    text: str | None
    file: File | None
    content_type: str | None = None


def parts(name: str, value: Any) -> Iterator[Part]:
    """Yield the parts that a member becomes: a list has one for each item."""
    if isinstance(value, str):
        yield Part(name, value, None)
    elif (file := file_of(value)) is not None:
        yield Part(name, None, file)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from parts(name, item)
    else:
        import msgspec  # noqa: PLC0415  (only for parts that are neither text nor files)

        text = msgspec.json.encode(value).decode()
        is_object = text.startswith("{")
        yield Part(name, text.strip('"'), None, "application/json" if is_object else None)


def file_of(value: Any) -> File | None:
    """Return what is to be sent as a file; None when it is something else."""
    if isinstance(value, File):
        return value
    if isinstance(value, bytes) or hasattr(value, "read") or hasattr(value, "__fspath__"):
        return File(value)
    return None


class Opened:
    """A file while it is read by the HTTP library, which asks for `read` and `seek` only."""

    def __init__(self, file: File) -> None:
        self._progress = file.progress
        self._is_own = not hasattr(file.source, "read")
        self._stream = _stream(file.source)
        self.name = file.name or Path(str(getattr(self._stream, "name", "file"))).name
        self.size_bytes = self._stream.seek(0, 2)
        self._stream.seek(0)
        self._sent_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes and tell how far it is."""
        data = self._stream.read(size)
        self._sent_bytes += len(data)
        if self._progress is not None and data:
            self._progress(self._sent_bytes, self.size_bytes)
        return data

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole file."""
        while data := self.read(_PIECE_BYTES):
            yield data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a body that is sent once more begins at 0."""
        self._sent_bytes = 0
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._stream.tell()

    def close(self) -> None:
        """Close what was opened here."""
        if self._is_own:
            self._stream.close()


def _stream(source: PathLike[str] | bytes | IO[bytes]) -> IO[bytes]:
    if isinstance(source, bytes):
        return BytesIO(source)
    if isinstance(source, PathLike):
        return Path(source).open("rb")
    if hasattr(source, "encoding"):
        raise TypeError("a file that is sent must be open in binary mode, as open(path, 'rb') opens it")
    if not source.seekable():
        raise TypeError("a file that is sent must be one that can be rewound for another try: give its bytes instead")
    return source
