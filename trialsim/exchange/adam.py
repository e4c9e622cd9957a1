"""Analysis datasets of a simulated trial, structured and named as in CDISC's ADaM (Implementation Guide 1.3; OCCDS and TTE models).

Variables and their origin: data/adam.csv. There are no dates, as a virtual trial has no calendar: days count from the first dose,
which is day 1; the day before is day -1. Subjects whose course could not be integrated are in ADSL only, with INTGFL = N.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.exchange.metadata import dictionary, variables
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    from trialsim.artefacts import SavedRun

REASONS = {
    "progression": "PROGRESSIVE DISEASE", "toxicity": "ADVERSE EVENT", "death": "DEATH", "withdrawal": "WITHDRAWAL BY SUBJECT",
}  # fmt: skip
ACTIONS = {"none": "DOSE NOT CHANGED", "hold": "DRUG INTERRUPTED", "reduce": "DOSE REDUCED", "stop": "DRUG WITHDRAWN"}
RESPONSES = {"CR": 1, "PR": 2, "SD": 3, "PD": 4, "NE": 5}
PK_DAY = 16  # study day of the dosing interval that the patients table describes


def dataset(run: SavedRun, name: str) -> pd.DataFrame:
    """One dataset of a run.

    Args:
        name: one of `DATASETS`.

    Raises:
        ConfigError: no such dataset, or the run is no trial.
    """
    if name not in DATASETS:
        raise ConfigError("dataset", name, f"one of {', '.join(DATASETS)}")
    kind = run.summary.get("kind", "trial")
    if kind != "trial":
        raise ConfigError("run", str(run.path), f"the folder of a trial; analysis.kind of this run is {kind}")
    made = DATASETS[name](run, run.patients)
    subjects = _subjects(run)
    merged = made.merge(subjects, on="patient_id", how="left", validate="many_to_one", sort=False)
    return merged[[variable.name for variable in variables(name)]]


def _subjects(run: SavedRun) -> pd.DataFrame:
    """patient_id with STUDYID and USUBJID."""
    patients, study = run.patients, str(run.config["study"]["name"]).upper()
    numbers = zip(patients["replicate"], patients["patient_id"], strict=True)
    subject = [f"{study}-{replicate:04d}-{number:08d}" for replicate, number in numbers]
    return pd.DataFrame({"patient_id": patients["patient_id"], "STUDYID": study, "USUBJID": subject})


def _usable(patients: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table whose patients were integrated."""
    return table[table["patient_id"].isin(patients.loc[patients["integration_ok"], "patient_id"])].reset_index(drop=True)


def study_day(day: pd.Series) -> pd.Series:
    """CDISC's study day: the first dose is on day 1, and no day is 0. ``day``: 0 is the first dose."""
    return day + (day >= 0)


def flag(values: pd.Series) -> np.ndarray:
    return np.where(values.astype(bool), "Y", "N")


def only_yes(values: pd.Series) -> np.ndarray:
    return np.where(values.astype(bool), "Y", "")


