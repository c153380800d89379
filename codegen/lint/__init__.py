"""Rules on the resolved contract: is it a good one? `check(contract)`."""
