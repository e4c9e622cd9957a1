"""What the biology does: pure functions over PyTrees, one phenomenon a file; ``patient`` is the one place where they meet."""
