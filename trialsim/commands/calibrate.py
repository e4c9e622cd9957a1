"""Fits the model to the published trials: simulates every arm over the priors, emulates it, and draws from the posterior.

  trialsim calibrate --out outputs/calibration
  trialsim calibrate --out outputs/calibration --judge
  trialsim predict trial=radiant3 analysis.posterior=outputs/calibration/posterior.npz

With the defaults an hour and more on two cores, most of it simulation. --judge also predicts each study from all others, by this
model and by a meta-analysis without a model of the drug, and writes report.html with its tables; 35 minutes more. Whatever
is done is kept in the folder, so the same command goes on after an interruption. Only trials with the role `fit` of the evidence
tables are used.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from trialsim import console
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "fit the model to all published trials, and judge it on each of them"
WARMUP = 500  # iterations, or as many as are kept
TARGET = 0.93  # acceptance of NUTS; at 0.85 about twenty of 4,000 draws diverge, which is at the limit
MANY_DIVERGE = 0.005  # of the draws (ours): as many as in single fits of simulation-based calibration, which passes
POWER_OF_TWO = "a power of two from 256 to 65536"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="where it all goes; used again if it is there")
    parser.add_argument("--patients", metavar="N", type=int, default=4096, help="simulated for each arm of one tumour type "
                        "(default: 4096)")  # fmt: skip
    parser.add_argument("--draws", metavar="N", type=int, default=1000, help="kept of the posterior (default: 1000)")
    parser.add_argument("--chains", metavar="N", type=int, default=4, help="of NUTS (default: 4)")
    parser.add_argument("--samples", metavar="N", type=int, default=1000, help="of each chain (default: 1000)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the sampler (default: 1)")
    parser.add_argument("--judge", action="store_true", help="predict each study from the others, by this and a statistical model")
    parser.add_argument("--trial", metavar="NAME", action="append", default=[], help="use this trial of conf/trial only; again for "
                        "more")  # fmt: skip


def run(given: argparse.Namespace) -> int:
    _check(given)
    from trialsim.artefacts.files import atomic
    from trialsim.calibration import run as calibration
    from trialsim.calibration.posterior import SHIPPED
    from trialsim.calibration.sampling import Sampler
    from trialsim.cli.trial_file import compose_trial
    from trialsim.report.write import write_report
    from trialsim.study import start_engine

    names = _trials(given.trial)
    with console.step(f"reading {len(names)} trials"):
        trials = [compose_trial(name) for name in names]
    start_engine(trials[0])
    sampler = Sampler(given.chains, min(given.samples, WARMUP), given.samples, target_accept=TARGET)
    made = calibration.calibrate(trials, given.out, given.patients, given.draws, sampler, given.seed)
    told = made.posterior.provenance
    console.out.print(
        f"{len(made.posterior.shifts)} draws of {len(made.posterior.names)} parameters from {told['numbers']} published numbers of "
        f"{len(names)} trials, {told['patients']} patients simulated, in {given.out / 'posterior.npz'}; {told['diagnostics']}",
        markup=False,
    )
    if given.judge:
        tables = calibration.judge(made, sampler, given.seed, given.out)
        judged = made.posterior._replace(provenance=told | {"judged": tables["scores"].to_dict("records")})
        with atomic(given.out / SHIPPED) as path:  # a prediction tells how well it has done before
            judged.save(path)
        _save(given, told | {"fold": calibration.OF_A_FOLD._asdict()}, tables)
        console.out.print(f"Report: {write_report(given.out)}", markup=False)
    return 0


def _save(given: argparse.Namespace, told: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    """Tables and summary, from which the report is drawn."""
    from trialsim import provenance
    from trialsim.artefacts.files import atomic, write_json
    from trialsim.calibration.sampling import LARGEST_RHAT, SMALLEST_ESS
    from trialsim.summary import SCHEMA_VERSION

    for name, table in tables.items():
        with atomic(given.out / f"{name}.parquet") as path:
            table.to_parquet(path, index=False, engine="pyarrow")
    mixed, faults = told["diagnostics"], []
    if mixed["largest_rhat"] > LARGEST_RHAT or mixed["smallest_ess"] < SMALLEST_ESS:
        faults.append(f"the chains have not mixed: R-hat {mixed['largest_rhat']:.3f}, effective draws {mixed['smallest_ess']:.0f}; "
                      "give more --samples")  # fmt: skip
    if mixed["divergences"] > MANY_DIVERGE * given.chains * given.samples:
        faults.append(f"{mixed['divergences']} of {given.chains * given.samples} draws diverged; at most {MANY_DIVERGE:.1%} may")
    settings = {name: getattr(given, name) for name in ("patients", "draws", "chains", "samples")}
    config = {"study": {"name": "calibration"}, "seed": given.seed, "analysis": {"kind": "calibration"} | settings}
    with atomic(given.out / "config.yaml") as path:
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
    write_json(given.out / "provenance.json", provenance.collect())
    summary = {
        "schema_version": SCHEMA_VERSION,
        "kind": "calibration",
        "study": "calibration",
        "title": "The model judged by every published trial",
        "seed": given.seed,
        "diagnostics": {"ok": not faults, "messages": faults},
        "cautions": [],
        "results": {key: told[key] for key in ("numbers", "patients", "seconds", "diagnostics", "fold")}
        | {"studies": len(told["studies"])},
        "tables": list(tables),
    }
    write_json(given.out / "summary.json", summary)


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
