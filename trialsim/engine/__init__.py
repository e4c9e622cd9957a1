"""How it is computed. Knows nothing of biology."""
