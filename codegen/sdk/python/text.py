"""Words of a contract as Python source that they cannot break out of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

HEADER = "# Generated from the contract by `accord sdk`. Do not edit."
_WIDTH = 110


def literal(value: object) -> str:
    """Return a string, number, true, false or null as source."""
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
    return repr(value)


def docstring(paragraphs: Iterable[str], indent: int) -> str:
    """Return a docstring that stands `indent` spaces deep; empty when there is nothing to say."""
    pad = " " * indent
    texts = [text.strip() for text in paragraphs if text.strip()]
    if not texts:
        return ""
    lines: list[str] = []
    for number, text in enumerate(texts):
        if number:
            lines.append("")
        for line in _safe(text).splitlines():
            hang = "    " if line.startswith("    ") else ""
            lines += textwrap.wrap(
                line, _WIDTH - indent, initial_indent="", subsequent_indent=hang + hang, break_on_hyphens=False
            ) or [""]
    if len(lines) == 1:
        return f'{pad}"""{lines[0]}"""\n'
    body = "\n".join(f"{pad}{line}".rstrip() for line in lines[1:])
    return f'{pad}"""{lines[0]}\n{body}\n{pad}"""\n'


def sentence(text: str) -> str:
    """Return a description as one line that ends with a full stop."""
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."


def _safe(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return f"{text}." if text.endswith('"') else text
