"""The Python client: a hand-written run time, and generated resources and types around it."""
