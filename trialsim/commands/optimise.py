"""Searches for the settings that make one result of a study as high, or as low, as it can be, under conditions on others.

  trialsim optimise maximise orr regimen.dose=2.5:20 regimen.schedule=daily,weekly cohort.size=500 --subject-to 'dlt_rate<=0.33'

Ranges: KEY=LOW:HIGH, with :log for a logarithmic and :int for whole numbers (KEY=1:100:int:log); KEY=A,B,C for choices. Every other
word is an override of all trials. A condition may be on a limit of a 95 % interval: 'dlt_rate.high<=0.4'. All trials have the same
virtual patients. The same command with the same --out goes on after an interruption, or with more --trials.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialsim import console
from trialsim.commands import FAILED
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    from trialsim.sweeps.search import Outcome, Question

SUMMARY = "search for the dose, schedule or other settings that make a result best"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("goal", choices=("maximise", "minimise"))
    parser.add_argument("result", metavar="RESULT", help="a name of summary.json (orr, dcr, median_pfs_months, dlt_rate, a result "
                        "of an analysis), or RESULT.low, RESULT.high: a limit of its interval")  # fmt: skip
    parser.add_argument("words", metavar="KEY=...", nargs="+", help="ranges and overrides, see above")
    parser.add_argument("--subject-to", metavar="RULE", action="append", default=[], help="RESULT<=NUMBER or RESULT>=NUMBER; again "
                        "for more")  # fmt: skip
    parser.add_argument("--trials", metavar="N", type=int, default=20, help="trials in all (default: 20)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the search (default: 1); seed=N is the patients'")
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="where the search and its runs go")


def run(given: argparse.Namespace) -> int:
    import trialsim
    from trialsim.sweeps import search

    space, fixed = search.read_words(given.words)
    name, field = search.split_field(given.result)
    rules = tuple(search.read_rule(text) for text in given.subject_to)
    question = search.Question(given.goal == "maximise", name, field, space, rules, fixed, given.seed)
    for key, value, least in (("--trials", given.trials, 1), ("--seed", given.seed, 0)):
        if value < least:
            raise ConfigError(key, value, f"a whole number of at least {least}")
    compose = lambda overrides: trialsim.compose(overrides=list(overrides))
    search.check(question, compose)
    _installed()
    durations: list[float] = []

    def done(one: Outcome, seconds: float | None) -> None:
        durations.extend([] if seconds is None else [seconds])
        settled = durations[1:] or durations  # the first compiles what the others use
        left = sum(settled) / max(len(settled), 1) * (given.trials - one.job.number - 1)
        more = f", about {console.in_words(left)} left" if left else ""
        _say(question, one, f"trial {one.job.number + 1} of {given.trials}", more)

    outcomes = search.search(question, given.out.absolute(), given.trials, compose, _run, _results, done)
    return _conclude(question, given.out.absolute(), outcomes)


def _installed() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ConfigError("optimise", "optuna", 'only with Optuna: python -m pip install "trialsim[optimise]"') from error


def _run(config: Any, folder: Path) -> None:
    from trialsim import study

    study.run(config, folder)


def _results(folder: Path) -> Any:
    from trialsim.artefacts import load_run
    from trialsim.sweeps.runs import results_of

    return results_of(load_run(folder).summary)


def _say(question: Question, one: Outcome, which: str, left: str) -> None:
    """One line a trial."""
    if one.value is None:
        found = f"failed: {one.job.cause}"
    else:
        found = f"{question.name} {one.value:.4g}" + ("" if one.feasible else ", a condition is not met")
    console.out.print(f"{which} ({one.job.told}): {found}{left}", markup=False)


def _conclude(question: Question, folder: Path, outcomes: Sequence[Outcome]) -> int:
    """The best trial, the failed ones, and the report."""
    from trialsim.report.search import write_search
    from trialsim.sweeps.runs import read_sweep
    from trialsim.sweeps.search import best

    found = best(outcomes, question.maximise)
    failed = [one for one in outcomes if one.value is None]
    console.out.print(f"Search: {len(outcomes)} trials, {len(failed)} failed, in {folder}", markup=False)
    if len({one.job.folder for one in outcomes if one.value is not None}) > 1:
        console.out.print(f"Report: {write_search(question, outcomes, read_sweep(folder), folder)}", markup=False)
    if found is None:
        console.err.print("trialsim: no trial met every condition", markup=False)
        return FAILED
    entry = _results(folder / found.job.folder)[question.name]
    low, high = (f"{limit:.4g}" if limit is not None else "not reached" for limit in (entry.low, entry.high))
    text = f"Best: {found.job.told}: {question.name} {entry.estimate:.4g} (95 % interval {low} to {high})"
    console.out.print(f"{text}, in {folder / found.job.folder}", markup=False, style="bold")
    return 0
