"""The TypeScript client: sources generated from a contract, beside the run time in `runtime/`."""
