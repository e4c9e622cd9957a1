"""Predicts what a trial would publish: response, progression-free and overall survival, hazard ratio, harm, with 50, 80 and 90 %
intervals, as a report and as numbers (summary.json).

  trialsim predict trial=radiant3
  trialsim predict trial=my_trial.yaml analysis.draws=50 seed=2 hydra.run.dir=results/mine

A trial is a YAML file; `trialsim predict --list` names those that come with trialsim, `--template` prints one to start from. The
other words are settings as of `trialsim run`, and -m predicts for several values of them.
"""

from __future__ import annotations

import argparse
import sys

from trialsim import console
from trialsim._paths import conf_dir
from trialsim.schema import ConfigError

SUMMARY = "predict what a trial would publish, from a file that describes it"
KEY = "trial="
TEMPLATE = "template"  # of conf/trial, with every key explained


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="trial=FILE|NAME [KEY=VALUE]", nargs="*", help="the trial, and other settings")
    parser.add_argument("-m", "--multirun", action="store_true", help="one prediction for every combination of KEY=A,B,...")
    parser.add_argument("--list", action="store_true", help="name the trials that come with trialsim")
    parser.add_argument("--template", action="store_true", help="print a trial's file with every key explained")


def run(given: argparse.Namespace) -> int:
    from trialsim.artefacts.claim import TRIAL
    from trialsim.cli.run import run as run_study
    from trialsim.cli.trial_file import read_trial, shipped, words

    if given.list:
        for name in shipped():
            console.out.print(f"{name:24} {read_trial(name)[1].title}", markup=False)
        return 0
    if given.template:
        sys.stdout.write((conf_dir() / "trial" / f"{TEMPLATE}.yaml").read_text(encoding="utf-8"))
        return 0
    trials = [word.removeprefix(KEY) for word in given.words if word.startswith(KEY)]
    if len(trials) != 1 or not trials[0]:
        allowed = f"one, as trial=my_trial.yaml or trial=NAME with a NAME of {', '.join(shipped())}"
        bare = [word for word in given.words if "=" not in word]
        allowed += f"; did you mean trial={bare[0]}?" if len(bare) == 1 and not trials else ""
        raise ConfigError("trial", ", ".join(trials) or None, allowed)
    name, trial, text = read_trial(trials[0])
    own = [word for word in given.words if not word.startswith(KEY)]
    folder, now = f"outputs/predict_{name}", "${now:%Y-%m-%d_%H-%M-%S-%f}"
    places = {"hydra.run.dir": f"{folder}/{now}", "hydra.sweep.dir": f"{folder}/sweep_{now}"}
    kept = [f"{key}={place}" for key, place in places.items() if not any(word.startswith(f"{key}=") for word in own)]
    return run_study([*(["-m"] if given.multirun else []), *words(name, trial), *kept, *own], {TRIAL: text})
