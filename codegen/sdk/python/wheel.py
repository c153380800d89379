"""Packs a tree of files as a wheel (PyPA binary distribution format 1.0), the same bytes for the same contract."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

_REQUIRES = ("httpx>=0.27", "msgspec>=0.19")
_MOMENT = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Distribution:
    """What a wheel is called. name: on the index; package: what is imported."""

    name: str
    package: str
    version: str
    summary: str

    @property
    def stem(self) -> str:
        """Return how its files begin."""
        return f"{self.name.replace('-', '_')}-{self.version}"

    @property
    def file_name(self) -> str:
        """Return the wheel's file name."""
        return f"{self.stem}-py3-none-any.whl"


def pack(distribution: Distribution, files: Mapping[str, str]) -> bytes:
    """Return the wheel's bytes. files: path inside the package → text."""
    info = f"{distribution.stem}.dist-info"
    contents = {f"{distribution.package}/{path}": text.encode() for path, text in sorted(files.items())}
    contents[f"{info}/METADATA"] = _metadata(distribution).encode()
    contents[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: accord\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            entry = zipfile.ZipInfo(path, _MOMENT)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return stream.getvalue()


def _metadata(distribution: Distribution) -> str:
    requires = "".join(f"Requires-Dist: {line}\n" for line in _REQUIRES)
    return (
        f"Metadata-Version: 2.1\nName: {distribution.name}\nVersion: {distribution.version}\nSummary: {distribution.summary}\n"
        f"Requires-Python: >=3.11\n{requires}"
    )


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
