"""The typical adult, without deviations of his own, and his concentrations under a regimen."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import yaml

from trialsim.mechanism.individual_pk import kinetics_of, pharmacokinetics
from trialsim.mechanism.pharmacokinetics import whole_blood
from trialsim.schema.drug import DrugSettings

CONF = Path(__file__).parents[2] / "conf" / "drug"
DRUGS = tuple(sorted(path.stem for path in CONF.glob("*.yaml")))
HOURS = np.linspace(0.0, 24.0, 241)


@lru_cache
def shipped(name: str) -> DrugSettings:
    return DrugSettings(**yaml.safe_load((CONF / f"{name}.yaml").read_text()))


def _alike(section):
    """Settings without variability between subjects."""
    fixed = {name: 0.0 for name in type(section).model_fields if name.startswith("iiv_")}
    if hasattr(section, "metabolite"):
        fixed["metabolite"] = _alike(section.metabolite)
    return section.model_copy(update=fixed)


def adult(drug, hct=0.38, dose=0.0, kind=jnp.float32, **changes):
    """Parameters of one man of 60 years and 57.2 kg fat-free mass."""
    covariates = dict(
        age_y=[60.0], ffm_kg=[57.2], bsa_m2=[1.85], haematocrit=[hct], hepatic_function=["normal"], cyp3a4_comedication=["none"],
        abcb1_ttt=[False],
    )  # fmt: skip
    p = pharmacokinetics(covariates | changes, drug.model_copy(update={"pk": _alike(drug.pk)}), 1, np.zeros(1, int), dose)
    return type(p)(*(kind(np.asarray(leaf)[0]) for leaf in p))._replace(F=kind(min(np.asarray(p.F)[0], 1.0)))


class Course(NamedTuple):
    """Attributes: hours. blood: drug and metabolite together; parent, metabolite (or None): each, all of whole blood, ng/mL.
    plasma: of the parent, ng/mL."""

    hours: np.ndarray
    blood: np.ndarray
    parent: np.ndarray
    metabolite: np.ndarray | None
    plasma: np.ndarray


@lru_cache
def _tables(kinetics):
    """p -> weights of each analyte over `HOURS`, and the propagator of a day; compiled once a form."""
    rows = lambda p, one: jax.vmap(lambda t: one.rows(p, t)[0])(jnp.asarray(HOURS, p.F.dtype))
    return jax.jit(lambda p: ([rows(p, one) for one in kinetics.analytes], kinetics.propagator(p, jnp.asarray(24.0, p.F.dtype))))


def course(drug, p, doses, days) -> Course:
    """Concentrations under doses (mg by day)."""
    kinetics = kinetics_of(drug)
    weights, end = jax.tree.map(np.asarray, _tables(kinetics)(p))
    amounts, seen = np.zeros(kinetics.size), []
    for day in range(days):
        amounts = amounts + np.eye(kinetics.size)[kinetics.dose_into] * float(kinetics.dose(p, doses.get(day, 0.0)))
        seen.append([weight @ amounts for weight in weights])
        amounts = end @ amounts
    plasma, *made = (np.concatenate(values) for values in zip(*seen, strict=True))
    blood = np.asarray(kinetics.whole_blood(p, (plasma, *made)))
    hours = np.concatenate([24.0 * day + HOURS for day in range(days)])
    return Course(hours, blood, np.asarray(whole_blood(p, plasma)), made[0] if made else None, plasma)


def half_life(hours, concentration, start, stop):
    """Of the straight part of the logarithm between two times."""
    part = (hours > start) & (hours < stop)
    return -np.log(2.0) / np.polyfit(hours[part], np.log(concentration[part]), 1)[0]
