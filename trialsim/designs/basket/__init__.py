"""Basket trials: one drug, several tumour types (baskets), a response rate in each.

hyperpriors   priors of the mean and the spread between baskets, as quadrature nodes
integrals     likelihood of one basket averaged over its own rate, given mean and spread
models        independent, pooled, Berry's hierarchical model, EXNEX; their posteriors without Monte Carlo
trial         interim looks, stopping and final decisions of many replicates at once
operating     plain Bernoulli responses, calibration of the final threshold
from_settings what the configuration says, as a call
"""
