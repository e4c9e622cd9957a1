"""The models of the calibration, repeated on data of their own: ten published trials, with the sizes and the numbers they publish.

No patient is simulated: the emulator of each arm is given plain coefficients, about those of the library of everolimus, so that
the inference is tested and nothing else. Medians are drawn as order statistics of the curves and rounded as papers print them, not
drawn from the likelihood's approximation of them, so that this is tested too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit

import trialsim
from trialsim.calibration import likelihood, meta, model, predictive
from trialsim.calibration.emulator import Emulator, labels
from trialsim.calibration.library import OS_MONTHS, OUTCOMES, PFS_MONTHS, Cell, cells_of
from trialsim.calibration.problem import Evidence, Problem, evidence_of
from trialsim.calibration.sampling import Sampler
from trialsim.calibration.system import shift_name, system
from trialsim.sbc.ranks import Batch, Repetition, among_draws
from trialsim.sbc.sampled import Run, SideBySide, truth_of

TRIALS = ("radiant3", "record1", "ng13", "doi10", "succeed", "evolve1", "wolpin09", "oza11", "slomovitz10", "pulido18")
SAMPLER = Sampler(chains=1, warmup=300, samples=900, depth=7)  # trees less deep than the calibration's: all wait for the deepest
WATCHED = ("mu_growth", "mu_dependence", "mu_death", "tau_growth", "tau_dependence", "low_grade_growth", "omega_growth",
           "omega_dependence", "tau_response", "tau_control", "tau_time", "tau_ratio")  # fmt: skip
BY_ENDPOINT = ("mu", "rapalog", "sd_type", "sd_study")  # of the meta-analysis
# what an outcome's logit hangs on, about as in the library of everolimus; any other parameter: 0.05
LINEAR = {"growth": -0.75, "dependence": 0.35, "death": -0.25, "new_lesions": -0.1, "line_growth": -0.1, "cell_loss": 0.2}
MIDDLE = {"orr": -2.5, "dcr": 0.3, "clinical_benefit_rate": -0.7}  # logits of the control; the drug adds ON_DRUG
ON_DRUG = 0.5
PFS_RATE, OS_RATE = 0.2, 0.08  # a month, exponential
EMULATOR_ERROR = 0.1  # of a logit


def evidence() -> Evidence:
    """Arms and numbers of `TRIALS`; of the numbers only what and how many patients they are of will matter."""
    return evidence_of([trialsim.compose_trial(name) for name in TRIALS])


def made_up(cell: Cell) -> Emulator:
    """An emulator with the coefficients above."""
    names = tuple(cell.parameters)
    middle = MIDDLE | {f"pfs_{t:g}": float(logit(np.exp(-PFS_RATE * t))) for t in PFS_MONTHS}
    middle |= {f"os_{t:g}": float(logit(np.exp(-OS_RATE * t))) for t in OS_MONTHS}
    table = np.zeros((len(labels(names)), len(OUTCOMES)))
    for k, outcome in enumerate(OUTCOMES):
        table[0, k] = middle[outcome] + (ON_DRUG if cell.arm.on_drug else 0.0)
        table[1 : 1 + len(names), k] = [LINEAR.get(name, 0.05) for name in names]
    priors = list(cell.parameters.values())
    mean, sd = np.array([prior.mean for prior in priors]), np.array([prior.sd for prior in priors])
    return Emulator(names, mean, sd, table, np.full(len(OUTCOMES), EMULATOR_ERROR))


def made_up_problem(found: Evidence) -> Problem:
    """The hierarchy's arms and numbers with made-up emulators."""
    cells = [cell for arm in found.arms for cell in cells_of(arm)]
    made = system(cells, [made_up(cell) for cell in cells])
    followed = {arm.name: np.ones(len(PFS_MONTHS)) for arm in found.arms}
    data = likelihood.data_of(found.numbers, made, {arm.name: arm.patients for arm in found.arms}, followed)
    priors = {shift_name(cell, name): prior for cell in cells for name, prior in cell.parameters.items()}
    return Problem(made, model.hierarchy(made, found.bases, found.children, found.low_grade, priors), data, found.numbers)


