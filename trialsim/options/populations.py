"""Who is asked in under each option, and what they are given: the study of an option, and its first eligible patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.cohort.selection import RAREST
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    from trialsim.schema.analysis.options import WhatSettings, WhoSettings
    from trialsim.schema.study import StudyConfig

CANDIDATES = 1024  # sampled at a time when patients are sought
APART = 1_000_000  # patient_ids from the first candidate of one world to that of the next


class Found(NamedTuple):
    """Eligible patients of one world. Attributes: ids: (patients,). screened: how many were looked at for them and for those that
    were found beyond. eligible: how many of these are eligible."""

    ids: np.ndarray
    screened: int
    eligible: int


def of_population(config: StudyConfig, who: WhoSettings) -> StudyConfig:
    """The study in one population, before anybody is selected."""
    return config.model_copy(update={"cohort": who.population(config.cohort)})


def given(config: StudyConfig, what: WhatSettings) -> StudyConfig:
    """The study under one treatment."""
    changes = {key: getattr(what, key) for key in ("dose", "unit", "schedule") if getattr(what, key) is not None}
    names = config.partner if what.partners is None else [name for name in config.partner if name in what.partners]
    partner = {name: config.partner[name] for name in names}
    return config.model_copy(update={"regimen": config.regimen.model_copy(update=changes), "partner": partner})


def fits(cohort: pd.DataFrame, who: WhoSettings) -> np.ndarray:
    """Whether each patient is asked in, (patients,)."""
    found = np.ones(len(cohort), bool)
    for gene, altered in who.selection.items():
        found &= cohort[gene].to_numpy(bool) == altered
    if who.ages_y is not None:
        age = cohort["age_y"].to_numpy(float)
        found &= (age >= who.ages_y[0]) & (age < who.ages_y[1])
    return found


def eligible(config: StudyConfig, who: Mapping[str, WhoSettings], count: int, world: int) -> dict[str, Found]:
    """The first ``count`` eligible patients of populations that are selected from the same cohort, in one world. Patients of two
    populations are the same persons where both may ask them in.

    Raises:
        ConfigError: hardly anybody is eligible.
    """
    ids: dict[str, list[np.ndarray]] = {name: [] for name in who}
    screened, start = dict.fromkeys(who, 0), world * APART
    while missing := [name for name in who if sum(map(len, ids[name])) < count]:
        if start - world * APART >= RAREST * count:
            asked = who[missing[0]].model_dump(include={"selection", "ages_y"})
            allowed = f"what at least 1 in {RAREST} patients of its population has"
            raise ConfigError(f"analysis.who.{missing[0]}", asked, allowed)
        candidates = np.arange(start, start + CANDIDATES)
        cohort = sample_cohort(config.cohort, config.tumour, config.seed, candidates)
        for name in missing:
            ids[name].append(candidates[fits(cohort, who[name])])
            screened[name] += CANDIDATES
        start += CANDIDATES
    every = {name: np.concatenate(found) for name, found in ids.items()}
    return {name: Found(found[:count], screened[name], len(found)) for name, found in every.items()}
