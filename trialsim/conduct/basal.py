"""The tumour before treatment: levels of its untreated network, as a biopsy would show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.mechanism.patient import TUMOUR
from trialsim.mechanism.signalling import CellParameters
from trialsim.mechanism.steady import steady_state

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

READ = {"ps6_tumour_basal": "S6", "pakt_tumour_basal": "S473"}  # column -> species of the network


def basal_levels(config: StudyConfig, covariates: pd.DataFrame) -> pd.DataFrame:
    """pS6 and pAKT (S473) of each untreated tumour over that of the untreated cell without alterations and of typical feedback.

    Args:
        covariates: rows of the cohort, with ``patient_id``.

    Returns:
        Columns patient_id and those of `READ` (relative level, 1 = wild type).
    """
    tumours = make_subjects(config, covariates, np.zeros(len(covariates))).parameters.cell
    tumours = CellParameters(*(leaf[:, TUMOUR] for leaf in tumours))
    together = jax.tree.map(lambda leaf, wild: np.append(leaf, wild.astype(leaf.dtype)), tumours, _wild_type(config))
    levels = _rest(make_setting(config).constants, together)
    relative = {column: np.asarray(getattr(levels, name), float) for column, name in READ.items()}
    ids = covariates["patient_id"].to_numpy()
    return pd.DataFrame({"patient_id": ids} | {column: level[:-1] / level[-1] for column, level in relative.items()})


_rest = jax.jit(steady_state)


def _wild_type(config: StudyConfig) -> CellParameters:
    """The reference cell: no alteration; r_4E and phi_mTORC2 act under drug only."""
    spread = config.network.spread
    values = dict.fromkeys(CellParameters._fields, 0.0)
    values |= dict.fromkeys(("RTK", "PTEN", "TSC", "R_4EBP", "amino_acids", "ATP"), 1.0)
    values |= {"f_S6K": spread.f_S6K, "f_GRB10": spread.f_GRB10}
    return CellParameters(*(jnp.asarray(values[name]) for name in CellParameters._fields))