def published_by(problem: Problem, truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> likelihood.Data:
    """What the trials would publish if the truth were so."""
    data, one = problem.data, {name: value[None] for name, value in truth.items()}
    values = predictive.drawn(problem.system, data, problem.numbers, one, rng)
    kinds = problem.kinds
    events = np.array([round(float(values[n.name][0]) * n.n) for n in kinds["rate"]])
    ends = [printed(n.endpoint.removeprefix("median_"), float(values[n.name][0])) for n in kinds["time"]]
    ratio = np.log(np.array([float(values[n.name][0]) for n in kinds["ratio"]]))
    return data._replace(
        rate_events=events.astype(float),
        time_weight=np.array([end.weights for end in ends]).reshape(data.time_weight.shape),
        time_one=np.array([end.constants for end in ends]).reshape(data.time_one.shape),
        time_late=np.array([end.late for end in ends]).reshape(data.time_late.shape),
        ratio_value=ratio.reshape(data.ratio_value.shape),
    )


def printed(kind: str, months: float) -> likelihood.Window:
    """A median as it is printed, to 0.1 months; of one that `predictive` draws no later, that it was not reached by then."""
    found = likelihood.window(kind, min(round(months, 1), predictive.LATEST))
    if months < predictive.LATEST:
        return found
    (before, after), (one, _) = found.weights, found.constants
    return likelihood.Window([before, np.zeros_like(after)], [one, 0.0], found.late)


def mechanistic(problem: Problem, sampler: Sampler = SAMPLER) -> Batch:
    """Repetitions of the hierarchy over shifts."""
    run = partial(model.model, problem.system, problem.hierarchy)
    everything = {kind: np.ones(len(numbers), bool) for kind, numbers in problem.kinds.items()}
    watched = [(name, name, ()) for name in WATCHED] + [
        (f"shift: {problem.system.shifts[k]}", "shifts", (k,)) for k in range(len(problem.system.shifts))
    ]

    def data_of(truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, Any]:
        return {"data": published_by(problem, truth, rng), "observed": everything}

    return _batch(run, sampler, watched, data_of, data=problem.data)


def statistical(made: meta.Table, sampler: Sampler = SAMPLER) -> Batch:
    """Repetitions of the meta-analysis."""
    everything = {kind: np.ones(len(value), bool) for kind, value in meta.values_of(made).items()}
    watched = [(name, name, ()) for name in ("tau", "hr", "hr_sd", "hr_tau")]
    watched += [(f"{name}: {what}", name, (k,)) for name in BY_ENDPOINT for k, what in enumerate(meta.ENDPOINTS)]

    def data_of(truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, Any]:
        eta = truth["eta"]
        noise = lambda se, tau: np.hypot(se, tau) * rng.normal(size=len(se))
        values = {
            "count": rng.binomial(made.count_n.astype(int), expit(eta[made.count_arm, made.count_endpoint])).astype(float),
            "time": eta[made.time_arm, 3] + noise(made.time_se, truth["tau"]),
            "ratio": truth["ratio"] + noise(made.ratio_se, truth["hr_tau"]),
        }
        return {"values": values, "observed": everything}

    return _batch(partial(meta.model, made), sampler, watched, data_of)


def _batch(run: Run, sampler: Sampler, watched: Sequence[tuple[str, str, tuple[int, ...]]], data_of: Any, **to_draw: Any) -> Batch:
    """Args: watched: name, site and place in it of each quantity. data_of: (truth, rng) -> arguments of the model. to_draw: its
    arguments when it draws a truth."""
    fit = SideBySide(run, sampler)

    def batch(seeds: Sequence[int]) -> list[Repetition]:
        rngs = [np.random.default_rng(seed) for seed in seeds]
        truths = [truth_of(run, seed, **to_draw) for seed in seeds]
        fits = fit([data_of(truth, rng) for truth, rng in zip(truths, rngs, strict=True)], truths, seeds[0])
        found = []
        for r, (truth, rng) in enumerate(zip(truths, rngs, strict=True)):
            seen = {name: (truth[site][place], fits.draws[site][r][(slice(None), slice(None), *place)])
                    for name, site, place in watched}  # fmt: skip
            seen["log likelihood"] = (fits.of_truth[r], fits.likelihood[r])
            found.append(among_draws(seen, rng, int(fits.divergences[r])))
        return found

    return batch
