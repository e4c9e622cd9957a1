"""What an alteration of the tumour's genome changes in its cells, the same in patients and in cell lines.

Inside the network the alterations act by structure (`signalling.rates`); here is what they do to a cell's dependence on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Alterations(NamedTuple):
    """1 where present, 0 where not; arrays of one shape. TSC: TSC1 or TSC2 lost. PTEN: the protein lost. MTOR: activating."""

    PIK3CA: Any
    AKT1: Any
    KRAS: Any
    MTOR: Any
    TSC: Any
    PTEN: Any


def logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


def expit(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def insensitive_share(dependence: Any, found: Alterations, genes: Any, noise: Any = 0.0) -> Any:
    """b of `growth`, from a cell's dependence before its alterations shift it on the logit scale.

    Args:
        dependence: 0-1. found: alterations. genes: ``schema.network.GenotypeSettings``, the shifts.
        noise: further deviation on the logit scale.
    """
    effect = Alterations(genes.PIK3CA, genes.AKT1, genes.KRAS, genes.MTOR, genes.TSC, genes.PTEN_loss)
    shift = sum(size * has for size, has in zip(effect, found, strict=True))
    return 1.0 - expit(logit(np.clip(dependence, 1e-3, 1.0 - 1e-3)) + shift + noise)


def lasting_r_4E(r_4E: Any, found: Alterations, genes: Any) -> Any:
    """r_4E of `signalling`: cells without TSC do not re-phosphorylate 4E-BP1 by much."""
    return np.where(np.asarray(found.TSC) > 0, np.minimum(r_4E, genes.tsc_r_4E), r_4E)
