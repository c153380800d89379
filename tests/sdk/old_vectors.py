"""Runs today's vectors on whichever accord_client is installed, and prints what was wrong as JSON."""

from __future__ import annotations

import json

import accord_client

from tests.sdk.driving import KINDS
from tests.sdk.test_vectors import VECTORS, failures


def main() -> None:
    """Run the answers, refusals and retries of every operation that the client has."""
    client = accord_client.Client("http://127.0.0.1:1")
    known, later = [], set()
    for vector in VECTORS:
        resource, _, method = vector["call"].partition(".")
        if not hasattr(getattr(client, resource, None), method):
            later.add(vector["operation"])
        elif vector["kind"] in {"response", "policy"}:
            known.append(vector)
    wrong = [row for kind in KINDS for row in failures(accord_client, kind, known)]
    operations = sorted({vector["operation"] for vector in known})
    print(json.dumps({"run": len(known), "operations": operations, "later": sorted(later), "wrong": wrong}))


if __name__ == "__main__":
    main()
