"""Rules on the bundle: is this an OpenAPI 3.1 document whose every field has a meaning? `check(bundle)`."""
