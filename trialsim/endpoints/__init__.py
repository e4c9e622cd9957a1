"""What a trial measures: arrays in, arrays out, so the same functions serve simulated and published data.

recist            target lesions to visit response to best overall response (RECIST 1.1)
measurement       what a reader writes down for a lesion of known size
survival          progression-free and overall survival, Kaplan-Meier, median, landmark, restricted mean
interval_censored progression known to lie between two scans: Turnbull's estimate, Weibull fit, delay of detection
proportions       exact intervals of response rates and of event rates
growth_ratio      tumour growth before treatment against growth on treatment (CPCT-03)
toxicity          CTCAE episodes, worst grades, dose-limiting toxicity, dose intensity
pharmacodynamics  fold of own baseline, share of patients above a threshold, trough and area under the curve
"""
