"""A bank of virtual patients whose outcome under every treatment is known. Trials draw their patients from it, so thousands of
replicates cost one simulation, and every design sees the same patients with the same chances (virtual twins)."""
