"""Makes clients of a contract: what they offer (`surface`), and how each language says it."""
