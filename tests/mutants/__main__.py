"""`python -m tests.mutants [word …]`: seed the faults whose files or names hold one of the words, all without any."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.mutants.campaign import ROOT, Outcome, run
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant

CAUGHT_MIN = 0.95


def main() -> int:
    """Run the campaign and return the exit status."""
    parser = argparse.ArgumentParser(prog="mutants")
    parser.add_argument("words", nargs="*", help="parts of files and names; none: every mutant")
    parser.add_argument("--list", action="store_true", help="list them and run nothing")
    options = parser.parse_args()
    chosen = [
        row for row in MUTANTS if not options.words or any(word in f"{row.file} {row.name}" for word in options.words)
    ]
    if options.list:
        print("\n".join(f"{_place(mutant)}  {mutant.name}" for mutant in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="accord-mutants-") as folder:
        outcomes = [_printed(outcome) for outcome in run(chosen, folder=Path(folder))]
    return _report(outcomes)


def _printed(outcome: Outcome) -> Outcome:
    print(f"{outcome.verdict:8} {outcome.seconds:5.1f} s  {outcome.mutant.name}  [{outcome.detail}]", flush=True)
    return outcome


def _report(outcomes: list[Outcome]) -> int:
    counts = Counter(outcome.verdict for outcome in outcomes)
    caught = counts["caught"] + counts["hung"]
    share = caught / len(outcomes) if outcomes else 0.0
    print(f"\n{caught} of {len(outcomes)} mutants caught ({share:.1%}; at least {CAUGHT_MIN:.0%} must be)")
    for verdict in ("hung", "survived", "broken"):
        for outcome in outcomes:
            if outcome.verdict == verdict:
                print(f"{verdict}: {_place(outcome.mutant)}  {outcome.mutant.name}")
    return 0 if share >= CAUGHT_MIN and not counts["broken"] else 1


def _place(mutant: Mutant) -> str:
    return f"{mutant.file}:{mutant.line(ROOT)}"


if __name__ == "__main__":
    raise SystemExit(main())
