"""Why the model misses a fact, one sentence each. A test sees to it that every miss is here and that nothing else is."""

MISSES: dict[str, str] = {}
