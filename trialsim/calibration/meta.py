"""The opponent: a statistical meta-analysis of the same numbers, without a model of the drug.

For arm a of study s, tumour type t, drugs d, and each of response, disease control, benefit and log median PFS (endpoint e):

    eta_ea = mu_e + type_et + rapalog_e on_a + drug_e,d on_a + sum_p partner_ep + line_e (line_a - 2) + child_e child_a
             + selected_e selected_a + study_es
    type ~ N(0, Sigma_T), partner ~ N(0, Sigma_P), study ~ N(0, Sigma_S):  correlated between endpoints (LKJ(2)), so that a type
    where disease control is common is one where PFS is long
    responders ~ Binomial(n, logit^-1 eta), ...,  log median ~ N(eta, 1/(0.5 n)^(1/2) squared + tau^2)
    log HR ~ N(mu_HR + active_HR + type_HR,t, se^2 + tau_HR^2)

Random effects as in DerSimonian & Laird (Control Clin Trials 1986;7:177), multivariate as in Riley (J R Stat Soc A 2009;172:789).
0.5 n: of the log of a median of exponential times, 1/sqrt(events), with order statistics' 1/ln 2 and three in four with events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from scipy.special import expit

from trialsim.calibration.arms import CHILDREN_BELOW_Y, Arm
from trialsim.calibration.published import Number
from trialsim.cohort.disease import LAST_LINE

ENDPOINTS = ("orr", "dcr", "clinical_benefit_rate", "median_pfs")
RAPALOGS = ("everolimus", "temsirolimus", "ridaforolimus", "sirolimus")


class Table(NamedTuple):
    """Numbers and what they depend on. ``*_of``: place of each number's arm, study, endpoint."""

    types: tuple[str, ...]
    partners: tuple[str, ...]
    studies: tuple[str, ...]
    mix: np.ndarray  # (arms, types)
    given: np.ndarray  # (arms, partners)
    drug: np.ndarray  # (arms, rapalogs)
    covariates: np.ndarray  # (arms, 3): line - 2, child, selected
    study: np.ndarray  # (arms,)
    count_arm: np.ndarray
    count_endpoint: np.ndarray
    count_events: np.ndarray
    count_n: np.ndarray
    time_arm: np.ndarray
    time_value: np.ndarray
    time_se: np.ndarray
    ratio_arm: np.ndarray
    ratio_value: np.ndarray
    ratio_se: np.ndarray
    ratio_active: np.ndarray
    ratio_partnered: np.ndarray


def table(numbers: Sequence[Number], arms: Sequence[Arm]) -> Table:
    """Of the numbers whose endpoint is of `ENDPOINTS` or a hazard ratio."""
    types = tuple(sorted({kind for arm in arms for kind, share in arm.config.cohort.mix.items() if share > 0}))
    partners = tuple(sorted({name for arm in arms for name in arm.config.partner})) or ("none",)
    studies = tuple(dict.fromkeys(arm.study for arm in arms))
    at = {arm.name: k for k, arm in enumerate(arms)}
    mix = np.array([[arm.config.cohort.mix.get(kind, 0.0) for kind in types] for arm in arms])
    given = np.array([[float(name in arm.config.partner) for name in partners] for arm in arms])
    drug = np.array([[float(arm.on_drug and arm.config.drug.name == name) for name in RAPALOGS] for arm in arms])
    child = lambda arm: float(arm.config.cohort.age.maximum_y < CHILDREN_BELOW_Y)
    covariates = np.array([[_mean_line(arm) - 2.0, child(arm), float(bool(arm.config.analysis.selection))] for arm in arms])
    study = np.array([studies.index(arm.study) for arm in arms])
    counts = [one for one in numbers if one.endpoint in ENDPOINTS[:3]]
    times = [one for one in numbers if one.endpoint == "median_pfs"]
    ratios = [one for one in numbers if one.endpoint == "pfs_hr"]
    by_name = {arm.name: arm for arm in arms}
    array = lambda values, kind=float: np.array(list(values), kind)
    return Table(
        types, partners, studies, mix, given, drug, covariates, study,
        array((at[one.arm] for one in counts), int), array((ENDPOINTS.index(one.endpoint) for one in counts), int),
        array(round(one.value * one.n) for one in counts), array(one.n for one in counts),
        array((at[one.arm] for one in times), int), array(np.log(one.value) for one in times),
        array((0.5 * one.n) ** -0.5 for one in times),
        array((at[one.arm] for one in ratios), int), array(np.log(one.value) for one in ratios), array(one.se for one in ratios),
        array(float(not set(by_name[one.other].config.partner) <= set(by_name[one.arm].config.partner)) for one in ratios),
        array(float(bool(by_name[one.arm].config.partner)) for one in ratios),
    )  # fmt: skip


