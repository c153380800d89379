"""`python -m tests.mutants [word …]`: seed a sample of the faults, or those whose files or names hold a word."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.mutants.campaign import ROOT, Campaign, Outcome
from tests.mutants.catalogue import MUTANTS
from tests.mutants.ledger import Ledger
from tests.mutants.mutant import Mutant
from tests.mutants.sample import draw

CAUGHT_MIN = 0.95
_CAUGHT = ("caught", "hung")
_LEDGER = Path("build/mutants.jsonl")


def main() -> int:
    """Run the campaign and return the exit status."""
    options = _options()
    chosen = _chosen(options)
    if options.list:
        print("\n".join(f"{_place(mutant)}  {mutant.name}" for mutant in chosen))
        return 0
    print(f"{len(chosen)} of {len(MUTANTS)} mutants; verdicts are kept in {_LEDGER}", flush=True)
    with tempfile.TemporaryDirectory(prefix="accord-mutants-") as folder:
        campaign = Campaign(Path(folder), Ledger(ROOT / _LEDGER))
        outcomes = [_printed(outcome) for outcome in campaign.run(chosen)]
    return _report(outcomes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutants")
    parser.add_argument("words", nargs="*", help="run those whose file or name holds one of these words")
    parser.add_argument("--all", action="store_true", help="run every one instead of a sample")
    parser.add_argument("--sample", type=int, default=60, help="about how many to draw over all groups")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="draw the same ones again")
    parser.add_argument("--list", action="store_true", help="list them and run nothing")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    if options.words:
        return [row for row in MUTANTS if any(word in f"{row.file} {row.name}" for word in options.words)]
    if options.all:
        return list(MUTANTS)
    print(f"seed {options.seed}")
    return draw(MUTANTS, size=options.sample, seed=options.seed)


def _printed(outcome: Outcome) -> Outcome:
    print(f"{outcome.verdict:8} {outcome.seconds:5.1f} s  {outcome.mutant.name}  [{outcome.detail}]", flush=True)
    return outcome


def _report(outcomes: list[Outcome]) -> int:
    counts: Counter[str] = Counter(outcome.verdict for outcome in outcomes)
    caught = sum(counts[verdict] for verdict in _CAUGHT)
    share = caught / len(outcomes) if outcomes else 0.0
    print(f"\n{caught} of {len(outcomes)} mutants caught ({share:.1%}; at least {CAUGHT_MIN:.0%} must be)")
    for group in dict.fromkeys(outcome.mutant.group for outcome in outcomes):
        own = [outcome.verdict in _CAUGHT for outcome in outcomes if outcome.mutant.group == group]
        print(f"  {group}: {sum(own)} of {len(own)}")
    for verdict in ("hung", "survived", "broken"):
        for outcome in outcomes:
            if outcome.verdict == verdict:
                print(f"{verdict}: {_place(outcome.mutant)}  {outcome.mutant.name}")
    return 0 if share >= CAUGHT_MIN and not counts["broken"] else 1


def _place(mutant: Mutant) -> str:
    return f"{mutant.file}:{mutant.line(ROOT)}"


if __name__ == "__main__":
    raise SystemExit(main())
