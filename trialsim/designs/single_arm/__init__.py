"""Is a drug worth a larger trial? One arm and a yes-or-no endpoint: exact designs and their conduct."""
