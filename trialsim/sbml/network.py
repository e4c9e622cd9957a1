"""Our network under the inhibition that the model of others gets.

A block of mTORC1's kinase activity by a part b spares nothing, as those models have it: occupancy 1 and the same largest inhibition
b of every substrate, no re-phosphorylation of 4E-BP1, mTORC2 left alone (experiments/published_models). Rapamycin is ours: its free
concentration in the cell gives, at equilibrium, the FKBP12 complex and with it the occupancy; substrates are spared as in patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.assays.lines import wells_of
from trialsim.engine.rosenbrock import rodas3_step
from trialsim.mechanism import signalling
from trialsim.mechanism.growth import UNTREATED
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.steady import RELAXATION_H, structure
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

if TYPE_CHECKING:
    from trialsim.sbml.experiment import Experiment
    from trialsim.schema.cell_line import CellLineSettings
    from trialsim.schema.drug import DrugSettings
    from trialsim.schema.study import StudyConfig

STEP_H = 0.05  # largest step; half of it moves no fold by 0.1 % (tests/sbml/test_compare.py)
BLOCKED = ("e_S6K", "e_GRB10", "e_ULK", "e_4E")


def cell_line(config: StudyConfig, experiment: Experiment) -> CellLineSettings:
    name = experiment.cell_line
    if name not in config.cell_line:
        raise ConfigError("cell_line", name, f"one of {', '.join(config.cell_line)}{near(name, config.cell_line)}")
    return config.cell_line[name]


def folds(config: StudyConfig, experiment: Experiment, drug: DrugSettings, step_h: float = STEP_H) -> np.ndarray:
    """Levels over those of the untreated cell, which rests, (doses, hours, read-outs).

    Args:
        config: cell lines and network. drug: the rapalog that `rapamycin` stands for.
    """
    well = wells_of([cell_line(config, experiment)], config.network, drug, config.culture)
    doses = np.array(experiment.doses, float)
    wide = lambda leaf: np.broadcast_to(np.asarray(leaf, float), doses.shape)
    k, cell = (jax.tree.map(wide, tree) for tree in (network_constants(config.network), well.cell))
    if experiment.block is not None:
        k = k._replace(**dict.fromkeys(BLOCKED, doses))
        cell = cell._replace(r_4E=wide(0.0), phi_mTORC2=wide(0.0))
        occupancy = np.ones_like(doses)
    else:
        complex_nM = wide(well.binding.FKBP12) * doses / (doses + well.binding.K_FKBP12)
        occupancy = complex_nM / (complex_nM + well.binding.K_FRB)
    gaps = np.diff([0.0, *experiment.hours])
    counts = np.ceil(gaps / step_h).astype(int)
    steps = np.concatenate([RELAXATION_H, np.repeat(gaps / counts, counts)])
    treated = np.arange(len(steps)) >= len(RELAXATION_H)
    single = lambda tree: jax.tree.map(jnp.float32, tree)
    seen = _course(single(k), single(cell), jnp.float32(treated[:, None] * occupancy), jnp.float32(steps))
    rest, at = len(RELAXATION_H) - 1, len(RELAXATION_H) - 1 + np.cumsum(counts)
    levels = [np.asarray(getattr(seen, readout), float) for readout in experiment.readouts]
    return np.stack([level[at] / np.maximum(level[rest], 1e-9) for level in levels], axis=-1).swapaxes(0, 1)


@jax.jit
def _course(
    k: signalling.NetworkConstants, cell: signalling.CellParameters, occupancy: jax.Array, h: jax.Array
) -> signalling.Network:
    """The network at the end of each step; leaves (steps, doses), as ``occupancy``. One loop: compiling it is what takes time."""

    def step(x: signalling.Network, now: tuple[jax.Array, jax.Array]) -> tuple[signalling.Network, signalling.Network]:
        u, still = {"occupancy": now[0]}, {"occupancy": jnp.zeros_like(now[0])}
        rates = lambda x, u: signalling.rates(x, UNTREATED._replace(**u), k, cell)
        x = rodas3_step(rates, structure(), x, u, still, u, now[1])
        return x, x

    return jax.lax.scan(step, signalling.start(occupancy.shape[1:]), (occupancy, h))[1]
