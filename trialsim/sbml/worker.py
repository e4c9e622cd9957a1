"""Runs an SBML model: ``python worker.py < request.json > answer.json``. A file of its own, which imports nothing of trialsim.

The request has path, selections, inputs, held, changes (one an arm: name to [factor or value]), before, times, megabytes; the
answer has levels (arms, times + 1, selections) and the library's version, or a fault in words.
"""

import json
import os
import sys
from typing import Any

TOLERANCES = {"relative_tolerance": 1e-8, "absolute_tolerance": 1e-12, "maximum_num_steps": 1_000_000}


def levels(runner: Any, request: dict[str, Any]) -> list[list[list[float]]]:
    """Of each arm: selections before the drug and at each time after it."""

    def arm(changes: dict[str, Any]) -> list[list[float]]:
        runner.resetToOrigin()
        for name, value in request["inputs"].items():
            runner[name] = value
        now = request["before"]
        if now > 0:
            runner.simulate(0.0, now, 2)
        found = [read()]
        for name, (kind, value) in changes.items():
            runner[name] = value if kind == "value" else runner[name] * value
        for time in request["times"]:
            then = request["before"] + time
            runner.simulate(now, then, 2)
            now = then
            found.append(read())
        return found

    read = lambda: [float(runner[name]) for name in request["selections"]]
    return [arm(changes) for changes in request["changes"]]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        import resource

        limit = request["megabytes"] * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # not on this system; the limit of time holds
    try:
        import roadrunner
    except ImportError:
        return {"missing": True}
    try:
        runner = roadrunner.RoadRunner(request["path"])
        for name in request["held"]:
            runner.setBoundary(name, True)
        runner.setIntegrator("cvode")
        for name, value in TOLERANCES.items():
            runner.integrator.setValue(name, value)
        return {"levels": levels(runner, request), "version": roadrunner.__version__}
    except Exception as error:  # the library raises many kinds; the user needs one sentence
        return {"fault": " ".join(str(error).split())[:500] or type(error).__name__}


if __name__ == "__main__":
    to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints is no answer
    with to:
        json.dump(answer(json.load(sys.stdin)), to)
