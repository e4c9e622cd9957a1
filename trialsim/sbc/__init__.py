"""Simulation-based calibration: is every posterior of the package as certain as it claims to be, no more and no less?

ranks         one repetition: where a true value lies among posterior draws, or below which share of a posterior
judge         are the ranks of many repetitions uniform, and do the intervals cover: exact p-values, stated false alarm
sampled       repetitions of models that NUTS samples
trial_models  the response and the dose-toxicity model
hierarchies   the mechanistic hierarchy and the meta-analysis, on an emulator with made-up coefficients
designs       the models that designs decide with, in closed form or by quadrature
models        all of them, with how often each is repeated
page          docs/simulation_based_calibration.md: python -m trialsim.sbc
"""
