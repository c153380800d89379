"""Write the tables that follow from code: settings in the README, error codes in docs/errors.md. Run: make documents."""

from __future__ import annotations

import re

from core.kernel.settings import SETTINGS
from tests.structure.test_documented import problem_classes
from tests.structure.tree import ROOT

_SETTINGS_HEAD = "| Variable | Default | Unit | Meaning |\n|---|---|---|---|\n"
_ERRORS_HEAD = """# Error codes

Every refusal carries one of these codes; a surface may publish it under a name of its own (`x-error-styles` in
`spec/openapi.yaml`). Written by `make documents`.

| Code | Status | Meaning |
|---|---|---|
"""


def main() -> None:
    """Rewrite both tables in place."""
    readme = ROOT / "README.md"
    table = _SETTINGS_HEAD + "".join(_setting_row(row) for row in SETTINGS)
    readme.write_text(re.sub(r"\| Variable \| Default[^\n]*\n(?:\|[^\n]*\n)*", lambda _: table, readme.read_text()))
    kinds = sorted({(kind.code, kind.status, kind.title) for kind in problem_classes()})
    rows = "".join(f"| `{code}` | {status} | {title} |\n" for code, status, title in kinds)
    (ROOT / "docs/errors.md").write_text(_ERRORS_HEAD + rows)


def _setting_row(row: object) -> str:
    cells = [f"`{row.variable}`", f"`{row.default}`" if row.default else "", row.unit, row.help]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    main()
