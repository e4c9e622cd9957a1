"""Synthetic run folders with the columns and files of a real run, for both kinds of study. Numbers are invented."""

import json
from pathlib import Path

import arviz_base
import numpy as np
import pandas as pd
import yaml

TYPES = [
    "colorectal",
    "breast_hr",
    "pancreatic_net",
    "rcc_clear_cell",
    "soft_tissue_sarcoma",
    "<script>alert(1)</script>",
]
ENDPOINTS = ["orr", "dcr", "clinical_benefit_rate"]
TERMS = [
    "stomatitis",
    "pneumonitis",
    "hyperglycaemia",
    "thrombocytopenia",
    "anaemia",
    "fatigue",
    "alt_increase",
    "diarrhoea",
    "rash",
]
FOLLOW_UP = 730.0


def patients_table(rng, count, levels, size):
    """One row a patient. `size`: patients in one virtual study."""
    tumour = rng.choice(TYPES, count, p=[0.35, 0.2, 0.15, 0.15, 0.1, 0.05])
    response = rng.choice(["CR", "PR", "SD", "PD", "NE"], count, p=[0.005, 0.03, 0.55, 0.365, 0.05])
    change = np.select(
        [response == "CR", response == "PR", response == "SD", response == "PD"],
        [-100.0, rng.uniform(-80, -30, count), rng.normal(-4, 12, count).clip(-29, 19), rng.gamma(2.5, 18, count)],
        np.nan,
    )
    pfs = rng.exponential(np.where(response == "PD", 60, 190)).clip(10, FOLLOW_UP)
    death = pfs + rng.exponential(260, count)
    child = levels[-1] < 10 and len(levels) > 1
    level = rng.choice(levels, count)
    reason = rng.choice(
        ["progression", "toxicity", "death", "withdrawal", "ongoing"], count, p=[0.7, 0.12, 0.05, 0.05, 0.08]
    )
    lesions = rng.integers(1, 6, count)
    frame = {
        "patient_id": np.arange(count),
        "replicate": np.arange(count) // size,
        "dose_level": level.astype(float),
        "start_dose_mg": level,
        "age_y": rng.uniform(3, 20, count) if child else rng.normal(60, 10, count).clip(18.5, 85),
        "sex": rng.choice(["F", "M"], count),
        "weight_kg": rng.normal(70, 12, count),
        "height_cm": rng.normal(170, 9, count),
        "bsa_m2": rng.normal(1.8, 0.2, count),
        "ffm_kg": rng.normal(52, 9, count),
        "haematocrit": rng.normal(0.37, 0.04, count),
        "line": rng.integers(2, 5, count),
        "hepatic_function": rng.choice(["normal", "child_pugh_a"], count, p=[0.9, 0.1]),
        "ecog": rng.integers(0, 3, count),
        "cyp3a4_comedication": rng.choice(["none", "inhibitor", "inducer"], count, p=[0.9, 0.07, 0.03]),
        "abcb1_ttt": rng.random(count) < 0.4,
        "tumour_type": tumour,
        "n_target_lesions": lesions,
        "sld_baseline_mm": rng.lognormal(4.4, 0.6, count),
        **{
            gene: rng.random(count) < 0.15
            for gene in ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor")
        },
        "enrolment_day": np.sort(rng.uniform(0, 540, count)),
        "follow_up_days": np.full(count, FOLLOW_UP),
        "days_on_treatment": np.where(reason == "ongoing", FOLLOW_UP, pfs * rng.uniform(0.7, 1.0, count)),
        "off_treatment_reason": reason,
        "best_response": response,
        "best_response_unconfirmed": response,
        "best_sld_change_percent": change,
        "responder": np.isin(response, ["CR", "PR"]),
        "disease_control": np.isin(response, ["CR", "PR", "SD"]),
        "clinical_benefit": rng.random(count) < 0.35,
        "ttp_ratio": np.where(rng.random(count) < 0.7, rng.lognormal(0, 0.5, count), np.nan),
        "pfs_days": pfs,
        "pfs_event": pfs < FOLLOW_UP,
        "os_days": death.clip(max=FOLLOW_UP),
        "os_event": death < FOLLOW_UP,
        "dlt": rng.random(count) < 0.03 * level,
        "dlt_evaluable": rng.random(count) < 0.85,
        "dlt_terms": "",
        "relative_dose_intensity": rng.beta(8, 1.5, count),
        "n_holds": rng.poisson(0.5, count),
        "n_reductions": rng.poisson(0.2, count),
        "cmin_ng_ml": level * rng.lognormal(0.2, 0.6, count),
        "cmax_ng_ml": level * 6 * rng.lognormal(0, 0.4, count),
        "auc24_ng_h_ml": level * 48 * rng.lognormal(0, 0.4, count),
        **{
            f"{marker}_{tissue}_d28": rng.lognormal(mean, 0.4, count)
            for tissue in ("tumour", "pbmc")
            for marker, mean in (("ps6", -1.6), ("p4ebp1", -0.5), ("pakt", 0.2))
        },
        "integration_ok": np.full(count, True),
    }
    table = pd.DataFrame(frame)
    table["dlt"] &= table["dlt_evaluable"]
    table.loc[table["dlt"], "dlt_terms"] = rng.choice(
        ["stomatitis", "diarrhoea", "alt_increase;rash"], int(table["dlt"].sum())
    )
    for k in range(1, 6):
        table[f"lesion_{k}_mm"] = np.where(lesions >= k, table["sld_baseline_mm"] / lesions, np.nan)
    return table