def adsl(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Subject level: one row a subject."""
    p, regimen = patients, run.config["regimen"]
    schedule = str(regimen["schedule"]).replace("_", " ").upper()
    beside = "".join(f" + {name.upper()}" for name in run.config.get("partner") or {})
    drug, unit = str(run.config["drug"]["name"]).upper(), regimen["unit"]
    treatment = [f"{drug} {level:g} {unit} {schedule}{beside}" for level in p["dose_level"]]
    ongoing = p["off_treatment_reason"] == "ongoing"
    return pd.DataFrame(
        {
            "patient_id": p["patient_id"], "SUBJID": p["patient_id"].astype(str), "REPLIC": p["replicate"],
            "AGE": np.floor(p["age_y"]), "AGEU": "YEARS", "SEX": p["sex"], "TRT01P": treatment, "TRT01A": treatment,
            "DOSELVL": p["dose_level"], "DOSELVLU": regimen["unit"], "STDOSE": p["start_dose_mg"], "ITTFL": "Y",
            "SAFFL": flag(p["days_on_treatment"] > 0), "DLTEVLFL": flag(p["dlt_evaluable"]), "INTGFL": flag(p["integration_ok"]),
            "ENRLDY": p["enrolment_day"], "TRTDURD": p["days_on_treatment"],
            "EOTSTT": np.where(ongoing, "ONGOING", "DISCONTINUED"), "DCTREAS": _reason(p["off_treatment_reason"]),
            "DTHFL": only_yes(p["os_event"]), "DTHDY": study_day(p["os_days"]).where(p["os_event"].astype(bool)),
            "FUPDUR": p["follow_up_days"], "HEIGHTBL": p["height_cm"], "WEIGHTBL": p["weight_kg"], "BSABL": p["bsa_m2"],
            "HCTBL": p["haematocrit"], "ECOGBL": p["ecog"], "HEPATBL": p["hepatic_function"].str.upper(), "LINE": p["line"],
            "TUMTYPE": p["tumour_type"], "SUMDIABL": p["sld_baseline_mm"], "PIK3CAFL": flag(p["pik3ca"]),
            "PTENLFL": flag(p["pten_loss"]), "AKT1FL": flag(p["akt1"]), "TSCFL": flag(p["tsc"]), "KRASFL": flag(p["kras"]),
            "MTORFL": flag(p["mtor"]), "NHOLD": p["n_holds"], "NREDUC": p["n_reductions"], "RDI": p["relative_dose_intensity"],
            "DLTFL": flag(p["dlt"]),
        }
    )  # fmt: skip


def _reason(values: pd.Series) -> pd.Series:
    """Reason of discontinuation in CDISC's terms, empty while treatment goes on."""
    return values.map(REASONS | {"ongoing": ""}).fillna("OTHER")


def _scan_number(visit: pd.Series) -> pd.Series:
    """-1 screening, 0 baseline, then the number of the scan."""
    return visit.str.removeprefix("scan_").replace({"screening": "-1", "baseline": "0"}).astype(int)


def _visit(visit: pd.Series) -> pd.Series:
    return visit.str.replace("_", " ").str.upper()


def adrs(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Response: at every scan on treatment, and once a subject for the whole course."""
    visits = _usable(patients, run.visits)
    visits = visits[visits["response"] != ""]
    parts = [
        pd.DataFrame(
            {
                "patient_id": visits["patient_id"], "PARAMCD": "OVRLRESP", "AVISIT": _visit(visits["visit"]),
                "AVISITN": _scan_number(visits["visit"]), "ADY": study_day(visits["day"]), "AVALC": visits["response"],
            }
        )
    ]  # fmt: skip
    p = _usable(patients, patients)
    whole: dict[str, Any] = {
        "BOR": p["best_response_unconfirmed"], "CBOR": p["best_response"], "RSP": flag(p["responder"]),
        "DCR": flag(p["disease_control"]), "CBEN": flag(p["clinical_benefit"]),
    }  # fmt: skip
    for code, value in whole.items():
        parts.append(
            pd.DataFrame(
                {"patient_id": p["patient_id"], "PARAMCD": code, "AVISIT": "", "AVISITN": np.nan, "ADY": np.nan, "AVALC": value}
            )
        )
    found = pd.concat(parts, ignore_index=True)
    value = found["AVALC"].map(RESPONSES | {"Y": 1, "N": 0}).astype(float)
    return _ordered(found.assign(AVAL=value, ANL01FL="Y", PARAM=_parameter("ADRS", found["PARAMCD"])), "ADRS")


def adtr(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Tumour size at every scan, those before treatment included."""
    visits = _usable(patients, run.visits)
    parts = []
    for code, column in (("SUMDIAM", "sld_mm"), ("VOLUME", "target_volume_ml")):
        value = visits[column].astype(float)
        baseline = visits["visit"] == "baseline"
        base = visits["patient_id"].map(pd.Series(value[baseline].to_numpy(), visits.loc[baseline, "patient_id"]))
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": visits["patient_id"], "PARAMCD": code, "AVISIT": _visit(visits["visit"]),
                    "AVISITN": _scan_number(visits["visit"]), "ADY": study_day(visits["day"]), "AVAL": value, "BASE": base,
                    "CHG": value - base, "PCHG": 100.0 * (value - base) / base,
                    "NADIR": visits["sld_nadir_mm"] if code == "SUMDIAM" else np.nan, "ABLFL": only_yes(baseline),
                    "NEWLFL": flag(visits["new_lesion"]), "NTPDFL": flag(visits["nontarget_progression"]),
                    "ONTRTFL": only_yes(visits["on_treatment"]),
                }
            )
        )  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    return _ordered(found.assign(PARAM=_parameter("ADTR", found["PARAMCD"])), "ADTR")


