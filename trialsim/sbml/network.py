"""Our network under the inhibition that the model of others gets.

A block of mTORC1's kinase activity by a part b spares nothing, as those models have it: occupancy 1 and the same largest inhibition b
towards every substrate, no re-phosphorylation of 4E-BP1, mTORC2 left alone (experiments/published_models). Rapamycin is ours: its free
concentration in the cell gives, at equilibrium, the FKBP12 complex and with it the occupancy; substrates are spared as in patients.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.assays.lines import wells_of
from trialsim.engine.algebra import saturating
from trialsim.engine.rosenbrock import rodas3_step
from trialsim.mechanism import signalling
from trialsim.mechanism.growth import UNTREATED
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.steady import steady_state, structure
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

if TYPE_CHECKING:
    from trialsim.sbml.experiment import Experiment
    from trialsim.schema.drug import DrugSettings
    from trialsim.schema.study import StudyConfig

STEP_H = 0.1  # largest step; half of it moves no fold by 0.1 % (tests/sbml/test_compare.py)
BLOCKED = ("e_S6K", "e_GRB10", "e_ULK", "e_4E")


def folds(config: StudyConfig, experiment: Experiment, drug: DrugSettings, step_h: float = STEP_H) -> np.ndarray:
    """Levels over those of the untreated cell, which rests, (doses, hours, read-outs).

    Args:
        config: cell lines and network. drug: the rapalog that `rapamycin` stands for.
    """
    name = experiment.cell_line
    if name not in config.cell_line:
        raise ConfigError("cell_line", name, f"one of {', '.join(config.cell_line)}{near(name, config.cell_line)}")
    well = wells_of([config.cell_line[name]], config.network, drug, config.culture)
    doses = np.array(experiment.doses, float)
    wide = lambda leaf: np.broadcast_to(np.asarray(leaf, float), doses.shape)
    k, cell = network_constants(config.network), jax.tree.map(wide, well.cell)
    if experiment.block is not None:
        k = k._replace(**dict.fromkeys(BLOCKED, doses))
        cell = cell._replace(r_4E=wide(0.0), phi_mTORC2=wide(0.0))
        occupancy = np.ones_like(doses)
    else:
        complex_nM = wide(well.binding.FKBP12) * doses / (doses + well.binding.K_FKBP12)
        occupancy = np.asarray(saturating(complex_nM, wide(well.binding.K_FRB)))
    gaps = np.diff([0.0, *experiment.hours])
    single = lambda tree: jax.tree.map(jnp.float32, tree)
    before, after = _course(single(k), single(cell), jnp.float32(occupancy), jnp.float32(gaps), math.ceil(gaps.max() / step_h))
    found = [getattr(after, readout) / jnp.maximum(getattr(before, readout), 1e-9) for readout in experiment.readouts]
    return np.moveaxis(np.asarray(found, float), (0, 1, 2), (2, 1, 0))


@partial(jax.jit, static_argnums=4)
def _course(
    k: signalling.NetworkConstants, cell: signalling.CellParameters, occupancy: jax.Array, gaps: jax.Array, steps: int
) -> tuple[signalling.Network, signalling.Network]:
    """The untreated steady state, and the network at the end of each gap; leaves (doses,) and (gaps, doses)."""
    u, still = {"occupancy": occupancy}, {"occupancy": jnp.zeros_like(occupancy)}
    rates = lambda x, u: signalling.rates(x, UNTREATED._replace(**u), k, cell)
    step = lambda x, h: (rodas3_step(rates, structure(), x, u, still, u, h), None)

    def over(x: signalling.Network, gap: jax.Array) -> tuple[signalling.Network, signalling.Network]:
        x, _ = jax.lax.scan(step, x, jnp.full(steps, gap / steps))
        return x, x

    before = steady_state(k, cell)
    return before, jax.lax.scan(over, before, gaps)[1]
