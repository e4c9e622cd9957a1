"""Who: virtual patients with correlated covariates, or real ones read from a file."""

from trialsim.cohort.sample import sample_cohort as sample_cohort
