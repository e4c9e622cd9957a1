"""Simulation-based calibration of both models: parameters drawn from the prior are found again, as certainly as is claimed."""

from functools import partial

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binom, kstest

from trialsim.calibration import likelihood, meta, model
from trialsim.calibration.emulator import Emulator, labels
from trialsim.calibration.library import OS_MONTHS, OUTCOMES, PFS_MONTHS, cells_of
from trialsim.calibration.recovery import recover, recover_statistical
from trialsim.calibration.run import Problem, evidence_of
from trialsim.calibration.sampling import Sampler
from trialsim.calibration.system import shift_name, system
from trialsim.cli.trial_file import compose_trial

TRIALS = ("radiant3", "record1", "ng13", "doi10", "succeed", "evolve1", "wolpin09", "oza11", "slomovitz10", "pulido18")
REPETITIONS = 60
SAMPLER = Sampler(chains=1, warmup=250, samples=300, depth=6)
FALSE_ALARM = 0.001  # of all parameters of one model together (Bonferroni); the seeds are fixed
# what an outcome's logit hangs on, about as in the library of everolimus
LINEAR = {"growth": -0.75, "dependence": 0.35, "death": -0.25, "new_lesions": -0.1, "line_growth": -0.1, "cell_loss": 0.2}


@pytest.fixture(scope="module")
def evidence():
    return evidence_of([compose_trial(name) for name in TRIALS])


def made_up(cell) -> Emulator:
    """An emulator with plain numbers: no simulation is needed to test the inference."""
    names = tuple(cell.parameters)
    middle = {"orr": -2.5, "dcr": 0.3, "clinical_benefit_rate": -0.7}
    middle |= {f"pfs_{t:g}": float(logit(np.exp(-0.2 * t))) for t in PFS_MONTHS}
    middle |= {f"os_{t:g}": float(logit(np.exp(-0.08 * t))) for t in OS_MONTHS}
    on_drug = 0.5 if cell.arm.on_drug else 0.0
    table = np.zeros((len(labels(names)), len(OUTCOMES)))
    for k, outcome in enumerate(OUTCOMES):
        table[0, k] = middle[outcome] + on_drug
        table[1 : 1 + len(names), k] = [LINEAR.get(name, 0.05) for name in names]
    priors = list(cell.parameters.values())
    mean, sd = np.array([prior.mean for prior in priors]), np.array([prior.sd for prior in priors])
    return Emulator(names, mean, sd, table, np.full(len(OUTCOMES), 0.1))


@pytest.fixture(scope="module")
def problem(evidence):
    cells = [cell for arm in evidence.arms for cell in cells_of(arm)]
    made = system(cells, [made_up(cell) for cell in cells])
    followed = {arm.name: np.ones(len(PFS_MONTHS)) for arm in evidence.arms}
    data = likelihood.data_of(evidence.numbers, made, {arm.name: arm.patients for arm in evidence.arms}, followed)
    priors = {shift_name(cell, name): prior for cell in cells for name, prior in cell.parameters.items()}
    return Problem(made, model.hierarchy(made, evidence.bases, evidence.children, priors), data, evidence.numbers)


def judge(found: list) -> None:
    """Ranks uniform (Kolmogorov-Smirnov), and coverage of the 90 % intervals within chance."""
    names = list(found[0].rank)
    for name in names:
        ranks = [one.rank[name] for one in found]
        assert kstest(ranks, "uniform").pvalue > FALSE_ALARM / len(names), name
    inside = sum(one.inside_90[name] for one in found for name in names)
    # parameters of one repetition hang together: as if one in five were independent
    count = len(found) * len(names) // 5
    low, high = binom.ppf([0.0005, 0.9995], count, 0.9) / count
    assert low <= inside / (len(found) * len(names)) <= high


@pytest.mark.slow
def test_the_mechanistic_hierarchy_is_calibrated(problem):
    run = partial(model.model, problem.system, problem.hierarchy)
    judge([recover(problem, SAMPLER, seed, run) for seed in range(REPETITIONS)])


@pytest.mark.slow
def test_the_meta_analysis_is_calibrated(evidence):
    made = meta.table(evidence.numbers, evidence.arms)
    run = partial(meta.model, made)
    judge([recover_statistical(made, SAMPLER, seed, run) for seed in range(REPETITIONS)])
