"""Is the drug worth a larger trial? One arm, a yes-or-no endpoint, and a rate that would be too low: exact designs and their conduct."""
