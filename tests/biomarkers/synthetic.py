"""Twins with known effects of drug and marker: no simulation. PFS is exponential, censoring independent of it."""

import numpy as np
import pandas as pd

MEDIAN_DAYS = 90.0


def twins_of(
    n=400, seed=0, log_hr=0.0, interaction=0.0, prognostic=0.0, share=0.5, censored_after=700.0, types=("colorectal", "breast_hr")
):
    """As from ``twins.pair``: column ``marked`` is the marker; log hazard = log_hr drug + prognostic marker + interaction both."""
    rng = np.random.default_rng(seed)
    marked = rng.random(n) < share
    luck = rng.exponential(size=n)  # the same in both arms, as in the simulation
    until = rng.uniform(0.5, 1.0, n) * censored_after
    found = {
        "patient_id": np.arange(n), "tumour_type": np.array(types)[rng.integers(len(types), size=n)], "marked": marked,
        "line": rng.integers(1, 4, n), "ecog": rng.integers(0, 3, n), "ps6_tumour_basal": rng.lognormal(0, 0.3, n),
        "pakt_tumour_basal": rng.lognormal(0, 0.5, n), "baseline_sld_mm": rng.lognormal(4, 0.5, n),
        "cmin_ng_ml": rng.lognormal(2, 0.5, n), "ps6_tumour_fold": rng.lognormal(-1, 0.5, n),
        "pakt_tumour_fold": rng.lognormal(0.3, 0.3, n), "ps6_pbmc_fold": rng.lognormal(-2, 0.5, n),
        "sld_change_first_scan": rng.normal(5, 15, n),
    }  # fmt: skip
    found |= {gene: rng.random(n) < 0.2 for gene in ("akt1", "mtor", "tsc", "kras", "pten_loss")} | {"pik3ca": marked}
    for arm, drug in (("treated", 1.0), ("control", 0.0)):
        log_hazard = (log_hr + interaction * marked) * drug + prognostic * marked
        time = MEDIAN_DAYS / np.log(2) * luck / np.exp(log_hazard)
        found |= {f"pfs_days_{arm}": np.minimum(time, until), f"pfs_event_{arm}": time <= until}
        found |= {f"os_days_{arm}": np.minimum(2 * time, until), f"os_event_{arm}": 2 * time <= until}
        responds = time > 300
        found |= {f"responder_{arm}": responds, f"response_day_{arm}": np.where(responds, 56.0, np.nan)}
        found |= {f"disease_control_{arm}": time > 60, f"clinical_benefit_{arm}": time > 112}
    return pd.DataFrame(found)
