"""Rows of the reference table on intervals, two-arm tests, sizes and group-sequential bounds."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from reference import Row, data, named, numbers, unit_of_last_digit
from scipy import optimize, stats

from trialsim.designs.randomised.bounds import Futility, WangTsiatis, group_sequential
from trialsim.designs.randomised.expected import expected
from trialsim.designs.randomised.piecewise import piecewise
from trialsim.designs.randomised.sizes import (
    enough_events,
    freedman_events,
    group_sequential_plan,
    lachin_foulkes,
    one_stratum,
    rounded,
    schoenfeld_events,
    schoenfeld_power,
    strata_of,
    with_accrual_duration,
    with_follow_up,
    with_rate,
)
from trialsim.designs.randomised.spending import Spending
from trialsim.designs.randomised.weighted import weighted_power
from trialsim.endpoints import survival
from trialsim.endpoints.comparison import kaplan_meier, log_rank, restricted_mean_difference
from trialsim.endpoints.hazards import cox
from trialsim.endpoints.proportions import clopper_pearson, wilson

SETS = {"ovarian": ("data_ovarian", "futime", "fustat", "rx"), "aml": ("data_aml", "time", "status", "x")}
VETERAN = Path(__file__).parents[1] / "data" / "veteran.csv"
SPENDING = {
    "LD_OBF": Spending("lan_demets_obf"),
    "LD_Pocock": Spending("lan_demets_pocock"),
    "HSD_gamma-4": Spending("hwang_shih_decani", -4.0),
}


def agrees(found, printed: str) -> None:
    """To the printed digits."""
    assert found == pytest.approx(float(printed), abs=unit_of_last_digit(printed) * 1.0001)


def all_agree(found, printed: str) -> None:
    for one, text in zip(np.ravel(found), printed.split("|"), strict=True):
        agrees(one, text)


def two_arms(row: Row):
    """time, event, arm of the data set that the row's first words name; arm 1 is the second group."""
    method, *names = next(names for name, names in SETS.items() if name in row.inputs)
    time, event, group = (np.array(data(method, name)) for name in names)
    return time, event == 1, group == 2


def interval(function):
    def check(row: Row) -> None:
        given, wanted = named(row.inputs), named(row.expected)
        found = function(int(given["x"]), int(given["n"]))
        agrees(found.low, wanted["lower"])
        agrees(found.high, wanted["upper"])

    return check


def check_log_rank(row: Row) -> None:
    rho = float(named(row.inputs.replace(" ", ";")).get("rho", 0.0))
    found, wanted = log_rank(*two_arms(row), rho=rho), named(row.expected)
    agrees(found.chi_square, wanted["chisq"])
    if "p" in wanted:
        agrees(stats.chi2.sf(found.chi_square, 1), wanted["p"])
    if "exp" in wanted:
        all_agree([found.events - found.observed, found.observed], wanted["obs"])
        all_agree([found.events - found.expected, found.expected], wanted["exp"])


def check_cox(row: Row) -> None:
    found, wanted = cox(*two_arms(row), ties=row.inputs.split()[-1]), named(row.expected)
    agrees(found.log_hr, wanted["coef"])
    agrees(found.se, wanted["se"])
    if "loglik" in wanted:
        all_agree([found.null_log_likelihood, found.log_likelihood], wanted["loglik"])


def check_kaplan_meier(row: Row) -> None:
    time, event, second = two_arms(row)
    wanted = named(row.expected)
    at = numbers(wanted["t"])
    s, se = kaplan_meier(time, event, ~second).at(at)
    all_agree(s, wanted["S"])
    all_agree(se, wanted["se"])
    curve = survival.kaplan_meier(time[~second], event[~second])
    step = np.searchsorted(curve.time, at)
    all_agree(curve.survival[step], wanted["S"])
    all_agree(curve.low[step], wanted["lo"])
    all_agree(curve.high[step], wanted["hi"])