def _mean_line(arm: Arm) -> float:
    shares = np.array(arm.config.cohort.clinical.line)
    return float(np.minimum(np.arange(1, 1 + len(shares)), LAST_LINE) @ shares)


def _effects(name: str, count: int, scale: float) -> Any:
    """Correlated effects, (count, endpoints)."""
    E = len(ENDPOINTS)
    sd = numpyro.sample(f"sd_{name}", dist.HalfNormal(scale).expand([E]).to_event(1))
    L = numpyro.sample(f"corr_{name}", dist.LKJCholesky(E, 2.0))
    z = numpyro.sample(f"z_{name}", dist.Normal(0.0, 1.0).expand([count, E]).to_event(2))
    return z @ (sd[:, None] * L).T


def values_of(made: Table) -> dict[str, np.ndarray]:
    """The published values: events, log medians, log hazard ratios."""
    return {"count": made.count_events, "time": made.time_value, "ratio": made.ratio_value}


def model(made: Table, values: Any = None, observed: Any = None):
    """values: as from `values_of`, the published ones if None. observed: which of them count, a mask by kind; all if None."""
    E = len(ENDPOINTS)
    values = values_of(made) if values is None else values
    sample = numpyro.sample
    mu = sample("mu", dist.Normal(jnp.array([-2.5, 0.0, -0.5, 1.1]), jnp.array([1.5, 1.0, 1.0, 0.6])).to_event(1))
    rapalog = sample("rapalog", dist.Normal(0.0, 1.0).expand([E]).to_event(1))
    kind = _effects("type", len(made.types), 1.0)
    partner = _effects("partner", len(made.partners), 1.0)
    study = _effects("study", len(made.studies), 0.5)
    drug = 0.3 * sample("drug", dist.Normal(0.0, 1.0).expand([len(RAPALOGS), E]).to_event(2))
    slope = sample("slope", dist.Normal(0.0, jnp.array([0.3, 1.0, 0.7])[:, None] * jnp.ones(E)).to_event(2))
    on = made.drug.sum(1, keepdims=True)
    eta = mu + on * rapalog + made.drug @ drug + made.mix @ kind + made.given @ partner + made.covariates @ slope
    eta = numpyro.deterministic("eta", eta + study[made.study])
    tau = sample("tau", dist.HalfNormal(0.3))
    hr = sample("hr", dist.Normal(-0.3, 0.5))
    hr_slopes = sample("hr_slopes", dist.Normal(0.0, 0.4).expand([2]).to_event(1))
    hr_sd = sample("hr_sd", dist.HalfNormal(0.3))
    hr_type = hr_sd * sample("hr_type", dist.Normal(0.0, 1.0).expand([len(made.types)]).to_event(1))
    hr_tau = sample("hr_tau", dist.HalfNormal(0.3))
    ratio = hr + hr_slopes[0] * made.ratio_active + hr_slopes[1] * made.ratio_partnered + made.mix[made.ratio_arm] @ hr_type
    ratio = numpyro.deterministic("ratio", ratio)
    mask = {k: (jnp.ones(len(v), bool) if observed is None else observed[k])
            for k, v in (("count", made.count_n), ("time", made.time_se), ("ratio", made.ratio_se))}  # fmt: skip
    logits = eta[made.count_arm, made.count_endpoint]
    count = dist.BinomialLogits(logits, total_count=made.count_n).log_prob(values["count"])
    time = dist.Normal(eta[made.time_arm, 3], jnp.sqrt(made.time_se**2 + tau**2)).log_prob(values["time"])
    log_hr = dist.Normal(ratio, jnp.sqrt(made.ratio_se**2 + hr_tau**2)).log_prob(values["ratio"])
    for name, terms in (("count", count), ("time", time), ("ratio", log_hr)):
        numpyro.factor(f"numbers_{name}", jnp.where(mask[name], terms, 0.0).sum())


def drawn(made: Table, numbers: Sequence[Number], draws: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values by number, each (draws,)."""
    found, i, j, k = {}, 0, 0, 0
    n = len(draws["tau"])
    for one in numbers:
        if one.endpoint in ENDPOINTS[:3]:
            p = expit(draws["eta"][:, made.count_arm[i], made.count_endpoint[i]])
            found[one.name] = rng.binomial(one.n, p) / one.n
            i += 1
        elif one.endpoint == "median_pfs":
            sd = np.sqrt(made.time_se[j] ** 2 + draws["tau"] ** 2)
            found[one.name] = np.exp(draws["eta"][:, made.time_arm[j], 3] + sd * rng.normal(size=n))
            j += 1
        elif one.endpoint == "pfs_hr":
            sd = np.sqrt(made.ratio_se[k] ** 2 + draws["hr_tau"] ** 2)
            found[one.name] = np.exp(draws["ratio"][:, k] + sd * rng.normal(size=n))
            k += 1
    return found
