"""Rows of the reference table on single-arm designs."""

from __future__ import annotations

import re

import numpy as np
from reference import Row, named, numbers, unit_of_last_digit

from trialsim.designs.single_arm.binomial import critical_value, exact_power, looks, single_stage, stops
from trialsim.designs.single_arm.estimate import at_least, infer, rate_at, umvue
from trialsim.designs.single_arm.simon import TwoStage, admissible, frontier, two_stage_looks

UNIROOT = 1.22e-4  # R's default tolerance of a root, to which clinfun found its confidence limits


def agrees(value: float, printed: str, beyond: float = 0.0) -> None:
    """To the printed digits; `beyond`: what the source says it may be off besides."""
    assert abs(value - float(printed)) <= unit_of_last_digit(printed) * 1.0001 + beyond, (value, printed)


def question(row: Row) -> tuple[float, float, float, float]:
    given = named(row.inputs)
    return float(given["p0"]), float(given["p1"]), float(given["alpha"]), float(given["beta"])


def two_stage_row(design: TwoStage, row: Row) -> None:
    want = named(row.expected)
    assert (design.r1, design.n1, design.r, design.n) == tuple(int(want[name]) for name in ("r1", "n1", "r", "n"))
    found = {"EN0": design.en0, "PET0": design.pet0, "attained_alpha": design.type1, "attained_power": design.power}
    for name, value in found.items():
        agrees(value, want[name])


def admissible_row(row: Row) -> None:
    """``r1/n1,r/n EN=.. q=low-high`` of the designs between minimax and optimal."""
    rates = [float(word) for word in re.findall(r"\.\d+", row.inputs)]
    found = {(one.design.r1, one.design.n1, one.design.r, one.design.n): one for one in admissible(*rates, rates[-1])}
    wanted = re.findall(r"(\d+)/(\d+),(\d+)/(\d+) EN=([\d.]+) q=(\.\d+)-(\.\d+)", row.expected)
    assert len(found) == len(wanted) + 2  # minimax and optimal besides
    for *design, size, low, high in wanted:
        one = found[tuple(int(value) for value in design)]
        for value, printed in ((one.design.en0, size), (one.low, low), (one.high, high)):
            agrees(value, printed)


def simon_trial(row: Row) -> None:
    """Lenvatinib: minimax design, 4 of 18 and 5 of 32 responded; the trial was positive."""
    design = frontier(0.05, 0.20, 0.10, 0.10)[0]
    assert "minimax 0/18,3/32 used" in row.expected and (design.r1, design.n1, design.r, design.n) == (0, 18, 3, 32)
    assert design.looks.futility[0] < 4 < design.looks.efficacy[0] and 5 >= design.looks.efficacy[1]
    assert infer(design.looks, 1, 5, 0.05).p_value < 0.10


def single_stage_trial(row: Row) -> None:
    """Everolimus in thymic tumours: positive from 21 of 41."""
    design = single_stage(0.40, 0.60, 0.10, 0.10)[0]
    assert row.expected.startswith(f"n={design.n};r={design.r} (>={design.looks.efficacy[0]} DCR positive)")


def single_stage_row(row: Row) -> None:
    want, option = named(row.expected), int(named(row.inputs)["option"])
    design = single_stage(*question(row), options=option)[-1]
    assert (design.n, design.r) == (int(want["n"]), int(want["r"]))
    agrees(design.type1, want["type1"])
    agrees(1.0 - design.power, want["type2"])


def power_row(row: Row) -> None:
    given = named(row.inputs)
    power, critical = row.expected.split(";")
    n, p0, alpha = int(given["n"]), float(given["p0"]), float(given["alpha1"])
    assert critical == f"crit_x>={critical_value(n, p0, alpha)}"
    agrees(exact_power(n, p0, float(given["p1"]), alpha), power.split("=")[1])


def looks_row(row: Row) -> None:
    given, want = named(row.inputs), named(row.expected)
    n, low, high = ([int(value) for value in numbers(given[name])] for name in ("n", "a", "b"))
    found = stops(looks(n, low, high), float(given["theta"]))
    for name, values in (("P(upper per analysis)", found.positive), ("P(lower per analysis)", found.negative)):
        for value, printed in zip(values, want.get(name, "").split("|"), strict=False):
            if printed:
                agrees(value, printed)
    assert "P(upper per analysis)" in want or "P(lower per analysis)" in want
    if "EN" in want:
        agrees(found.expected_n, want["EN"])


def inference_row(row: Row) -> None:
    """The upper limit there is Koyama & Chen's, which inverts the p-value from above too."""
    given, want = named(row.inputs), named(row.expected)
    x, r1, n1, n = (int(given[name]) for name in ("x", "r1", "n1", "n"))
    design = two_stage_looks(r1, n1, r1 + 1, n)
    found = infer(design, 1, x, float(given["p0"]), level=0.90)
    agrees(found.umvue, want["pumvue"])
    agrees(found.p_value, want["p.value"])
    agrees(found.low, want["5% LCL"], UNIROOT)
    agrees(rate_at(design, 1, x, 0.95), want["95% UCL"], UNIROOT)
    assert found.high >= float(want["95% UCL"]) - UNIROOT and np.isclose(umvue(design)[1, x], found.umvue)
    assert np.isclose(at_least(design, 1, x + 1, found.high), 0.95)


CHECKS = {
    "simon_optimal": lambda row: two_stage_row(frontier(*question(row))[-1], row),
    "simon_minimax": lambda row: two_stage_row(frontier(*question(row))[0], row),
    "simon_admissible": admissible_row,
    "simon_real_trial": simon_trial,
    "single_stage_real_trial": single_stage_trial,
    "exact_single_stage_binomial": single_stage_row,
    "exact_binomial_power": power_row,
    "gs_exact_binomial": looks_row,
    "two_stage_inference_UMVUE": inference_row,
}