def check_median(row: Row) -> None:
    time, event, second = two_arms(row)
    for group, text in zip((~second, second), row.expected.split(";"), strict=True):
        wanted = dict(re.findall(r"(median|lo|hi)=(\w+)", text))
        found = survival.quantile(survival.kaplan_meier(time[group], event[group], interval="log"))
        for value, name in zip((found.estimate, found.low, found.high), ("median", "lo", "hi"), strict=True):
            assert np.isnan(value) if wanted[name] == "NA" else value == float(wanted[name])


def check_rmst(row: Row) -> None:
    with VETERAN.open(encoding="utf-8") as lines:
        table = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    time, event, group = (np.array([float(patient[name]) for patient in table]) for name in ("time", "status", "trt"))
    found, wanted = restricted_mean_difference(time, event == 1, group == 2, 90.0), named(row.expected)
    for arm in (0, 1):
        agrees(found.mean[arm], wanted[f"rmst{arm + 1}"])
        agrees(found.mean_se[arm], wanted[f"se{arm + 1}"])
    chi_square = (found.difference / found.se) ** 2
    agrees(chi_square, wanted["chisq"])
    agrees(stats.chi2.sf(chi_square, 1), wanted["p"])


def check_events(row: Row) -> None:
    given, wanted = named(row.inputs), named(row.expected)
    options = (np.log(float(given["HR"])), float(given["alpha1"]), float(given["power"]), float(given["ratio"]))
    agrees(schoenfeld_events(*options), wanted.get("schoenfeld") or wanted["events"])
    if "freedman" in wanted:
        agrees(freedman_events(*options), wanted["freedman"])


def check_lachin_foulkes(row: Row) -> None:
    """Both numbers are rounded up, as the vignette does."""
    setting = one_stratum(np.log(2) / 8, 0.7, 1.0, 12.0, drop_out=np.log(2) / 693.1)
    found, wanted = lachin_foulkes(setting, 28.0, 0.025, 0.9), named(row.expected)
    assert (np.ceil(found.patients), np.ceil(found.events)) == (float(wanted["n"]), float(wanted["events"]))


def check_gs_survival(row: Row) -> None:
    """Events are rounded up. So are the patients, to an even number: 270 (15 a month for 18) and a rounding rest are 272."""
    wanted = named(row.expected)
    bounds = group_sequential(np.arange(1, 5) / 4, 0.05, SPENDING["LD_OBF"], sides=2, power=0.9)
    plan = group_sequential_plan(one_stratum(0.035, 0.5, 15.0, 18.0), bounds, np.log(0.5))
    all_agree(bounds.upper, wanted["Z"])
    assert np.ceil(plan.events).tolist() == numbers(wanted["events"])
    assert 0 <= float(wanted["N"]) - plan.patients[-1] <= 2
    all_agree(plan.hr_at_bound, wanted["HR_at_bound"])
    all_agree(plan.crossed, wanted["cumP_H1"])


def check_nsurv(row: Row) -> None:
    """Ours are Schoenfeld's events; the row's tolerance is 2."""
    wanted = named(row.expected)
    events = float(schoenfeld_events(np.log(0.5), 0.025, 0.9))
    hazard = np.log(2) / 20
    if "accrual rate" in row.inputs:
        setting, follow_up = with_rate(one_stratum(hazard, 0.5, 1.0, 24.0), 36.0, events), 12.0
    elif "accrual duration" in row.inputs:
        setting, follow_up = with_accrual_duration(one_stratum(hazard, 0.5, 6.0, 1.0), 12.0, enough_events(events)), 12.0
    else:
        setting = one_stratum(hazard, 0.5, 6.0, 25.0)
        follow_up = with_follow_up(setting, enough_events(events))
    found = expected(setting, setting.accrual_duration + follow_up)
    assert found.events.sum() == pytest.approx(float(wanted["events"]), abs=2)
    assert found.patients == pytest.approx(float(wanted["n"]), abs=2)


def check_survival_power(row: Row) -> None:
    found, wanted = expected(one_stratum(np.log(2) / 10, 0.5, 4.0, 12.0), 42.0), named(row.expected)
    assert found.events.sum() == pytest.approx(float(wanted["events"]), abs=1e-6)
    assert schoenfeld_power(np.log(0.5), found.events.sum(), 0.025) == pytest.approx(float(wanted["power"]), abs=1e-6)


