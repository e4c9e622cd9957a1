"""Error-spending functions: how much of an error rate is used up by a share t of the information.

    lan_demets_obf        2 - 2 Phi( z_(1 - a/2) / sqrt(t) )         Lan & DeMets, Biometrika 1983;70:659-63; like O'Brien-Fleming
    lan_demets_pocock     a log(1 + (e - 1) t)                       the same; like Pocock
    hwang_shih_decani     a (1 - e^(-g t)) / (1 - e^-g)              Hwang, Shih & DeCani, Stat Med 1990;9:1439-45; g = 0: a t
    power                 a t^g                                      Kim & DeMets, Biometrika 1987;74:149-54
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

SpendingName = Literal["lan_demets_obf", "lan_demets_pocock", "hwang_shih_decani", "power"]


class Spending(NamedTuple):
    """A spending function. ``parameter``: g; without meaning for those of Lan and DeMets."""

    name: SpendingName
    parameter: float = 0.0

    def spent(self, fraction: ArrayLike, total: float) -> np.ndarray:
        """Error spent by each share of the information (clipped to 0-1), out of `total`; the shape of `fraction`."""
        t, g = np.clip(np.asarray(fraction, float), 0.0, 1.0), self.parameter
        if self.name == "lan_demets_obf":
            with np.errstate(divide="ignore"):
                return 2.0 * stats.norm.sf(stats.norm.isf(total / 2.0) / np.sqrt(t))
        if self.name == "lan_demets_pocock":
            return total * np.log1p((np.e - 1.0) * t)
        if self.name == "power":
            return total * t**g
        return total * (t if g == 0.0 else np.expm1(-g * t) / np.expm1(-g))
