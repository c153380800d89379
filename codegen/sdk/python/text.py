"""Words of a contract as Python source that they cannot break out of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

HEADER = "# Generated from the contract by `accord sdk`. Do not edit."
_WIDTH = 110
# A line of Markdown that begins something of its own, and so is never joined to the one before it.
_STARTS = re.compile(r"\s|$|[#|>]|[-*+] |\d+[.)] |```")


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
        for line in _unbroken(_safe(text)):
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


def _unbroken(text: str) -> list[str]:
    lines: list[str] = []
    is_code = can_go_on = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        is_prose = not is_code and not _STARTS.match(line)
        if is_prose and can_go_on:
            lines[-1] = f"{lines[-1].rstrip()} {line}"
        else:
            lines.append(line)
        can_go_on = is_prose
    return lines


def _safe(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return f"{text}." if text.endswith('"') else text
