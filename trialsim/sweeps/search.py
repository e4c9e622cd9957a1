"""Adaptive search for the settings that make one result best: what is searched, under which conditions, and the loop.

Optuna proposes settings (TPE; Bergstra et al., NeurIPS 2011;24:2546-54; with several keys jointly, and with constraints as in
Watanabe & Hutter, IJCAI 2023:4371-9); each proposal is a run of its own in ``trials/NUMBER``, with the same seed and so the same
patients, so that trials differ by their settings and not by luck. The search is in ``search.db`` (SQLite), each run in its folder:
both outlive a killed process. The generator is seeded anew for each trial from the seed and the trial's number, so that a search
that was interrupted goes on as it would have.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trialsim.artefacts.claim import config_sha256, lock
from trialsim.schema import ConfigError
from trialsim.schema.faults import near
from trialsim.schema.study import StudyConfig
from trialsim.sweeps import record
from trialsim.sweeps.record import COMPLETE, Job, Record
from trialsim.sweeps.runs import TRIAL_RESULTS, Result

STUDY = "search.db"
NAME = "trialsim"
TRIALS = "trials"
STARTUP = 8  # trials drawn at random before the model of the earlier ones proposes
DIGITS = 3  # significant, of a number that is tried
FIELDS = ("estimate", "low", "high")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})((?::(?:int|log))*)")
_RULE = re.compile(rf"\s*([\w./]+?)(?:\.({'|'.join(FIELDS)}))?\s*(<=|>=)\s*({_NUMBER})\s*")


class Range(NamedTuple):
    """A key that is searched: numbers from ``low`` to ``high``, or one of ``choices`` (words of the command line)."""

    key: str
    low: float = 0.0
    high: float = 0.0
    integer: bool = False
    log: bool = False
    choices: tuple[str, ...] = ()

    def ends(self) -> list[str]:
        """Values that must all be allowed, as words: the ends, or every choice."""
        return list(self.choices) or [self.word(self.low), self.word(self.high)]

    def setting(self, proposed: float | int | str) -> float | int | str:
        """A proposal as it is tried: a number with no more digits than anybody would prescribe."""
        if isinstance(proposed, str) or self.integer:
            return proposed
        return min(max(float(f"{proposed:.{DIGITS}g}"), self.low), self.high)

    def word(self, value: float | int | str) -> str:
        return value if isinstance(value, str) else str(int(value)) if self.integer else repr(float(value))


class Rule(NamedTuple):
    """A condition on a result, ``name.field <= bound`` or ``>=``."""

    name: str
    field: str
    sign: str
    bound: float

    def excess(self, results: Mapping[str, Result]) -> float | None:
        """How far the result is on the wrong side, at most 0 where the condition is met; None where there is no such number."""
        value = value_of(results, self.name, self.field)
        if value is None:
            return None
        return value - self.bound if self.sign == "<=" else self.bound - value

    def __str__(self) -> str:
        return f"{self.name}{'' if self.field == 'estimate' else '.' + self.field} {self.sign} {self.bound:g}"


class Question(NamedTuple):
    """What is searched for.

    Attributes:
        maximise: or minimise. name, field: of the result. space: keys that vary. rules: conditions. fixed: other overrides.
        seed: of the search; that of the patients is the study's own.
    """

    maximise: bool
    name: str
    field: str
    space: tuple[Range, ...]
    rules: tuple[Rule, ...]
    fixed: tuple[str, ...]
    seed: int

    def definition(self) -> dict[str, Any]:
        """What must be the same for a search to go on."""
        limits = lambda one: [one.low, one.high, one.integer, one.log]
        space = {one.key: list(one.choices) or limits(one) for one in self.space}
        goal = ["maximise" if self.maximise else "minimise", self.name, self.field]
        rules, fixed = sorted(map(str, self.rules)), sorted(self.fixed)
        return {"goal": goal, "ranges": space, "subject to": rules, "overrides": fixed, "seed": self.seed}


class Outcome(NamedTuple):
    """A trial of the search: its job, value and whether every condition is met (None: it failed)."""

    job: Job
    value: float | None
    feasible: bool | None


# ---- from words


def read_words(words: Sequence[str]) -> tuple[tuple[Range, ...], tuple[str, ...]]:
    """Ranges, and the overrides that stay as they are.

    Raises:
        ConfigError: a range that is none, no range, a key given twice.
    """
    space, fixed = [], []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError("optimise", word, "KEY=LOW:HIGH, KEY=A,B,C or an override KEY=VALUE")
        found = _RANGE.fullmatch(value)
        choices = _choices(value)
        if found:
            space.append(_range(key, float(found[1]), float(found[2]), found[3].split(":")[1:]))
        elif len(choices) > 1:
            space.append(Range(key.lstrip("+"), choices=tuple(choices)))
        else:
            fixed.append(word)
    if not space:
        allowed = "at least one range: KEY=LOW:HIGH, KEY=LOW:HIGH:log, KEY=LOW:HIGH:int, KEY=A,B,C"
        raise ConfigError("optimise", " ".join(words), allowed)
    keys = [one.key for one in space] + [word.partition("=")[0] for word in fixed]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigError(key, None, "a key that is given once")
    return tuple(space), tuple(fixed)


def _range(key: str, low: float, high: float, kinds: Sequence[str]) -> Range:
    found = Range(key, low, high, "int" in kinds, "log" in kinds)
    if low >= high:
        raise ConfigError(key, f"{low:g}:{high:g}", "LOW:HIGH with LOW below HIGH")
    if found.log and low <= 0:
        raise ConfigError(key, f"{low:g}:{high:g}:log", "positive limits for a logarithmic range")
    if found.integer and not (low.is_integer() and high.is_integer()):
        raise ConfigError(key, f"{low:g}:{high:g}:int", "whole limits for a range of whole numbers")
    return found


def _choices(value: str) -> list[str]:
    """Words between commas that stand outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in value:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[{(":
            depth += 1
        elif letter in "]})":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return parts


def read_rule(text: str) -> Rule:
    """``dlt_rate<=0.33``, ``orr.low>=0.1``."""
    found = _RULE.fullmatch(text)
    if not found:
        raise ConfigError("--subject-to", text, "RESULT<=NUMBER or RESULT>=NUMBER, e.g. dlt_rate<=0.33 or dlt_rate.high<=0.4")
    return Rule(found[1], found[2] or "estimate", found[3], float(found[4]))


def split_field(text: str) -> tuple[str, str]:
    """``orr`` or ``orr.low``: a result, or a limit of its interval."""
    name, _, field = text.rpartition(".")
    return (name, field) if name and field in FIELDS else (text, "estimate")


def check(question: Question, compose: Callable[[Sequence[str]], StudyConfig]) -> None:
    """See that every end of every range, and every choice, is allowed, and that a trial has the results that are named.

    Raises:
        ConfigError: see above.
    """
    middle = {one.key: one.ends()[0] for one in question.space}
    kinds = set()
    for one in question.space:
        for end in one.ends():
            kinds.add(compose(_overrides(question, middle | {one.key: end})).analysis.kind)
    if kinds == {"trial"}:
        for key, name in [("optimise", question.name), *(("--subject-to", rule.name) for rule in question.rules)]:
            if name not in TRIAL_RESULTS:
                allowed = f"a result of a trial: {', '.join(TRIAL_RESULTS)}{near(name, TRIAL_RESULTS)}"
                raise ConfigError(key, name, allowed)


def _overrides(question: Question, values: Mapping[str, str]) -> list[str]:
    return [*question.fixed, *(f"{key}={value}" for key, value in values.items())]


def value_of(results: Mapping[str, Result], name: str, field: str) -> float | None:
    found = results.get(name)
    return None if found is None else getattr(found, field)


# ---- the loop


def search(
    question: Question,
    folder: Path,
    trials: int,
    compose: Callable[[Sequence[str]], StudyConfig],
    run: Callable[[StudyConfig, Path], Any],
    read_results: Callable[[Path], Mapping[str, Result]],
    done: Callable[[Outcome, float | None], None],
) -> list[Outcome]:
    """Go on with the search until so many trials are done, those of earlier calls included.

    Args:
        question: what is searched. folder: of the search. trials: in all.
        compose: settings from overrides. run: one study. read_results: of a finished run.
        done: is told each trial that ends, and how many seconds it took; also those of earlier calls, with None.

    Returns:
        The trials in order.

    Raises:
        ConfigError: the folder holds another search or something else, or a search is in progress there.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _held(folder):
        study = _study(question, folder)
        before = record.read(folder)
        jobs = list(before.jobs) if before else []
        began = before.started if before else record.now()
        outcomes: list[Outcome] = []
        keys = tuple(one.key for one in question.space)
        write = lambda: record.write(record.look(Record(folder, keys, tuple(jobs), started=began)))
        for number in range(trials):
            old = next((trial for trial in study.get_trials(deepcopy=False) if trial.number == number), None)
            if old is not None and old.state.is_finished():
                outcomes.append(_known(old, jobs))
                done(outcomes[-1], None)
                continue
            started = time.perf_counter()
            study.sampler = _sampler(question.seed, number)
            trial = optuna.trial.Trial(study, old._trial_id) if old is not None else study.ask(_distributions(question))
            outcome = _try(question, folder, trial, jobs, write, compose, run, read_results)
            for rule, excess in zip(question.rules, outcome[1], strict=False):
                trial.set_constraint(str(rule), excess)
            state = optuna.trial.TrialState.COMPLETE if outcome[0].value is not None else optuna.trial.TrialState.FAIL
            trial.set_user_attr("folder", outcome[0].job.folder)
            trial.set_user_attr("cause", outcome[0].job.cause)
            study.tell(trial, outcome[0].value, state)
            write()
            outcomes.append(outcome[0])
            done(outcome[0], time.perf_counter() - started)
        return outcomes


def best(outcomes: Sequence[Outcome], maximise: bool) -> Outcome | None:
    """The best trial that meets every condition; the earlier of equals."""
    good = [one for one in outcomes if one.feasible and one.value is not None]
    return min(good, key=lambda one: (-one.value if maximise else one.value, one.job.number), default=None)  # type: ignore[operator]


def _try(question, folder, trial, jobs, write, compose, run, read_results) -> tuple[Outcome, list[float]]:
    """One trial to its end. A failure is kept, and the search goes on."""
    number = trial.number
    values = {one.key: one.setting(trial.params[one.key]) for one in question.space}
    words = {one.key: one.word(values[one.key]) for one in question.space}
    overrides = tuple(_overrides(question, words))
    job = Job(number, f"{TRIALS}/{number:04d}", overrides, values, None)
    try:
        begun = record.read_status(folder / job.folder) is not None
        config = compose([*overrides, f"resume={str(begun).lower()}"])
        job = job._replace(config_sha256=config_sha256(config))
        same = (one for one in jobs if one.config_sha256 == job.config_sha256 and one.number != number)
        twin = next((one for one in same if one.state == COMPLETE), None)
        if twin is None:
            jobs[:] = [*(one for one in jobs if one.number != number), job]
            record.forget_failure(folder, number)
            write()
            run(config, folder / job.folder)
            job = job._replace(state=COMPLETE)
            jobs[-1] = job
        else:  # the same settings again: the same result
            job = twin._replace(number=number)
        results = read_results(folder / job.folder)
        value = value_of(results, question.name, question.field)
        excesses = [rule.excess(results) for rule in question.rules]
        asked = ((question.name, value), *zip((rule.name for rule in question.rules), excesses, strict=True))
        missing = [name for name, found in asked if found is None]
        if missing:
            there = "" if set(missing) <= set(results) else f"; results there: {', '.join(results)}"
            raise ConfigError("optimise", ", ".join(missing), f"results that a trial reaches{there}")
    except Exception as error:
        record.note_failure(folder, number, error)
        cause = record.one_line(error if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}")
        return Outcome(job._replace(state=record.FAILED, cause=cause), None, None), []
    return Outcome(job, value, all(excess <= 0 for excess in excesses)), excesses


def _known(trial: Any, jobs: Sequence[Job]) -> Outcome:
    """A trial that an earlier call finished."""
    folder = trial.user_attrs.get("folder", f"{TRIALS}/{trial.number:04d}")
    job = next((one for one in jobs if one.folder == folder), Job(trial.number, folder, (), dict(trial.params), None))
    job = job._replace(number=trial.number, cause=trial.user_attrs.get("cause", ""))
    if trial.value is None:
        return Outcome(job._replace(state=record.FAILED), None, None)
    return Outcome(job, trial.value, all(excess <= 0 for excess in trial.constraints.values()))


def _distributions(question: Question) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for one in question.space:
        if one.choices:
            made[one.key] = CategoricalDistribution(one.choices)
        elif one.integer:
            made[one.key] = IntDistribution(int(one.low), int(one.high), log=one.log)
        else:
            made[one.key] = FloatDistribution(one.low, one.high, log=one.log)
    return made


def _sampler(seed: int, number: int) -> Any:
    from optuna.samplers import TPESampler

    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return TPESampler(seed=own, multivariate=True, n_startup_trials=STARTUP)


def _study(question: Question, folder: Path) -> Any:
    """The search that the folder holds, or a new one."""
    import optuna

    file = folder / STUDY
    if not file.exists() and (record.read(folder) is not None or record.read_status(folder) is not None):
        raise ConfigError("--out", str(folder), "a folder without results, or with this search; this one holds a sweep or a run")
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    direction = "maximize" if question.maximise else "minimize"
    known = [one.study_name for one in optuna.get_all_study_summaries(storage)]
    if NAME not in known:
        study = optuna.create_study(storage=storage, study_name=NAME, direction=direction)
        study.set_user_attr("definition", question.definition())
        return study
    study = optuna.load_study(storage=storage, study_name=NAME)
    old, new = study.user_attrs.get("definition", {}), question.definition()
    apart = [f"{key}: {old.get(key)}, now {new[key]}" for key in new if old.get(key) != new[key]]
    if apart:
        allowed = f"the folder of this search, or another folder; this one holds a search with {'; '.join(apart)}"
        raise ConfigError("--out", str(folder), allowed)
    return study


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("--out", str(folder), f"a folder that can be made ({error.strerror})") from error
    handle = lock(folder, "--out", "a folder in which no other search is in progress")
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
