"""Panels of virtual lines against a dose range, and single lines whose growth rate was measured."""

from __future__ import annotations

import numpy as np

from trialsim.laboratory.bench import CONTROL, Bench
from trialsim.laboratory.lines import DOSES, half_effect
from trialsim.laboratory.register import TORKI, in_dishes

GROUP = 23  # lines of the Pediatric Preclinical Testing Program


# ---- Pediatric Preclinical Testing Program: living cells at 96 h


def _largest(bench: Bench) -> np.ndarray:
    return 1.0 - np.min(bench.panel.living(96.0), axis=1)


def _of_groups(values: np.ndarray, statistic) -> float:
    """Median over panels of 23 lines of an extreme."""
    return float(np.median([statistic(group) for group in values.reshape(-1, GROUP)]))


@in_dishes("pptp_median_ec50")
def _(bench: Bench) -> float:
    return float(np.median(half_effect(1.0 - bench.panel.living(96.0))))


@in_dishes("pptp_median_max_inhibition")
def _(bench: Bench) -> float:
    return float(np.median(_largest(bench)))


@in_dishes("pptp_max_inhibition_least")
def _(bench: Bench) -> float:
    return _of_groups(_largest(bench), np.min)


@in_dishes("pptp_max_inhibition_most")
def _(bench: Bench) -> float:
    return _of_groups(_largest(bench), np.max)


@in_dishes("pptp_half_responders")
def _(bench: Bench) -> float:
    return float(np.mean(_largest(bench) >= 0.5))


@in_dishes("meric_sensitive_fraction")
def _(bench: Bench) -> float:
    return float(np.mean(bench.panel.living(120.0)[:, -1] <= 0.5))


# ---- gCSI: growth rate over 72 h


def _left(bench: Bench) -> np.ndarray:
    return bench.panel.growth(72.0)[:, -1]


@in_dishes("gcsi_net_growth_median")
def _(bench: Bench) -> float:
    return float(np.median(_left(bench)))


@in_dishes("gcsi_net_growth_lower_quartile")
def _(bench: Bench) -> float:
    return float(np.quantile(_left(bench), 0.25))


@in_dishes("gcsi_net_growth_upper_quartile")
def _(bench: Bench) -> float:
    return float(np.quantile(_left(bench), 0.75))


@in_dishes("gcsi_regression_rare")
def _(bench: Bench) -> float:
    return float(np.mean(_left(bench) < 0.0))


@in_dishes("gcsi_ec50_median")
def _(bench: Bench) -> float:
    return float(np.median(half_effect(1.0 - bench.panel.growth(72.0))))


# ---- single lines, growth rate over 72 h


def _net(bench: Bench, line: str, rapamycin_nM: float = 100.0, **inhibition: float) -> float:
    dish = bench.dish(line, rapamycin_nM, **inhibition)
    return float(np.log(dish.level("live", 72.0)) / np.log(dish.level("live", 72.0, CONTROL)))


@in_dishes("gcsi_burkitt_net_growth")
def _(bench: Bench) -> float:
    return _net(bench, "ca46")


def _dose_range(bench: Bench, line: str) -> tuple[np.ndarray, np.ndarray]:
    """Living cells over control at 96 h and growth rate over control to 72 h, at `DOSES`."""
    late = [bench.dish(line, dose).over_control("live", 96.0) for dose in DOSES]
    rate = [_net(bench, line, dose) for dose in DOSES]
    return np.array(late), np.array(rate)


@in_dishes("pptp_burkitt_ic50")
def _(bench: Bench) -> float:
    """Dose that halves the count."""
    living, _rate = _dose_range(bench, "ramos")
    return float(np.exp(np.interp(-0.5, -living[1:], np.log(DOSES[1:]))))


@in_dishes("gcsi_burkitt_ec50")
def _(bench: Bench) -> float:
    _living, rate = _dose_range(bench, "ca46")
    return float(half_effect(1.0 - rate[None])[0])


@in_dishes("gcsi_dlbcl_net_growth")
def _(bench: Bench) -> float:
    return _net(bench, "dlbcl")


@in_dishes("gcsi_pancreas_like_others")
def _(bench: Bench) -> float:
    return _net(bench, "panc1")


@in_dishes("gcsi_pi3k_altered_ratio")
def _(bench: Bench) -> float:
    altered = np.mean([_net(bench, "epithelial_pik3ca"), _net(bench, "epithelial_pten")])
    return float(altered / _net(bench, "epithelial"))


@in_dishes("gcsi_pten_ratio")
def _(bench: Bench) -> float:
    return _net(bench, "epithelial_pten") / _net(bench, "epithelial")


@in_dishes("gcsi_pik3ca_kras_ratio")
def _(bench: Bench) -> float:
    return _net(bench, "epithelial_pik3ca_kras") / _net(bench, "epithelial_pik3ca")


@in_dishes("gcsi_kras_ratio")
def _(bench: Bench) -> float:
    return _net(bench, "epithelial_kras") / _net(bench, "epithelial")


SATURATING_MEK = {"MEK": 0.98}


@in_dishes("gcsi_mek_inhibitor_kras")
def _(bench: Bench) -> float:
    return _net(bench, "epithelial_kras", 0.0, **SATURATING_MEK) - _net(bench, "epithelial", 0.0, **SATURATING_MEK)


@in_dishes("ljp_sirolimus_net_growth")
def _(bench: Bench) -> float:
    return float(np.median([_net(bench, line) for line in ("epithelial", "mcf7", "epithelial_kras")]))


@in_dishes("ljp_torki_net_growth")
def _(bench: Bench) -> float:
    return float(np.median([_net(bench, line, 0.0, **TORKI) for line in ("epithelial", "mcf7", "epithelial_kras")]))


@in_dishes("ljp_torki_minus_sirolimus")
def _(bench: Bench) -> float:
    difference = [_net(bench, line, 0.0, **TORKI) - _net(bench, line) for line in ("epithelial", "mcf7", "epithelial_kras")]
    return float(np.median(difference))


@in_dishes("ljp_pik3ca_against_kras")
def _(bench: Bench) -> float:
    return _net(bench, "mcf7") / _net(bench, "epithelial_kras")


@in_dishes("ljp_alpelisib_pik3ca")
def _(bench: Bench) -> float:
    top = {"PI3K_alpha": 0.98}
    return _net(bench, "mcf7", 0.0, **top) - _net(bench, "epithelial_kras", 0.0, **top)


@in_dishes("dg75_more_sensitive_than_most")
def _(bench: Bench) -> float:
    own = bench.dish("dg75", 20.0).over_control("live", 72.0)
    others = bench.panel.living(72.0)[:, [list(DOSES).index(10.0), list(DOSES).index(30.0)]]
    return own / float(np.median(np.mean(others, axis=1)))
