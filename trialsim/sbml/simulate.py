"""The model of others, run in a process of its own: one that hangs, crashes or swells takes nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trialsim.sbml import expression
from trialsim.sbml.document import KEY, Document
from trialsim.sbml.experiment import READOUTS, Experiment
from trialsim.schema import ConfigError

TIME_LIMIT_S = 120.0  # Bouhaddou 2018, 774 species, takes about this long for three arms
MEGABYTES = 4096  # address space; the library maps one gigabyte before it does anything
WORKER = Path(__file__).with_name("worker.py")


class Course(NamedTuple):
    """Attributes: levels: (arms: control first, times: before the drug first, read-outs). simulator: library and version."""

    levels: np.ndarray
    simulator: str


def simulate(document: Document, experiment: Experiment, time_limit_s: float = TIME_LIMIT_S) -> Course:
    """Without drug and at every dose.

    Raises:
        ConfigError: a name that the model does not have, or a model that cannot be run, or not in time.
    """
    trees = {name: expression.parse(text, f"readouts.{name}") for name, text in experiment.readouts.items()}
    for name, tree in trees.items():
        document.check(expression.names(tree), f"readouts.{name}")
    document.check(experiment.inputs, "inputs", to_set=True)
    wanted = sorted(set().union(*(expression.names(tree) for tree in trees.values())))
    if not wanted:
        raise ConfigError("readouts", dict(experiment.readouts), "at least one name of the model")
    hour = 60.0 * experiment.minute
    request = {
        "path": str(document.path.resolve()),
        "selections": [document.selection(name) for name in wanted],
        "inputs": {document.selection(name): value for name, value in experiment.inputs.items()},
        "before": experiment.before_hours * hour,
        "times": [hours * hour for hours in experiment.hours],
        "megabytes": MEGABYTES,
        **_drug(document, experiment),
    }
    answer = _ask(document, request, time_limit_s)
    found = np.array(answer["levels"], float)
    values = dict(zip(wanted, np.moveaxis(found, -1, 0), strict=True))
    shape = found.shape[:2]
    levels = np.stack([np.broadcast_to(expression.evaluate(tree, values), shape) for tree in trees.values()], axis=-1)
    for i, name in enumerate(trees):
        if not np.isfinite(levels[..., i]).all():
            raise ConfigError(f"readouts.{name}", experiment.readouts[name], f"an expression that stays finite ({READOUTS[name]})")
    return Course(levels, f"libroadrunner {answer['version']}, CVODE")


def _drug(document: Document, experiment: Experiment) -> dict[str, Any]:
    """What each arm changes when the drug comes, and what is held from the start; the control is held at its own level."""
    if experiment.block is not None:
        document.check(experiment.block.constants, "block.constants", to_set=True)
        names = [document.selection(name) for name in experiment.block.constants]
        arms = [dict.fromkeys(names, ("factor", 1.0 - part)) for part in experiment.block.inhibition]
        return {"changes": [{}, *arms], "held": []}
    drug = experiment.rapamycin
    assert drug is not None
    document.check([drug.name], "rapamycin.name", to_set=True)
    arms = [{document.selection(drug.name): ("value", value)} for value in (0.0, *drug.values)]
    return {"changes": arms, "held": [drug.name] if drug.held and drug.name in document.species else []}


def _ask(document: Document, request: dict[str, Any], time_limit_s: float) -> dict[str, Any]:
    fault = lambda what, allowed: ConfigError(KEY, f"{document.path}: {what}", allowed)
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(WORKER)], input=json.dumps(request), capture_output=True, text=True, timeout=time_limit_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        what = f"not done after {time_limit_s:g} s (too large, too stiff, or events without end)"
        raise fault(what, "a model that runs in time; --time-limit gives it more") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise fault(f"the simulator stopped (code {done.returncode})", "a model that libroadrunner runs") from error
    if "missing" in answer:
        raise ConfigError(KEY, str(document.path), 'libroadrunner is needed: python -m pip install "trialsim[sbml]"')
    if "fault" in answer:
        raise fault(answer["fault"], "a model that libroadrunner runs")
    return answer
