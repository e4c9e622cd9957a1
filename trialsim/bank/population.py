"""The bank as designs that ask whether and in whom the drug works see it: outcomes by treatment, the marker as measured, groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from trialsim.bank.treatments import CENTRAL
from trialsim.bank.verdict import Verdict, progression_free_at, response_by
from trialsim.schema.design.treatments import CONTROL, DRUG
from trialsim.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.analysis.compare_designs import BenefitSettings
    from trialsim.schema.endpoint import EndpointSettings


POSITIVE, NEGATIVE = "positive", "negative or unknown"  # results of the assay that a group shares


class Population(NamedTuple):
    """Patients of the bank, row by row the same in every table.

    Attributes:
        outcomes: table of each treatment, see `treatments.simulate`. marker: as the assay calls it: 1, 0, NaN without a result,
            (patients,). group: tumour type and result of the assay, index into ``groups``, (patients,).
        groups: one row a group: tumour_type, marker ("positive" or "negative or unknown"), n, share, drug, control (probability of
            the outcome that a patient gains), gain.
        settings: of the question. endpoint: of the study.
    """

    outcomes: Mapping[str, pd.DataFrame]
    marker: np.ndarray
    group: np.ndarray
    groups: pd.DataFrame
    settings: BenefitSettings
    endpoint: EndpointSettings

    @property
    def positive(self) -> np.ndarray:
        """Whether the assay says so, (patients,)."""
        return self.marker == 1.0

    @property
    def type_code(self) -> np.ndarray:
        """Number of each patient's tumour type, in the order of the alphabet, (patients,)."""
        return np.unique(self.outcomes[DRUG]["tumour_type"].to_numpy(str), return_inverse=True)[1]

    @property
    def types(self) -> np.ndarray:
        """Names of the tumour types, by their number."""
        return np.unique(self.outcomes[DRUG]["tumour_type"].to_numpy(str))

    def without_effect(self, baseline: str = CONTROL) -> Population:
        """The same patients in a world where no treatment does more than a baseline."""
        return self._replace(outcomes=dict.fromkeys(self.outcomes, self.outcomes[baseline]))

    def verdict(self, treatment: str, outcome: str, weeks: float) -> Verdict:
        """Success of each patient under a treatment.

        Args:
            outcome: "response" or "disease_control". weeks: from the first dose.
        """
        table, central = self.outcomes[treatment], self.settings.reader == "central"
        if outcome == "response":
            return response_by(table, weeks * DAYS_PER_WEEK, self.settings.confirmed, central)
        return progression_free_at(table, weeks * DAYS_PER_WEEK, self.endpoint.scan_jitter_days, central)

    def rate(self, treatment: str) -> np.ndarray:
        """Probability of the outcome that a patient gains, by group, (groups,)."""
        success = self.verdict(treatment, self.settings.outcome, self.settings.weeks).success
        return np.bincount(self.group, success) / np.bincount(self.group)

    def gain(self, treatment: str) -> np.ndarray:
        """What a treatment adds to that probability, by group, (groups,)."""
        return self.rate(treatment) - self.groups["control"].to_numpy()

    def times(self, treatment: str) -> tuple[np.ndarray, np.ndarray]:
        """Time to the event that randomised designs compare, days, and whether it was seen; (patients,)."""
        suffix = CENTRAL if self.settings.survival == "pfs" and self.settings.reader == "central" else ""
        table, name = self.outcomes[treatment], self.settings.survival
        return table[f"{name}_days{suffix}"].to_numpy(float), table[f"{name}_event{suffix}"].to_numpy(bool)


def population_of(
    outcomes: Mapping[str, pd.DataFrame], marker: np.ndarray, settings: BenefitSettings, endpoint: EndpointSettings
) -> Population:
    """Put patients into groups and tell what each group gains."""
    types = outcomes[DRUG]["tumour_type"].to_numpy(object)
    result = np.where(marker == 1.0, POSITIVE, NEGATIVE)
    keys = pd.MultiIndex.from_arrays([types, result], names=["tumour_type", "marker"])
    names = keys.unique().sort_values()
    group = names.get_indexer(keys)
    found = Population(outcomes, marker, group, pd.DataFrame(), settings, endpoint)
    rate = {name: found.rate(name) for name in (DRUG, CONTROL)}
    n = np.bincount(group)
    groups = names.to_frame(index=False).assign(
        n=n, share=n / n.sum(), drug=rate[DRUG], control=rate[CONTROL], gain=rate[DRUG] - rate[CONTROL]
    )
    return found._replace(groups=groups)


def net_benefit(treats: np.ndarray, share: np.ndarray, gain: np.ndarray, worthwhile: float) -> np.ndarray:
    """What 100 future patients gain if the groups that a trial found to benefit are treated:

        100 sum over treated groups of share (gain - worthwhile)

    patients more without progression (or with a response) beyond those that make treating worth its burden; after the net benefit
    of decision curves (Vickers & Elkin, Med Decis Making 2006;26:565-74).

    Args:
        treats: bool, (..., groups). share: of each group, (groups,). gain: of the treatment that is given, (groups,) or
            (..., groups). worthwhile: gain below which a group is better not treated.
    """
    return 100.0 * (treats * (gain - worthwhile)) @ share


def attainable(groups: pd.DataFrame, worthwhile: float) -> float:
    """Net benefit of knowing every group's true gain."""
    gain, share = groups["gain"].to_numpy(), groups["share"].to_numpy()
    return float(net_benefit(gain > worthwhile, share, gain, worthwhile))
