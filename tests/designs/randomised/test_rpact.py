"""Fifty random group-sequential designs against R's rpact, where it is installed (Debian: r-cran-rpact)."""

import shutil
import subprocess

import numpy as np
import pytest

from trialsim.designs.randomised.bounds import Futility, WangTsiatis, group_sequential
from trialsim.designs.randomised.spending import Spending

DESIGNS = 50
KINDS = {
    "asOF": lambda g: Spending("lan_demets_obf"),
    "asP": lambda g: Spending("lan_demets_pocock"),
    "asHSD": lambda g: Spending("hwang_shih_decani", g),
    "asKD": lambda g: Spending("power", 0.5 + abs(g)),
    "OF": lambda g: WangTsiatis(0.0),
    "P": lambda g: WangTsiatis(0.5),
    "WT": lambda g: WangTsiatis(0.3),
}


def random_designs():
    """Kind, parameter, fractions, sides, alpha and gamma of the futility spending (NaN: none) of each."""
    rng = np.random.default_rng(0)
    for number in range(DESIGNS):
        kind = list(KINDS)[number % len(KINDS)]
        looks = int(rng.integers(2, 6))
        fraction = np.append(np.sort(rng.choice(np.arange(2, 20), looks - 1, replace=False)) / 20.0, 1.0)
        sides = int(rng.integers(1, 3))
        futility = float(rng.integers(-6, 2)) if kind.startswith("as") and sides == 1 else np.nan
        yield kind, float(rng.integers(-6, 4)) or 1.0, fraction, sides, float(rng.choice([0.01, 0.025, 0.05])), futility


def call(kind, parameter, fraction, sides, alpha, futility):
    """The design in R, printed: critical values, then futility bounds."""
    options = [f"kMax = {len(fraction)}", f"alpha = {alpha}", "beta = 0.1", f"sided = {sides}", f'typeOfDesign = "{kind}"']
    options += [f"informationRates = c({', '.join(map(str, fraction))})"]
    shape = {"asHSD": f"gammaA = {parameter}", "asKD": f"gammaA = {0.5 + abs(parameter)}", "WT": "deltaWT = 0.3"}
    options += [shape[kind]] if kind in shape else []
    if np.isfinite(futility):
        options += ['typeBetaSpending = "bsHSD"', f"gammaB = {futility}", "bindingFutility = FALSE"]
    shown = ["d$criticalValues", "d$futilityBounds"] if np.isfinite(futility) else ["d$criticalValues"]
    print_them = f"cat('bounds', format(c({', '.join(shown)}), digits = 10), fill = 1000)"
    return f"d <- getDesignGroupSequential({', '.join(options)}); {print_them}"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Bounds of every design, in one run of R."""
    if shutil.which("Rscript") is None or subprocess.run(["Rscript", "-e", "library(rpact)"], capture_output=True).returncode:
        pytest.skip("R with its package rpact is not installed")
    script = tmp_path_factory.mktemp("rpact") / "designs.R"
    script.write_text("\n".join(["library(rpact)", *(call(*design) for design in random_designs())]))
    lines = subprocess.run(["Rscript", str(script)], capture_output=True, text=True, check=True).stdout.splitlines()
    return [[float(word) for word in line.split()[1:]] for line in lines if line.startswith("bounds ")]


@pytest.mark.parametrize("number", range(DESIGNS))
def test_independent_rpact_has_the_same_bounds(printed, number):
    kind, parameter, fraction, sides, alpha, gamma = list(random_designs())[number]
    lower = None if np.isnan(gamma) else Futility(Spending("hwang_shih_decani", gamma))
    found = group_sequential(fraction, alpha, KINDS[kind](parameter), sides=sides, power=0.9, futility=lower)
    looks = len(fraction)
    seen = found.upper < 5.0  # beyond, the package errs by more: 0.01 at 5.7
    assert found.upper[seen] == pytest.approx(np.array(printed[number][:looks])[seen], abs=1e-4)
    if lower is not None:
        own, theirs = found.lower[:-1], np.array(printed[number][looks:])
        assert own[own > -5] == pytest.approx(theirs[own > -5], abs=1e-4)
