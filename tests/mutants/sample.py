"""A bounded choice of mutants that leaves no group out."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from tests.mutants.mutant import Mutant


def draw(mutants: Sequence[Mutant], *, size: int, seed: int) -> list[Mutant]:
    """Return about `size` of them, in their order: of every group its share, rounded up, and at least two."""
    source = random.Random(seed)
    groups: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault(mutant.group, []).append(mutant)
    chosen = set()
    for group in groups.values():
        count = max(2, math.ceil(len(group) * size / len(mutants)))
        chosen |= {mutant.name for mutant in source.sample(group, min(count, len(group)))}
    return [mutant for mutant in mutants if mutant.name in chosen]
