"""Rows of the reference table for dose escalation."""

from __future__ import annotations

import re

import numpy as np
from reference import Row, named, numbers, unit_of_last_digit

from trialsim.designs.escalation import boin, crm
from trialsim.designs.escalation.crm_model import Model
from trialsim.designs.escalation.three_plus_three import mtd_probabilities

LEVELS = 5  # of the BOIN trial path


def agrees(found, printed: str) -> None:
    """Each number of ``1.23|4.5`` to its printed digits; ``----`` stands for a level that was not tried."""
    for value, text in zip(np.atleast_1d(found), printed.split("|"), strict=True):
        if set(text) == {"-"}:
            assert np.isnan(value)
        else:
            assert abs(value - float(text)) <= 1.001 * unit_of_last_digit(text), (value, text)


def boin_boundary(row: Row) -> None:
    want = named(row.expected)
    found = boin.boundaries(float(named(row.inputs)["target"]))
    agrees(found.lambda_e, want["lambda_e"])
    agrees(found.lambda_d, want["lambda_d"])


def boin_decision_table(row: Row) -> None:
    given = named(row.inputs)
    n = np.array(numbers(given["n"]), int)
    table = boin.decision_table(float(given["target"]), n, limit=float(given["cutoff_eli"]))
    line = {"Number": table.patients, "Escalate": table.up, "Deescalate": table.down}[given["row"].split()[0]]
    assert line.tolist() == numbers(row.expected)


def boin_select_mtd(row: Row) -> None:
    given, want = named(row.inputs), named(row.expected)
    found = boin.select_mtd(numbers(given["ntox"]), numbers(given["npts"]), float(given["target"]))
    assert found.mtd + 1 == int(want["MTD"])
    agrees(found.p, want["p_est"])


def boin_trial_path(row: Row) -> None:
    """Cohorts in turn (level, outcomes: T is a DLT); each is treated where the rule sent it."""
    toxic, judged, ceiling, path, level = np.zeros(LEVELS, int), np.zeros(LEVELS, int), LEVELS, [], 0
    target = float(re.search(r"target (\.\d+)", row.inputs)[1])
    for given, outcomes in re.findall(r"(\d)([NT]{3})>", row.inputs):
        assert int(given) == level + 1
        judged[level] += len(outcomes)
        toxic[level] += outcomes.count("T")
        if boin.barred(toxic[level], judged[level], target, 0.95):
            ceiling = min(ceiling, level)
        level = int(np.clip(level + boin.decide(toxic[level], judged[level], target), 0, ceiling - 1))
        path.append(level + 1)
    assert path == numbers(named(row.expected)["next dose sequence"])


def patients(row: Row) -> tuple[dict[str, str], np.ndarray, np.ndarray, Model]:
    """Inputs, DLT and level index of each patient, and the model."""
    given = named(row.inputs)
    model = Model(
        tuple(numbers(given["prior"])),
        given.get("model", "empiric"),
        1.34**0.5 if given.get("scale", "sqrt(1.34)") == "sqrt(1.34)" else float(given["scale"]),
        float(given.get("intcpt", 3.0)),
    )
    return given, np.array(numbers(given["tox"]), int), np.array(numbers(given["level"]), int) - 1, model


def crm_agrees(row: Row, found: crm.Estimate) -> None:
    want = named(row.expected)
    assert found.recommended + 1 == int(want["mtd"])
    agrees(found.p, want["ptox"])
    agrees(found.beta, want["estimate"])
    if "postvar" in want:
        agrees(found.variance, want["postvar"])


def crm_bayes(row: Row) -> None:
    given, toxic, level, model = patients(row)
    count = lambda which: np.bincount(level[which], minlength=len(model.skeleton))
    crm_agrees(row, crm.update(count(toxic == 1), count(toxic >= 0), model, float(given["target"])))


def tite_crm(row: Row) -> None:
    given, toxic, level, model = patients(row)
    weight = np.minimum(np.array(numbers(given["followup"])) / float(given["obswin"]), 1.0)
    open_ = (toxic == 0) & (weight < 1)
    count = lambda which: np.bincount(level[which], minlength=len(model.skeleton))
    still = np.where(open_, level, -1), np.where(open_, weight, 0.0)
    crm_agrees(row, crm.update(count(toxic == 1), count(~open_), model, float(given["target"]), *still))


def crm_skeleton_getprior(row: Row) -> None:
    given = named(row.inputs)
    found = crm.skeleton(
        float(given["halfwidth"]),
        float(given["target"]),
        int(given["nu"]) - 1,
        int(given["nlevel"]),
        given["model"],
        float(given.get("intcpt", 3.0)),
    )
    agrees(found, row.expected)


def crm_sample_size(row: Row) -> None:
    given = named(row.inputs)
    found = crm.sample_size(
        float(given["apcs"]), float(given["target"]), int(given["nlevel"]), float(given["psi"]), given["correction"] == "TRUE"
    )
    assert found == int(named(row.expected)["n"])


def three_plus_three_no_deescalation(row: Row) -> None:
    agrees(mtd_probabilities(numbers(named(row.inputs)["ptox"])), row.expected.split("=", 1)[1].split("=")[-1])


CHECKS = {
    "boin_boundary": boin_boundary,
    "boin_decision_table": boin_decision_table,
    "boin_select_mtd": boin_select_mtd,
    "boin_trial_path": boin_trial_path,
    "crm_bayes": crm_bayes,
    "tite_crm": tite_crm,
    "crm_skeleton_getprior": crm_skeleton_getprior,
    "crm_sample_size": crm_sample_size,
    "three_plus_three_no_deescalation": three_plus_three_no_deescalation,
}
