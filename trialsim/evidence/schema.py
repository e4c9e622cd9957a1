"""What the published tables hold: every column with its kind, unit, range and meaning. `load` checks the files against it."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        name: header in the CSV file.
        kind: "text", "count" (integer >= 0), "year", "percent" (0-100), "number" (>= 0), "interval" ("low-high", perhaps
            with a level or a remark in brackets; NE = not estimable), or "label" (text or number, kept as written).
        meaning: what it says, with its unit.
        required: an empty cell is refused.
        allowed: the only values it may take, besides empty.
    """

    name: str
    kind: str
    meaning: str
    required: bool = False
    allowed: tuple[str, ...] = ()


SCHEDULES = ("daily", "alternate_day", "weekly", "five_days_a_week")
AGE_GROUPS = ("adult", "paediatric", "mixed")
DESIGNS = ("phase1", "phase2_single", "phase2_random", "phase3")
EXPOSURE_MEASURES = ("cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml")
MARKER_NAMES = ("pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss", "ps6_high")
# shares of patients, months, or ratios (with the marker over without it; drug_hr: drug over control among those with it)
MARKER_MEASURES = (
    "orr", "dcr", "dcr_ratio", "median_pfs_months", "median_pfs_months_without", "pfs_hr", "os_hr", "drug_hr", "drug_hr_without",
)  # fmt: skip
PFS_KINDS = ("local", "central", "ttp")
ROLES = ("fit", "validation")
TRUST = ("good", "low")

SOURCE = Column("source_url", "text", "where it was read; several addresses are separated by ' ; '", required=True)
HOW_SEEN = Column("how_seen", "text", "grade of the source: abstract, excerpt, full text, registry, label", required=True)

EFFICACY = (
    Column("trial_id", "text", "label of the study", required=True),
    Column("arm_id", "text", "label of the arm; unique within the study", required=True),
    Column(
        "role",
        "text",
        "fit: may inform the shipped posterior; validation: is predicted only, never fitted",
        required=True,
        allowed=ROLES,
    ),
    Column("short_citation", "text", "paper", required=True),
    Column("doi_or_pmid", "text", "identifier of the paper"),
    Column("nct", "text", "ClinicalTrials.gov number"),
    Column("year", "year", "of publication"),
    Column("drug", "text", "drug of the arm", required=True),
    Column("partner_drugs", "text", "given with it; empty = monotherapy"),
    Column("dose", "text", "as published"),
    Column("schedule", "text", "as published"),
    Column("population", "text", "who was enrolled"),
    Column("tumour_type", "text", "as published", required=True),
    Column("biomarker_selection", "text", "molecular criterion of entry"),
    Column("age_group", "text", "adult, paediatric or mixed", required=True, allowed=AGE_GROUPS),
    Column("line", "label", "line of therapy"),
    Column("design", "text", "phase and kind; empty = observational", allowed=DESIGNS),
    Column("control", "text", "comparator"),
    Column("n_enrolled", "count", "patients enrolled or treated"),
    Column("n_evaluable_response", "count", "patients in the denominator of the response rate"),
    Column("n_cr", "count", "complete responses"),
    Column("n_pr", "count", "partial responses"),
    Column("n_sd", "count", "stable disease"),
    Column("n_pd", "count", "progressive disease"),
    Column("orr_percent", "percent", "objective response rate, %"),
    Column("orr_ci", "interval", "its interval, %, 95 % unless the cell says otherwise"),
    Column("dcr_percent", "percent", "disease control rate, %"),
    Column("dcr_definition", "text", "what counts as disease control"),
    Column("clinical_benefit", "text", "count or rate, with the study's own definition"),
    Column("median_pfs_months", "number", "median time to progression or death, months"),
    Column("pfs_ci", "interval", "its interval, months"),
    Column("pfs_kind", "text", "who judged it, or ttp for time to progression", allowed=PFS_KINDS),
    Column("pfs_hr", "number", "hazard ratio against the control"),
    Column("pfs_hr_ci", "interval", "its interval"),
    Column("six_month_pfs_percent", "percent", "free of progression at six months, %"),
    Column("median_os_months", "number", "median overall survival, months"),
    Column("os_ci", "interval", "its interval, months"),
    Column("assessment_interval_weeks", "label", "weeks between scans"),
    Column("response_criteria", "text", "e.g. RECIST 1.1; empty = the source does not say"),
    Column("dlt_or_grade34_notes", "text", "toxicity in words"),
    SOURCE,
    HOW_SEEN,
    Column(
        "trust",
        "text",
        "low: a number of the row is second hand or its page is a copy, as how_seen says; good: otherwise",
        required=True,
        allowed=TRUST,
    ),
    Column("notes", "text", "remarks; what follows `memory:` is unverified and is dropped on loading"),
)