def adtte(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Times to events: progression or death, death, end of treatment."""
    p = _usable(patients, patients)
    died = p["progression_after_days"] == p["progression_by_days"]
    stopped = p["off_treatment_reason"] != "ongoing"
    parts = []
    for code, days, event, what, otherwise in (
        ("PFS", p["pfs_days"], p["pfs_event"], np.where(died, "DEATH", "PROGRESSIVE DISEASE"), "LAST TUMOUR ASSESSMENT"),
        ("OS", p["os_days"], p["os_event"], "DEATH", "LAST DATE KNOWN ALIVE"),
        ("TTD", p["days_on_treatment"], stopped, _reason(p["off_treatment_reason"]), "TREATMENT ONGOING"),
    ):
        seen, pfs = event.astype(bool), code == "PFS"
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": p["patient_id"], "PARAMCD": code, "AVAL": days.astype(float), "AVALU": "DAYS", "STARTDY": 1,
                    "ADY": days + 1, "CNSR": (~seen).astype(int), "EVNTDESC": np.where(seen, what, otherwise),
                    "AVALLOW": p["progression_after_days"] if pfs else np.nan,
                    "AVALHIGH": p["progression_by_days"].replace(np.inf, np.nan) if pfs else np.nan,
                }
            )
        )  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    return _ordered(found.assign(PARAM=_parameter("ADTTE", found["PARAMCD"])), "ADTTE")


def adae(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Adverse events: one row an episode."""
    e = _usable(patients, run.adverse_events).sort_values(["patient_id", "start_day", "term"], kind="stable").reset_index(drop=True)
    known = dictionary()
    unknown = sorted(set(e["term"]) - set(known))
    if unknown:
        raise ConfigError("term", unknown[0], f"an adverse event of the dictionary: {', '.join(known)}")
    coded = {term: known[term] for term in e["term"].unique()}
    return pd.DataFrame(
        {
            "patient_id": e["patient_id"], "AESEQ": e.groupby("patient_id").cumcount() + 1,
            "AETERM": e["term"].str.replace("_", " ").str.upper(), "AEDECOD": e["term"].map(lambda term: coded[term][0]),
            "AEBODSYS": e["term"].map(lambda term: coded[term][1]), "AETOXGR": e["grade"].astype(str), "ATOXGRN": e["grade"],
            "ASTDY": study_day(e["start_day"]), "AENDY": study_day(e["end_day"]).where(e["end_day"].notna()),
            "AENRF": np.where(e["end_day"].isna(), "ONGOING", ""), "TRTEMFL": "Y", "AEACN": e["action"].map(ACTIONS),
            "DLTFL": flag(e["dlt"]),
        }
    )  # fmt: skip


def adpc(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Concentrations at the end of each week, of the rapalog (whole blood) and of each partner drug (plasma)."""
    pd_ = _usable(patients, run.pharmacodynamics)
    drug = str(run.config["drug"]["name"])
    parts = []
    for name, suffix, matrix in ((drug, "", "Whole Blood"), *((n, f"_{n}", "Plasma") for n in run.config.get("partner") or {})):
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": pd_["patient_id"], "PARAMCD": name.upper()[:8], "PARAM": f"{name.capitalize()} {matrix} (ng/mL)",
                    "ADY": study_day(pd_["day"]), "ATPT": "END OF DAY", "DOSEA": pd_[f"dose_mg{suffix}"].astype(float),
                    "AVAL": pd_[f"cmin_ng_ml{suffix}"].astype(float), "AVALU": "ng/mL", "ONTRTFL": only_yes(pd_["on_treatment"]),
                }
            )
        )  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    return found.sort_values(["patient_id", "PARAMCD", "ADY"], kind="stable", ignore_index=True)


def adpp(run: SavedRun, patients: pd.DataFrame) -> pd.DataFrame:
    """Exposure over the dosing interval from day 16 on; subjects at full dose only."""
    p = _usable(patients, patients)
    columns = {"CTROUGH": ("cmin_ng_ml", "ng/mL"), "CMAX": ("cmax_ng_ml", "ng/mL"), "AUC24": ("auc24_ng_h_ml", "h*ng/mL")}
    parts = [
        pd.DataFrame(
            {"patient_id": p["patient_id"], "PARAMCD": code, "ADY": PK_DAY, "AVAL": p[column].astype(float), "AVALU": unit}
        )
        for code, (column, unit) in columns.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    found = found[found["AVAL"].notna()].reset_index(drop=True)
    return _ordered(found.assign(PARAM=_parameter("ADPP", found["PARAMCD"])), "ADPP")


def _parameter(name: str, codes: pd.Series) -> pd.Series:
    """PARAM for each PARAMCD: both are listed in the same order in the metadata."""
    terms = {variable.name: variable.terms for variable in variables(name)}
    return codes.map(dict(zip(terms["PARAMCD"], terms["PARAM"], strict=True)))


def _ordered(found: pd.DataFrame, name: str) -> pd.DataFrame:
    """Subject by subject, parameters in the order of the metadata, then by day."""
    codes = next(variable.terms for variable in variables(name) if variable.name == "PARAMCD")
    rank = found["PARAMCD"].map({code: place for place, code in enumerate(codes)})
    by = ["patient_id", "_rank", "ADY"]
    return found.assign(_rank=rank).sort_values(by, kind="stable", ignore_index=True).drop(columns="_rank")


DATASETS: dict[str, Callable[[SavedRun, pd.DataFrame], pd.DataFrame]] = {
    "ADSL": adsl, "ADRS": adrs, "ADTR": adtr, "ADTTE": adtte, "ADAE": adae, "ADPC": adpc, "ADPP": adpp,
}  # fmt: skip
