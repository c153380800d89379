"""Fill the SQL peer's database, and print the ids of the messages that can be replied to."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

from tests.bench.peers.fastapi_sql import fill

if __name__ == "__main__":
    roots = asyncio.run(fill(uuid.UUID(sys.argv[1]), int(sys.argv[2])))
    print(json.dumps([str(root) for root in roots]))
