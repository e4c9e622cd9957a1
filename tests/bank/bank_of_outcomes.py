"""A bank whose truth is known: exponential times, a marker, tumour types that differ in prognosis."""

from functools import cache

import numpy as np
import pandas as pd

from trialsim import compose
from trialsim.bank.population import population_of

MONTH = 30.4375
TYPES = np.array(["colorectal", "rcc_clear_cell"])


@cache
def shipped():
    return compose("compare_designs")


def settings(**changed):
    """Question of a comparison, as shipped but for some values."""
    asked = shipped().analysis.benefit
    return asked.model_copy(update=changed)


def endpoint():
    return shipped().endpoint


def tables(n, seed=1, hr_positive=0.5, hr_negative=1.0, median_months=4.0, prevalence=0.4):
    """Outcomes under drug and control, and the true marker; a patient has the same luck under both."""
    rng = np.random.default_rng(seed)
    kind, marker = rng.integers(0, 2, n), rng.random(n) < prevalence
    luck = rng.exponential(median_months * MONTH / np.log(2.0), n) * np.where(kind == 1, 1.5, 1.0)
    found = {}
    for name in ("drug", "control"):
        hr = np.where(marker, hr_positive, hr_negative) if name == "drug" else np.ones(n)
        days = luck / hr
        found[name] = pd.DataFrame(
            {
                "patient_id": np.arange(n), "tumour_type": TYPES[kind], "pfs_days": np.minimum(days, 730.0),
                "pfs_event": days <= 730.0,
                "best_response": "SD", "best_response_unconfirmed": "SD", "response_day": np.inf,
                "os_days": np.minimum(2 * days, 730.0), "os_event": 2 * days <= 730.0, "integration_ok": True,
            }
        )  # fmt: skip
    return found, marker.astype(float)


def population(n=8000, changed=None, **truth):
    outcomes, marker = tables(n, **truth)
    return population_of(outcomes, marker, settings(**(changed or {})), endpoint())
