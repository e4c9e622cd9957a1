"""Constants of the network and of culture, fitted to the bands of the laboratory facts.

Run from the repository root: python experiments/laboratory_calibration/calibrate.py [rounds] [start.json]
Writes fitted.json beside itself; the values in conf/ are these, rounded. See README.md.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from trialsim import compose
from trialsim.evidence.laboratory import load_laboratory
from trialsim.laboratory import IN_DISHES, Bench
from trialsim.laboratory.lines import grow_panel
from trialsim.mechanism import signalling
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.steady import steady_state

HERE = Path(__file__).parent
LINES = 69  # of the panel, three of the published one
PRIOR_WEIGHT = 0.12  # of a constant's distance from its start, in halves of its prior range
STEP, LARGEST = 0.06, 0.5  # of a constant, in halves of its range: of a finite difference, of a move
FREE = {  # place in the configuration -> range, where the prior of conf/network does not say
    "network.spread.f_S6K": (0.15, 1.2), "network.spread.f_GRB10": (0.3, 3.0), "network.spread.r_4E_max": (0.6, 0.95),
    "network.growth.c_protect": (0.2, 1.2), "network.growth.c_excess": (0.5, 5.0), "network.growth.k_d": (0.008, 0.04),
    "network.genotype.PIK3CA": (0.1, 1.5), "network.genotype.PTEN_loss": (0.1, 1.2), "network.genotype.KRAS": (-1.6, -0.3),
    "drug.binding.PS": (1.0, 10.0), "drug.binding.FKBP12": (80.0, 400.0),
    "panel.lines.dependence_mean": (0.6, 0.95), "panel.lines.dependence_concentration": (2.0, 12.0),
    "dependence": (0.65, 0.96), "dependence_lymphoma": (0.85, 0.98),
}  # fmt: skip
SHARED_DEPENDENCE = {0.759: "dependence", 0.967: "dependence_lymphoma"}  # lines of conf/cell_line that share a value
REFERENCES = ("S6K_reference", "ERK_reference", "AKT_reference", "cap_reference")
FIXED = set(REFERENCES) | {  # not informed by these facts
    "k_PIP3", "k_RHEB", "k_S6K", "k_S6", "k_ULK", "k_flux", "k_ERK", "k_CYCD", "k_protein", "k_W", "K_ATP", "K_AA",
}  # fmt: skip


class Problem:
    """Residuals of the facts at a vector of constants, each the logarithm of its value."""

    def __init__(self) -> None:
        self.config = compose("laboratory")
        self.facts = {fact.fact_id: fact for fact in load_laboratory() if fact.fact_id in IN_DISHES}
        priors = {f"network.signalling.{name}": ends for name, ends in self.config.network.priors.items() if name not in FIXED}
        self.ranges = {name: (max(low, 1e-3), high) if low >= 0 else (low, high) for name, (low, high) in (priors | FREE).items()}
        self.names = list(self.ranges)
        ends = np.log(np.abs(np.array(list(self.ranges.values()))))
        self.low, self.high = ends.min(axis=1), ends.max(axis=1)
        self.half = (self.high - self.low) / 2.0
        self.sign = np.array([np.sign(high) for _, high in self.ranges.values()])
        self.start = np.clip(np.log(np.abs([self._value(name) for name in self.names])), self.low, self.high)

    def _value(self, name: str) -> float:
        if name in ("dependence", "dependence_lymphoma"):
            return next(value for value, shared in SHARED_DEPENDENCE.items() if shared == name)
        found = self.config
        for part in name.split("."):
            found = self.config.analysis.dish_drug if part == "drug" else getattr(found, part)
        return float(found)

    def bench(self, x: np.ndarray) -> Bench:
        """The laboratory at these constants."""
        values = dict(zip(self.names, self.sign * np.exp(x), strict=True))
        of = lambda start: {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}
        config, network = self.config, self.config.network
        parts = {
            part: getattr(network, part).model_copy(update=of(f"network.{part}."))
            for part in ("signalling", "spread", "genotype", "growth")
        }
        network = rescaled(network.model_copy(update=parts))
        lines = {}
        for name, line in config.cell_line.items():
            shared = SHARED_DEPENDENCE.get(line.pathway.dependence)
            update = {"dependence": values[shared]} if shared else {}
            lines[name] = line.model_copy(update={"pathway": line.pathway.model_copy(update=update)})
        panel = config.panel.model_copy(update={"lines": config.panel.lines.model_copy(update=of("panel.lines."))})
        drug = config.analysis.dish_drug
        drug = drug.model_copy(update={"binding": drug.binding.model_copy(update=of("drug.binding."))})
        bench = Bench(config.model_copy(update={"network": network, "cell_line": lines, "panel": panel}), drug)
        bench.panel = grow_panel(bench.config, drug, bench.constants, LINES)
        return bench.prepare(IN_DISHES.values())

    def values(self, x: np.ndarray) -> dict[str, float]:
        bench = self.bench(x)
        return {fact_id: float(IN_DISHES[fact_id](bench)) for fact_id in self.facts}

    def residuals(self, values: dict[str, float]) -> np.ndarray:
        """How far each value lies outside its band, less a margin, in half widths (a quarter of the limit if one-sided)."""
        found = []
        for fact_id, fact in self.facts.items():
            value = values[fact_id]
            one_sided = fact.low is None or fact.high is None
            scale = 0.25 * max(abs(fact.high if fact.low is None else fact.low), 0.2) if one_sided else 0.5 * (fact.high - fact.low)
            below = -np.inf if fact.low is None else fact.low + 0.2 * scale - value
            above = -np.inf if fact.high is None else value - fact.high + 0.2 * scale
            found.append(2.0 * np.tanh(max(below, above, 0.0) / scale / 2.0) if np.isfinite(value) else 2.0)
        return np.array(found)

    def missed(self, values: dict[str, float]) -> list[str]:
        return [fact_id for fact_id, fact in self.facts.items() if not fact.holds(values[fact_id])]


def rescaled(network):
    """The network with the reference levels of its own untreated reference cell."""
    spread = network.spread
    reference = signalling.CellParameters(
        RTK=1.0, f_S6K=spread.f_S6K, f_GRB10=spread.f_GRB10, PIK3CA=0.0, KRAS=0.0, AKT1=0.0, PTEN=1.0, TSC=1.0, mTOR_gain=0.0,
        r_4E=0.4, phi_mTORC2=0.2, R_4EBP=1.0, amino_acids=1.0, ATP=1.0,
    )  # fmt: skip
    c = signalling.CellParameters(*(np.full(1, value, np.float32) for value in reference))
    for _ in range(4):
        k = network_constants(network)
        x = steady_state(signalling.NetworkConstants(*(np.float32(value) for value in k)), c)
        levels = (x.S6K, x.ERK, signalling.akt_activity(x, k), signalling.cap_translation(x.BP, c.R_4EBP, k))
        update = {name: float(level[0]) for name, level in zip(REFERENCES, levels, strict=True)}
        network = network.model_copy(update={"signalling": network.signalling.model_copy(update=update)})
    return network


def main(rounds: int, start: str | None) -> None:
    """Levenberg-Marquardt: one Jacobian by finite differences a round, kept up by Broyden's update within it."""
    problem = Problem()
    x = problem.start.copy()
    if start:
        given = json.loads(Path(start).read_text())
        x = np.array([np.log(abs(given[name])) if name in given else x[i] for i, name in enumerate(problem.names)])
        x = np.clip(x, problem.low, problem.high)
    cost = lambda r, x: float(r @ r + PRIOR_WEIGHT**2 * np.sum(((x - problem.start) / problem.half) ** 2))
    values = problem.values(x)
    r, damping = problem.residuals(values), 0.05
    print(f"start: cost {cost(r, x):.2f}, {len(problem.missed(values))} of {len(r)} missed", flush=True)
    for number in range(rounds):
        began = time.time()
        J = np.zeros((len(r), len(x)))
        for i in range(len(x)):
            h = STEP if x[i] + STEP * problem.half[i] < problem.high[i] else -STEP
            moved = x.copy()
            moved[i] += h * problem.half[i]
            J[:, i] = (problem.residuals(problem.values(moved)) - r) / h
        print(f"Jacobian in {time.time() - began:.0f} s", flush=True)
        for _ in range(12):
            g = J.T @ r + PRIOR_WEIGHT**2 * (x - problem.start) / problem.half
            H = J.T @ J + PRIOR_WEIGHT**2 * np.eye(len(x))
            move = -np.linalg.solve(H + damping * np.diag(np.diag(H) + 0.05), g)
            tried = np.clip(x + np.clip(move, -LARGEST, LARGEST) * problem.half, problem.low, problem.high)
            found = problem.values(tried)
            fresh, step = problem.residuals(found), (tried - x) / problem.half
            J += np.outer(fresh - r - J @ step, step) / (step @ step + 1e-12)
            better = cost(fresh, tried) < cost(r, x)
            if better:
                x, r, values = tried, fresh, found
                fitted = dict(zip(problem.names, (problem.sign * np.exp(x)).tolist(), strict=True))
                (HERE / "fitted.json").write_text(json.dumps(fitted, indent=1) + "\n")
            damping = max(damping / 3.0, 1e-3) if better else 4.0 * damping
            print(f"{number}: cost {cost(r, x):.2f}, {len(problem.missed(values))} missed, damping {damping:.3g}", flush=True)
    for fact_id in problem.missed(values):
        fact = problem.facts[fact_id]
        print(f"{fact_id}: {values[fact_id]:.3g}, band {fact.low} to {fact.high}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2] if len(sys.argv) > 2 else None)
