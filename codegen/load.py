"""Loads the files of a contract on demand and resolves `$ref` between them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import NamedTuple, NoReturn
from urllib.parse import unquote, urlsplit

from codegen.findings import Finding, Location, Refused
from codegen.locate import Json, SourceFile, read_file, read_text, unescape


class Address(NamedTuple):
    """A node of the sources: the file's name and a JSON pointer into it."""

    file: str
    pointer: str


class Sources:
    """The files of one contract, parsed at most once each.

    Names are paths relative to `root` with forward slashes, the form in which findings and origins show them.
    """

    def __init__(self, root: Path, entry: str) -> None:
        self.root = root
        self.entry = entry
        self._is_closed = False
        self._files: dict[str, SourceFile] = {}

    @classmethod
    def of_text(cls, text: str, name: str = "contract.yaml") -> Sources:
        """Return sources of one document that is in no file; a `$ref` to another file is refused."""
        sources = cls(Path(), name)
        sources._is_closed = True
        sources._files[name] = read_text(text, name)
        return sources

    @property
    def names(self) -> list[str]:
        """Return the names of the files read so far, sorted."""
        return sorted(self._files)

    def fingerprint(self) -> str:
        """Return the SHA-256 over names and texts of the files read so far."""
        digest = hashlib.sha256()
        for name in self.names:
            digest.update(f"{name}\0{len(self._files[name].text)}\0{self._files[name].text}".encode())
        return digest.hexdigest()

    def digests(self) -> dict[str, str]:
        """Return name → SHA-256 of the text, for the files read so far."""
        return {name: hashlib.sha256(self._files[name].text.encode()).hexdigest() for name in self.names}

    def file(self, name: str) -> SourceFile:
        """Return a parsed file; `name` is one that was given before or found by `resolve`."""
        if name not in self._files:
            if not (self.root / name).is_file():
                raise Refused(
                    [Finding("yaml", Location(name, 1, 1), "name a contract's entry file: there is no such file")]
                )
            self._files[name] = read_file(self.root / name, name)
        return self._files[name]

    def locate(self, address: Address) -> Location:
        """Return the place of a node."""
        return self.file(address.file).locate(address.pointer)

    def get(self, address: Address) -> Json:
        """Return the data at an address that is known to exist."""
        data = self.file(address.file).data
        for token in address.pointer.split("/")[1:]:
            data = data[int(token)] if isinstance(data, list) else data[unescape(token)]
        return data

    def resolve(self, ref: str, at: Address) -> Address:
        """Return what `ref`, written in the node `at`, points to.

        Raises:
            Refused: it leaves this machine, or names a file or node that does not exist.
        """
        try:
            parts = urlsplit(ref)
        except ValueError as error:
            self._refuse(at, f"$ref {ref!r}: write a path, '#' and a JSON pointer ({error})")
        if parts.scheme or parts.netloc:
            self._refuse(at, f"copy {ref} into the contract; a $ref must not leave the machine")
        name = self._sibling(at.file, unquote(parts.path)) if parts.path else at.file
        if name not in self._files and (self._is_closed or not (self.root / name).is_file()):
            folder = (self.root / name).parent
            beside = [path.name for path in folder.iterdir()] if folder.is_dir() and not self._is_closed else []
            self._refuse(at, f"$ref {ref!r}: there is no file {name}{_nearest(PurePosixPath(name).name, beside)}")
        pointer = unquote(parts.fragment)
        if pointer and not pointer.startswith("/"):
            self._refuse(at, f"$ref {ref!r}: write a JSON pointer behind '#'; anchors are not supported")
        target = Address(name, pointer)
        if not self._exists(target):
            self._refuse(at, f"$ref {ref!r}: {name} has no {pointer or 'content'}{self._beside(target)}")
        return target

    def _beside(self, address: Address) -> str:
        """Return what may have been meant instead of a node that does not exist."""
        parent, _, token = address.pointer.rpartition("/")
        if not self._exists(Address(address.file, parent)):
            return ""
        node = self.get(Address(address.file, parent))
        return _nearest(unescape(token), node if isinstance(node, dict) else ())

    def _sibling(self, file: str, path: str) -> str:
        return os.path.normpath(os.path.join(os.path.dirname(file), path)).replace(os.sep, "/")

    def _exists(self, address: Address) -> bool:
        try:
            return self.get(address) is not None
        except (KeyError, IndexError, ValueError, TypeError):
            return False

    def _refuse(self, at: Address, message: str) -> NoReturn:
        location = self.file(at.file).locate(f"{at.pointer}/$ref")
        raise Refused([Finding("refs", location, message)])


def _nearest(name: str, others: Iterable[str]) -> str:
    found = get_close_matches(name, list(others), 1)
    return f"; is {found[0]} meant?" if found else ""
