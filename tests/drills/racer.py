"""One of several processes that race for the same buckets: asks as fast as it can, and prints what was admitted per bucket.

Run: python -m tests.drills.racer SEED REQUESTS BUCKETS LIMIT ALGORITHM, with the settings of the counters in the environment.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from typing import cast

import gevent.monkey

# ruff: noqa: E402 - the standard library is patched before anything that uses it is imported
gevent.monkey.patch_all()

from core.kernel import settings as kernel_settings
from core.kernel.exchange import Algorithm
from core.limits.counters import choose
from core.limits.meters import Charge
from models import database

_STEP_US = 3_600_000_000
"""One request comes back an hour later: none during a race."""


def main() -> None:
    """Race."""
    seed, requests, buckets, limit = (int(text) for text in sys.argv[1:5])
    algorithm = cast(Algorithm, sys.argv[5])
    settings = kernel_settings.read({name: text for name, text in os.environ.items() if name.startswith("ACCORD_")})
    kernel_settings.install(settings)
    database.bind(settings)
    counters, chance = choose(settings), random.Random(seed)
    asked: Counter[int] = Counter()
    admitted: Counter[int] = Counter()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(requests):
        number = chance.randrange(buckets)
        asked[number] += 1
        charge = Charge(f"race:{algorithm}:{number}", algorithm, limit, limit * _STEP_US)
        admitted[number] += counters.take([charge]).is_admitted
    print(json.dumps({"asked": asked, "admitted": admitted}))


if __name__ == "__main__":
    main()