PHASE1 = (
    Column("trial_id", "text", "label of the study", required=True),
    Column("dose_level", "label", "dose, or a description of the level", required=True),
    Column("unit", "text", "of the dose", allowed=("mg", "mg/m2")),
    Column("schedule", "text", "as published"),
    Column("n_treated", "count", "patients treated at the level"),
    Column("n_evaluable_dlt", "count", "patients evaluable for DLT"),
    Column("n_dlt", "count", "patients with a dose-limiting toxicity; empty = the source gives no number"),
    Column("dlt_kinds", "text", "which, or why the number is an inference"),
    SOURCE,
    HOW_SEEN,
)

BIOMARKERS = (
    Column("trial_id", "text", "label of the study", required=True),
    Column("drug", "text", "drug or combination", required=True),
    Column("gene_or_marker", "text", "what was measured", required=True),
    Column("status", "text", "altered, wild type, or a contrast of both", required=True),
    Column("n_patients", "count", "patients with that status"),
    Column("n_response", "count", "responders among them, or of the study where n_patients is empty"),
    Column("n_benefit", "count", "patients with benefit"),
    Column("benefit_definition", "text", "what counted"),
    Column("statistic", "text", "test or effect as published"),
    Column("marker", "text", "any of these, by the project's names (see MARKER_NAMES), separated by spaces; empty = not simulated"),
    Column("measure", "text", "what the next columns hold; empty = no number", allowed=MARKER_MEASURES),
    Column("published", "number", "its value"),
    Column("published_low", "number", "lower limit; without a value a one-sided claim"),
    Column("published_high", "number", "upper limit; the same"),
    Column("n_total", "count", "patients with and without the marker"),
    Column("tumour_types", "text", "project names, separated by spaces; empty = mixed"),
    SOURCE,
    HOW_SEEN,
    Column("notes", "text", "remarks; what follows `memory:` is unverified and is dropped on loading"),
)

SURVIVAL_POINTS = (
    Column("trial_id", "text", "label of the study", required=True),
    Column("arm_id", "text", "label of the arm, as in the efficacy table", required=True),
    Column("months", "number", "time since the start of treatment, months", required=True),
    Column("survival_percent", "percent", "free of progression (or of an event) then, %", required=True),
    Column("n_at_risk", "count", "patients still followed"),
    SOURCE,
)

EXPOSURE = (
    Column("drug", "text", "rapalog", required=True),
    Column("dose_level", "number", "dose of one administration, in unit", required=True),
    Column("unit", "text", "unit of the dose", required=True, allowed=("mg", "mg/m2")),
    Column("schedule", "text", "as regimen.schedule", required=True, allowed=SCHEDULES),
    Column("age_group", "text", "patients", required=True, allowed=AGE_GROUPS),
    Column("measure", "text", "whole-blood exposure at steady state, ng/mL or ng.h/mL", required=True, allowed=EXPOSURE_MEASURES),
    Column("published", "number", "central value, unit of the measure", required=True),
    Column("published_low", "number", "lower value of the spread"),
    Column("published_high", "number", "upper value of the spread"),
    Column("statistic", "text", "what the central value and the spread are", required=True),
    SOURCE,
    Column("how_seen", "text", "grade of the source", required=True),
    Column("citation", "text", "citation, patients and remarks", required=True),
)

INTERACTIONS = (
    Column("drug", "text", "rapalog", required=True),
    Column("analyte", "text", "drug or metabolite, or the sum of both", required=True),
    Column("dose_mg", "number", "single dose of the rapalog, mg", required=True),
    Column("comedication", "text", "what was given with it", required=True, allowed=("ketoconazole", "rifampicin")),
    Column("measure", "text", "whole-blood AUC to infinity or Cmax", required=True, allowed=("auc", "cmax")),
    Column("ratio", "number", "with over without", required=True),
    Column("ratio_low", "number", "lower limit"),
    Column("ratio_high", "number", "upper limit"),
    SOURCE,
    Column("how_seen", "text", "grade of the source", required=True),
    Column("citation", "text", "citation, subjects and remarks", required=True),
)

DOSES = (
    Column("drug", "text", "rapalog", required=True),
    Column("dose", "number", "highest dose of one administration in a study of patients with cancer", required=True),
    Column("unit", "text", "of the dose", required=True, allowed=("mg", "mg/m2")),
    Column("schedule", "text", "as regimen.schedule", required=True, allowed=SCHEDULES),
    Column("age_group", "text", "patients", required=True, allowed=AGE_GROUPS),
    SOURCE,
    HOW_SEEN,
    Column("citation", "text", "paper", required=True),
    Column("notes", "text", "what became of it; what follows `memory:` is unverified and is dropped on loading"),
)

FILES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "efficacy": ("efficacy.csv", EFFICACY),
    "phase1": ("phase1.csv", PHASE1),
    "biomarkers": ("biomarker.csv", BIOMARKERS),
    "survival_points": ("pfs_curves.csv", SURVIVAL_POINTS),
    "exposure": ("exposure.csv", EXPOSURE),
    "interactions": ("interactions.csv", INTERACTIONS),
    "doses": ("doses.csv", DOSES),
}
GRADES_OF_SOURCE = ("abstract", "excerpt", "full text", "registry", "label")
