"""Other stacks serving the bench contract, each written and started as its own documentation advises."""
