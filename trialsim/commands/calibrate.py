"""Fits the model to the published trials: simulates every arm over the priors, emulates it, and draws from the posterior.

  trialsim calibrate --out outputs/calibration
  trialsim calibrate --out outputs/calibration --judge
  trialsim predict trial=radiant3 analysis.posterior=outputs/calibration/posterior.npz

With the defaults about an hour on two cores. --judge also predicts each study from all others, by this model and by a
meta-analysis without a model of the drug, and writes left_out.csv and scores.csv; about an hour more. Whatever is done is kept in
the folder, so the same command goes on after an interruption. Only trials with the role `fit` of the evidence tables are used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trialsim import console
from trialsim.schema import ConfigError

SUMMARY = "fit the model to all published trials, and judge it on each of them"
POWER_OF_TWO = "a power of two from 256 to 65536"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="where it all goes; used again if it is there")
    parser.add_argument("--patients", metavar="N", type=int, default=4096, help="simulated for each arm of one tumour type "
                        "(default: 4096)")  # fmt: skip
    parser.add_argument("--draws", metavar="N", type=int, default=1000, help="kept of the posterior (default: 1000)")
    parser.add_argument("--chains", metavar="N", type=int, default=4, help="of NUTS (default: 4)")
    parser.add_argument("--samples", metavar="N", type=int, default=500, help="of each chain, and of warm-up (default: 500)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the sampler (default: 1)")
    parser.add_argument("--judge", action="store_true", help="predict each study from the others, by this and a statistical model")
    parser.add_argument("--trial", metavar="NAME", action="append", default=[], help="use this trial of conf/trial only; again for "
                        "more")  # fmt: skip


def run(given: argparse.Namespace) -> int:
    _check(given)
    from trialsim.calibration import run as calibration
    from trialsim.calibration.judging import summary
    from trialsim.calibration.sampling import Sampler
    from trialsim.cli.trial_file import compose_trial
    from trialsim.study import start_engine

    names = _trials(given.trial)
    with console.step(f"reading {len(names)} trials"):
        trials = [compose_trial(name) for name in names]
    start_engine(trials[0])
    sampler = Sampler(given.chains, given.samples, given.samples)
    made, found, problem = calibration.calibrate(trials, given.out, given.patients, given.draws, sampler, given.seed)
    told = made.provenance
    console.out.print(
        f"{len(made.shifts)} draws of {len(made.names)} parameters from {told['numbers']} published numbers of {len(names)} "
        f"trials, {told['patients']} patients simulated, in {given.out / 'posterior.npz'}; {told['diagnostics']}",
        markup=False,
    )
    if given.judge:
        table = calibration.left_out(found, problem, Sampler(1, 300, 400, depth=7), given.seed, given.out)
        scores = summary(table)
        table.to_csv(given.out / "left_out.csv", index=False)
        scores.to_csv(given.out / "scores.csv", index=False)
        console.out.print(scores.to_string(index=False), markup=False)
    return 0


def _check(given: argparse.Namespace) -> None:
    if not 256 <= given.patients <= 65536 or given.patients & (given.patients - 1):
        raise ConfigError("--patients", given.patients, POWER_OF_TWO)
    for key, least in (("draws", 1), ("chains", 1), ("samples", 10), ("seed", 0)):
        if getattr(given, key) < least:
            raise ConfigError(f"--{key}", getattr(given, key), f"a whole number of at least {least}")
    if given.draws > given.chains * given.samples:
        raise ConfigError("--draws", given.draws, f"at most --chains times --samples = {given.chains * given.samples}")


def _trials(asked: list[str]) -> list[str]:
    """Those of conf/trial whose published arms have the role `fit`, or those asked for."""
    from trialsim.cli.trial_file import read_trial, shipped
    from trialsim.evidence import load_efficacy

    role = load_efficacy().groupby("trial_id")["role"].first()
    fit = []
    for name in shipped():
        published = read_trial(name)[1].published
        if published is not None and role[published.partition("/")[0]] == "fit":
            fit.append(name)
    unknown = sorted(set(asked) - set(fit))
    if unknown:
        raise ConfigError("--trial", ", ".join(unknown), f"of the trials that may be fitted: {', '.join(fit)}")
    return [name for name in fit if not asked or name in asked]
