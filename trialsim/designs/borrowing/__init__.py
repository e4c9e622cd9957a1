"""Historical data in a new trial: a prior for the control rate, what it is worth, and what a design with it decides.

mixture     mixtures of beta distributions: conjugate updates, robustification, effective sample size
map_prior   meta-analytic-predictive prior of a rate from historical counts, and its mixture
decision    one- and two-sample decisions, operating characteristics by enumeration
"""
