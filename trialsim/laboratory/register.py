"""Which experiment answers which fact."""

from __future__ import annotations

from collections.abc import Callable

from trialsim.laboratory.bench import Bench

Experiment = Callable[[Bench], float]
IN_DISHES: dict[str, Experiment] = {}

RAPAMYCIN = 20.0  # nM, the dose of most blots
TORKI = {"mTOR_kinase": 0.95}  # a saturating catalytic mTOR inhibitor (Torin1 250 nM, PP242 2 uM, AZD8055, MLN0128)
NODE = 0.9  # inhibition of its node by a saturating dose of any other inhibitor
RESISTANT_4EBP1 = "hek293"  # where Choo 2008 saw 4E-BP1 recover


def in_dishes(fact_id: str) -> Callable[[Experiment], Experiment]:
    """The function below measures this fact on a `Bench`."""

    def register(experiment: Experiment) -> Experiment:
        assert fact_id not in IN_DISHES, fact_id
        IN_DISHES[fact_id] = experiment
        return experiment

    return register