def visits_table(rng, patients):
    """Scans every 8 weeks until the end of treatment, with a screening scan before it."""
    rows = []
    for row in patients.itertuples():
        rows.append((row.patient_id, "screening", -30.0, row.sld_baseline_mm * 0.95, np.nan, ""))
        rows.append((row.patient_id, "baseline", -1.0, row.sld_baseline_mm, 0.0, ""))
        best = 0.0 if np.isnan(row.best_sld_change_percent) else row.best_sld_change_percent
        for k in range(1, int(row.days_on_treatment // 56) + 1):
            change = best * (1 - np.exp(-0.9 * k)) + max(0, k - 2) * rng.uniform(0, 6)
            rows.append(
                (
                    row.patient_id,
                    f"scan_{k}",
                    56.0 * k + rng.normal(0, 3),
                    row.sld_baseline_mm * (1 + change / 100),
                    change,
                    row.best_response,
                )
            )
    table = pd.DataFrame(rows, columns=["patient_id", "visit", "day", "sld_mm", "sld_change_percent", "response"])
    return table.assign(
        sld_nadir_mm=table["sld_mm"],
        target_volume_ml=1.0,
        new_lesion=False,
        nontarget_progression=False,
        on_treatment=table["day"] > 0,
    )


def pharmacodynamics_table(rng, patients):
    """One row a patient a week."""
    weeks = [
        (row.patient_id, 7.0 * w, row.dose_level, 7.0 * w <= row.days_on_treatment)
        for row in patients.itertuples()
        for w in range(int(row.days_on_treatment // 7) + 3)
    ]
    table = pd.DataFrame(weeks, columns=["patient_id", "day", "dose_mg", "on_treatment"])
    size = len(table)
    table["cmin_ng_ml"] = table["dose_mg"] * rng.lognormal(0, 0.3, size)
    for marker, depth in (("ps6", 0.2), ("p4ebp1", 0.6), ("pakt", 1.3), ("perk", 1.1), ("autophagy", 1.6)):
        for tissue in ("tumour", "pbmc") if marker in ("ps6", "p4ebp1", "pakt") else ("tumour",):
            course = 1 + (depth - 1) * (1 - np.exp(-table["day"] / 5))
            table[f"{marker}_{tissue}"] = course * rng.lognormal(0, 0.25, size) ** (table["day"] > 0)
    return table


def adverse_events_table(rng, patients):
    rows = []
    for row in patients.itertuples():
        for term, chance in zip(TERMS, rng.permutation(np.linspace(0.05, 0.5, len(TERMS))), strict=True):
            if rng.random() < chance:
                start = rng.uniform(1, max(2, row.days_on_treatment))
                rows.append(
                    (
                        row.patient_id,
                        term,
                        int(rng.choice([1, 2, 3, 4], p=[0.5, 0.33, 0.14, 0.03])),
                        start,
                        start + 12,
                        "none",
                        False,
                    )
                )
    return pd.DataFrame(rows, columns=["patient_id", "term", "grade", "start_day", "end_day", "action", "dlt"])


def posterior(rng, shift=0.0):
    """A fit with the variables that the inference writes."""
    chains, draws, kinds = 4, 100, len(TYPES)
    z = rng.normal(size=(chains, draws, 3, kinds))
    logit = z * 0.4 + np.array([-3.3, 0.3, -0.6])[:, None] + shift
    probability = 1 / (1 + np.exp(-logit))
    n = np.tile([20, 12, 9, 9, 6, 3], 3)
    flat = probability.reshape(chains, draws, -1)
    data = {
        "posterior": {
            "mu": rng.normal(size=(chains, draws, 3)),
            "tau": rng.gamma(2, 0.3, (chains, draws, 3)),
            "beta": rng.normal(size=(chains, draws, 3, 2)),
            "z": z,
            "probability": probability,
            "cell_probability": probability,
            "cohort_probability": probability.mean(axis=-1),
        },
        "posterior_predictive": {"y": rng.binomial(n, flat)},
        "log_likelihood": {"y": rng.normal(-2, 0.1, flat.shape)},
        "observed_data": {"y": rng.binomial(n, flat[0, 0])},
        "sample_stats": {"diverging": np.zeros((chains, draws), bool)},
    }
    cell = ["endpoint", "tumour_type"]
    dims = {"probability": cell, "z": cell, "mu": ["endpoint"], "tau": ["endpoint"], "beta": ["endpoint", "covariate"]}
    dims |= {"cell_probability": ["endpoint", "cell"], "cohort_probability": ["endpoint"], "y": ["observation"]}
    labels = [f"{endpoint}: {kind}" for endpoint in ENDPOINTS for kind in TYPES]
    coords = {"endpoint": ENDPOINTS, "tumour_type": TYPES, "covariate": ["pathway_altered", "later_line"]}
    return arviz_base.from_dict(data, dims=dims, coords=coords | {"cell": TYPES, "observation": labels})


def share(mask):
    estimate = float(np.mean(mask))
    half = 1.96 * float(np.sqrt(max(estimate * (1 - estimate), 1e-4) / len(mask)))
    return {
        "estimate": estimate,
        "low": max(0.0, estimate - half),
        "high": min(1.0, estimate + half),
        "n": len(mask),
        "unit": "fraction",
        "method": "Clopper-Pearson",
    }


def summary(patients, levels, paediatric):
    def months(column):
        return {
            "estimate": float(patients[column].median() / 30.4375),
            "low": 3.1,
            "high": None if column == "os_days" else 5.2,
            "n": len(patients),
            "unit": "months",
            "method": "Kaplan-Meier, log-log interval",
        }

    endpoints = {
        "orr": share(patients["responder"]),
        "dcr": share(patients["disease_control"]),
        "clinical_benefit_rate": share(patients["clinical_benefit"]),
        "median_pfs_months": months("pfs_days"),
        "pfs_6_months": share(patients["pfs_days"] > 183),
        "median_os_months": months("os_days"),
        "os_12_months": share(patients["os_days"] > 365),
        "median_time_on_treatment_months": months("days_on_treatment"),
        "median_relative_dose_intensity": {
            "estimate": 0.86,
            "low": 0.84,
            "high": 0.88,
            "n": len(patients),
            "unit": "fraction",
            "method": "order statistics",
        },
    }
    source = "A published study & its <b>abstract</b>; https://example.org/paper"

    def compared(published, low, high, predicted, low_90, high_90, n=59):
        return {
            "published": published,
            "published_low": low,
            "published_high": high,
            "predicted": predicted,
            "low_90": low_90,
            "high_90": high_90,
            "inside_90": low_90 <= published <= high_90,
            "source": source,
            "published_definition": "as published",
            "n": n,
        }

    if paediatric:
        for level in levels:
            part = patients[(patients["dose_level"] == level) & patients["dlt_evaluable"]]
            endpoints[f"dlt_rate_{level:g}mg/m2"] = share(part["dlt"])
        comparison = {
            "orr": compared(0.0, 0.0, 0.185, 0.01, 0.0, 0.08, 18),
            "mtd": compared(5.0, None, None, 5.0, 3.0, 6.5),
            "dlt_count_6.5mg/m2": compared(3.0, None, None, 1.0, 0.0, 3.0),
            "dlt_count_5mg/m2": compared(0.0, None, None, 2.0, 1.0, 3.0),
        }
    else:
        comparison = {
            "orr": compared(1 / 59, 0.0004, 0.091, 0.03, 0.0, 0.068),
            "dcr": compared(36 / 59, 0.47, 0.735, 0.58, 0.47, 0.69),
            "clinical_benefit_rate": compared(21 / 59, 0.236, 0.491, 0.5, 0.4, 0.6),
            "median_pfs_months": compared(3.9, 3.0, 5.1, 4.2, 3.2, 5.4),
        }
    return {
        "schema_version": 1,
        "study": "synthetic",
        "title": "Synthetic study of everolimus <em>in the test folder</em>",
        "seed": 1,
        "n_patients": len(patients),
        "n_failed": 0,
        "drug": "everolimus",
        "regimen": {"dose": levels[0], "unit": "mg/m2" if paediatric else "mg", "schedule": "daily"},
        "published_trial": "FOULADI07" if paediatric else "CPCT03",
        "diagnostics": {
            "ok": True,
            "max_rhat": 1.004,
            "min_ess": 512.0,
            "divergences": 0,
            "messages": [],
            "fits": {"simulated": {"ok": True, "max_rhat": 1.003}, "published": {"ok": True, "max_rhat": 1.004}},
            "solver_check": {"ok": True, "patients": 16, "accuracy": 1e-3, "error": 7.2e-4},
        },
        "endpoints": endpoints,
        "comparison": comparison,
        "not_published": ["median_os_months", "os_12_months"],
        "recovery": {
            f"probability[{name}]": {
                "truth": 0.3 + 0.02 * i,
                "estimate": 0.32,
                "low": 0.28,
                "high": 0.37,
                "inside": i < 4,
                "level": 0.9,
            }
            for i, name in enumerate(TYPES)
        },
        "pharmacokinetics": {"auc24_ng_h_ml": {"published": 239.6, "dose_level": 5, "source": "Fouladi et al."}}
        if paediatric
        else {"cmin_ng_ml": {"published": 12.9, "published_low": 9.0, "published_high": 22.8, "source": "EVEREST"}},
        "pharmacodynamics": {"share_pakt_up": share(patients["pakt_tumour_d28"] > 1.2), "pakt_up_above_fold": 1.2},
        "toxicity": {},
        "mtd": {"studies": 20, "counts": {"2.1": 2, "3": 5, "5": 8, "6.5": 4}, "none": 1} if paediatric else None,
        "flow": {
            "screened": len(patients) + (9 if paediatric else 0),
            "enrolled": len(patients),
            "treated": len(patients),
            "evaluable_response": int((patients["best_response"] != "NE").sum()),
            "evaluable_dlt": int(patients["dlt_evaluable"].sum()),
            "failed_integration": 0,
        },
    }


def config(paediatric):
    return {
        "study": {"name": "synthetic", "title": "Synthetic study", "published": None},
        "seed": 1,
        "drug": {
            "name": "everolimus",
            "pk": {
                "CLint": 340.0,
                "fu": 0.27,
                "sources": {"CLint": "ter Heine 2018 <i>n=126</i>", "fu": "Kovarik 2001"},
            },
            "binding": {"K_FKBP12": {"value": 0.2, "unit": "nM", "source": "Banaszynski 2005"}},
        },
        "tumour": {
            name: {
                "label": words,
                "growth": {"rate_median_per_day": 0.0034, "sources": {"rate_median_per_day": "derived: growth"}},
            }
            for name, words in {
                "colorectal": "Colorectal adenocarcinoma",
                "<script>alert(1)</script>": "<script>alert(1)</script>",
            }.items()
        },
        "regimen": {"dose": 5.0 if paediatric else 10.0, "unit": "mg/m2" if paediatric else "mg", "schedule": "daily"},
        "design": {
            "kind": "three_plus_three" if paediatric else "single_arm",
        }
        | ({"dose_levels": [2.1, 3, 5, 6.5]} if paediatric else {}),
        "report": {"max_patients_drawn": 600, "max_patients_followed": 120, "max_parameters_drawn": 6},
    }


def write_run(folder, count=150, paediatric=False, seed=3):
    """A complete synthetic run folder without a report."""
    rng = np.random.default_rng(seed)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    levels = np.array([2.1, 3.0, 5.0, 6.5] if paediatric else [10.0])
    patients = patients_table(rng, count, levels, 26 if paediatric else 59)
    tables = {
        "patients": patients,
        "visits": visits_table(rng, patients),
        "pharmacodynamics": pharmacodynamics_table(rng, patients),
        "adverse_events": adverse_events_table(rng, patients),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    for name, shift in (("posterior", 0.0), ("posterior_published", 0.3)):
        posterior(rng, shift).to_netcdf(folder / f"{name}.nc", engine="h5netcdf")
    (folder / "summary.json").write_text(json.dumps(summary(patients, levels, paediatric)))
    (folder / "provenance.json").write_text(
        json.dumps({"trialsim": "0.1.0", "packages": {"jax": "0.10.2"}, "git": {"commit": "abc", "dirty": False}})
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(config(paediatric), sort_keys=False))
    return folder
