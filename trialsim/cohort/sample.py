"""Make a cohort: one row a patient, each a function of the seed and the patient's own id alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from trialsim.cohort import body, demographics, disease, genotype
from trialsim.cohort.context import Columns, Context
from trialsim.cohort.covariates_file import read_covariates
from trialsim.cohort.draws import PatientDraws
from trialsim.cohort.plausibility import LESION_COLUMNS, check_sampled
from trialsim.schema.base import ConfigError
from trialsim.schema.cohort import PopulationSettings, TumourSettings

# The order is the order of dependence: a step sees what stands before it, and whatever a file has supplied.
STEPS: tuple[tuple[str, Callable[[Context, Columns], np.ndarray]], ...] = (
    ("tumour_type", demographics.tumour_type),
    ("tumour_index", demographics.tumour_index),
    ("sex", demographics.sex),
    ("age_y", demographics.age_y),
    ("height_cm", demographics.height_cm),
    ("weight_kg", demographics.weight_kg),
    ("ecog", demographics.ecog),
    ("haematocrit", demographics.haematocrit),
    ("hepatic_function", demographics.hepatic_function),
    ("cyp3a4_comedication", demographics.cyp3a4_comedication),
    ("abcb1_ttt", demographics.abcb1_ttt),
    ("line", demographics.line),
    ("pik3ca", genotype.pik3ca),
    ("pten_mutation", genotype.pten_mutation),
    ("pten_loss", genotype.pten_loss),
    ("akt1", genotype.akt1),
    ("tsc", genotype.tsc),
    ("kras", genotype.kras),
    ("mtor", genotype.mtor),
    ("pathway_dependence", disease.pathway_dependence),
    ("sld_baseline_mm", disease.sld_baseline_mm),
    ("n_target_lesions", disease.n_target_lesions),
    ("lesion_mm", disease.lesion_mm),
    ("nontarget", disease.nontarget),
    ("growth_rate_per_day", disease.growth_rate_per_day),
    ("resistant_fraction", disease.resistant_fraction),
    ("new_lesion_rate_per_day", disease.new_lesion_rate_per_day),
    ("death_rate_per_day", disease.death_rate_per_day),
)

COHORT_COLUMNS = (
    "patient_id", "age_y", "sex", "weight_kg", "height_cm", "bsa_m2", "ffm_kg", "haematocrit", "hepatic_function",
    "cyp3a4_comedication", "abcb1_ttt", "line", "ecog", "tumour_type", "pik3ca", "pten_mutation", "pten_loss", "akt1",
    "tsc", "kras", "mtor", "pathway_dependence", "n_target_lesions", *LESION_COLUMNS, "sld_baseline_mm", "nontarget",
    "growth_rate_per_day", "resistant_fraction", "new_lesion_rate_per_day", "death_rate_per_day",
)  # fmt: skip


def check_mix(population: PopulationSettings, tumours: Mapping[str, TumourSettings]) -> None:
    """Every tumour type of the mix must be described.

    Raises:
        ConfigError: names the unknown tumour types and the known ones.
    """
    unknown = sorted(set(population.mix) - set(tumours))
    if unknown:
        raise ConfigError(
            "cohort.mix", ", ".join(unknown), f"tumour types described under `tumour`: {_listed(tumours)}"
        )


def _listed(tumours: Mapping[str, TumourSettings]) -> str:
    return ", ".join(sorted(tumours))


def sample_cohort(
    population: PopulationSettings,
    tumours: dict[str, TumourSettings],
    seed: int,
    ids: np.ndarray | None = None,
) -> pd.DataFrame:
    """Virtual patients, or the patients of ``population.covariates_file`` completed by sampling what it lacks.

    Patient 17 is the same whatever the size of the cohort, the order of ``ids`` and the chunking.

    Args:
        population: the ``cohort`` section of the configuration.
        tumours: the ``tumour`` section, by tumour type.
        seed: study seed.
        ids: patient_id, int, shape (patients,); default 0 to ``population.size`` - 1. With a covariates file, patient i
            is row i of the file.

    Returns:
        One row a patient, with the columns COHORT_COLUMNS: patient_id; age_y (years); sex (F, M); weight_kg; height_cm;
        bsa_m2; ffm_kg (fat-free mass); haematocrit (fraction); hepatic_function (normal, child_pugh_a, child_pugh_b,
        child_pugh_c); cyp3a4_comedication (none, inhibitor, inducer); abcb1_ttt; line (prior lines + 1); ecog (0-3);
        tumour_type; pik3ca, pten_mutation, pten_loss, akt1, tsc, kras, mtor (bool); pathway_dependence (0-1);
        n_target_lesions (1-5); lesion_1_mm to lesion_5_mm (largest first, NaN where absent); sld_baseline_mm (their
        true sum); nontarget (bool); growth_rate_per_day (diameter, untreated); resistant_fraction (0-1);
        new_lesion_rate_per_day and death_rate_per_day (at the baseline burden).

    Raises:
        ConfigError: an undescribed tumour type, a faulty covariates file, or settings that lead to an impossible
            patient.
    """
    check_mix(population, tumours)
    ids = np.arange(population.size) if ids is None else np.asarray(ids, int)
    if len(ids) == 0 or ids.min() < 0:
        raise ConfigError("cohort.size", len(ids), "at least one patient, with ids from 0")
    columns: dict[str, np.ndarray] = {}
    if population.covariates_file is not None:
        columns.update(read_covariates(population.covariates_file, tuple(tumours), population.size, ids))
    context = Context(population, tumours, PatientDraws(seed, ids))
    for name, step in STEPS:
        if name not in columns:
            columns[name] = step(context, columns)
    check_sampled(columns, ids)
    return _table(columns, ids)


def _table(columns: dict[str, np.ndarray], ids: np.ndarray) -> pd.DataFrame:
    lesions = columns["lesion_mm"]
    derived = {
        "patient_id": ids,
        "bsa_m2": body.body_surface_area(columns["weight_kg"], columns["height_cm"]),
        "ffm_kg": body.fat_free_mass(columns["weight_kg"], columns["height_cm"], columns["age_y"], columns["sex"]),
        **{name: lesions[:, k] for k, name in enumerate(LESION_COLUMNS)},
    }
    every = columns | derived
    return pd.DataFrame({name: every[name] for name in COHORT_COLUMNS})
