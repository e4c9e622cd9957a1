"""What the uncertain constants of the model do to its outcomes, and what published data tell about them.

    priors        the uncertain parameters, their ranges, and a configuration with other values
    references    reference levels of the network, which follow from its constants
    cohort        outcomes of a virtual trial at many parameter sets, the same patients in each
    screening     Morris screening and Sobol indices (SALib)
    local         elasticities of one patient's course by automatic differentiation
    facts         laboratory facts at other parameter values, their slopes
    information   Fisher information: what the facts leave uncertain
"""