def check_gs_events(row: Row) -> None:
    """The row's sfPower is the futility spending; efficacy is the package's default, HSD -4, not binding. The tolerance is 2."""
    futility = Futility(Spending("power", 0.5))
    bounds = group_sequential(np.arange(1, 5) / 4, 0.025, SPENDING["HSD_gamma-4"], power=0.9, futility=futility)
    plan = group_sequential_plan(one_stratum(np.log(2) / 6, 0.5, 6.0, 24.0, drop_out=np.log(2) / 40), bounds, np.log(0.5))
    assert plan.events == pytest.approx(numbers(named(row.expected)["events"]), abs=2)


def check_constant(delta: float):
    def check(row: Row) -> None:
        looks = int(named(row.inputs)["K"])
        found = group_sequential(np.arange(1, looks + 1) / looks, 0.05, WangTsiatis(delta), sides=2)
        agrees(found.upper[-1], named(row.expected)["C"])

    return check


def check_spending(row: Row) -> None:
    given = named(row.inputs)
    found = group_sequential(numbers(given["t"]), float(given["alpha1"]), SPENDING[given["spend"]])
    assert found.upper == pytest.approx(numbers(named(row.expected)["Z"]), abs=1e-3)


def late_effect():
    """Two strata, hazards that part after six months, accrual that rises for nine."""
    six, accrual = [0.0, 6.0], piecewise(26 / 9 * np.arange(1, 10), np.arange(9))
    control, drug = np.array([0.0533, 0.0533]), np.array([0.0533, 0.0309])
    arms = [[piecewise(factor * rate, six) for factor in (1.0, 1.5)] for rate in (control, drug)]
    return strata_of([0.2, 0.8], *arms, accrual, 22.0, drop_out=-np.log(0.95) / 12)


def bounds_of_row():
    return group_sequential([0.8, 1.0], 0.025, SPENDING["LD_OBF"]).upper


def check_weighted_power(row: Row) -> None:
    agrees(weighted_power(late_effect(), 40.0, [0.8, 1.0], bounds_of_row(), gamma=1.0).rejected[-1], named(row.expected)["power"])


def check_weighted_size(row: Row) -> None:
    """With the package's rounding: patients up, by a longer or faster accrual, then events, by a longer follow-up."""
    setting, upper = late_effect(), bounds_of_row()
    wanted = dict(part.strip().rsplit("=", 1) for part in row.expected.split("|"))
    short = lambda s, time: weighted_power(s, time, [0.8, 1.0], upper).rejected[-1] - 0.8
    longer, _ = rounded(with_accrual_duration(setting, 18.0, short), 18.0)
    agrees(longer.accrual_duration, wanted["accrualDuration"])
    agrees(rounded(setting, with_follow_up(setting, short))[1], wanted["followupTime"])
    faster = lambda factor: setting._replace(accrual=setting.accrual.scaled(factor))
    factor = optimize.brentq(lambda factor: short(faster(factor), 40.0), 0.5, 2.0)
    whole, _ = rounded(faster(factor), 18.0, faster=True)
    agrees(whole.accrual.rate[0], wanted["accrualIntensity first"])


CHECKS = {
    "clopper_pearson_95": interval(clopper_pearson),
    "wilson_95": interval(wilson),
    "logrank": check_log_rank,
    "weighted_logrank_Grho": check_log_rank,
    "cox_hr": check_cox,
    "kaplan_meier": check_kaplan_meier,
    "km_median_CI": check_median,
    "rmst": check_rmst,
    "logrank_events_schoenfeld_freedman": check_events,
    "schoenfeld_events": check_events,
    "nSurvival_lachin_foulkes": check_lachin_foulkes,
    "gs_survival_schoenfeld": check_gs_survival,
    "nsurv_events_n": check_nsurv,
    "survival_power_schoenfeld": check_survival_power,
    "gs_survival_events": check_gs_events,
    "gs_pocock_constant": check_constant(0.5),
    "gs_obrien_fleming_constant": check_constant(0.0),
    "gs_spending_bounds_upper": check_spending,
    "lrpower_stratified_wlr": check_weighted_power,
    "lrsamplesize": check_weighted_size,
}
