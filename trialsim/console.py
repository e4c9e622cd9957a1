"""What a person sees while a study runs, and at its end: progress, log lines, the final table.

On a terminal, progress is drawn and vanishes when done. Elsewhere (a file, a cluster's log) it is a line now and then.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

Mode = Literal["auto", "on", "off"]

LOG_EVERY_S = 15.0  # where no bar is drawn: a line at most this often
WORTH_SAYING_S = 2.0  # a step shorter than this is not mentioned

FILE_WIDTH = 120  # columns where the output is no terminal

out = Console(highlight=False, soft_wrap=True, width=None if Console().is_terminal else FILE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)
log = logging.getLogger("trialsim")
interrupted = threading.Event()  # Ctrl-C was pressed, see ``cli.interrupt``


def check_interrupted() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed and what it raised was lost on the way."""
    if interrupted.is_set():
        raise KeyboardInterrupt


@contextlib.contextmanager
def interrupts_told_apart() -> Iterator[None]:
    """An error that a library made of Ctrl-C (Hydra does while it composes) is raised as the KeyboardInterrupt it was."""
    try:
        yield
    except Exception:
        check_interrupted()
        raise


def set_up_logging(level: int = logging.INFO) -> None:
    """Send trialsim's log lines to standard error, once. ``run.log`` in the run folder is set up by ``RunFolder``.

    Other libraries are heard from WARNING on.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, RichHandler) for handler in root.handlers):
        handler = RichHandler(
            console=err, show_path=False, show_level=False, omit_repeated_times=False, log_time_format="%H:%M:%S"
        )
        handler.addFilter(lambda record: not getattr(record, "file_only", False))
        root.addHandler(handler)
    log.setLevel(level)


def drawn(mode: Mode) -> bool:
    """Whether progress is drawn: ``on`` and ``off`` as said, ``auto`` on a terminal only."""
    return mode == "on" or (mode == "auto" and err.is_terminal)


@contextlib.contextmanager
def progress(what: str, total: int, mode: Mode = "auto") -> Iterator[Callable[[int], None]]:
    """Progress of a loop.

    Args:
        what: what is being done, e.g. ``"simulating patients"``.
        total: number of things to do, e.g. patients.
        mode: ``compute.progress``.

    Yields:
        ``advance(n)``: call it when n more are done.
    """
    started = time.perf_counter()
    if drawn(mode):
        columns = (
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task(what, total=total)

            def advance(n: int) -> None:
                bar.advance(task, n)
                check_interrupted()

            yield advance
    else:
        done, said = 0, started
        compiled, before = started, 0  # the first piece is left out once there is a second: it compiles what the others use

        def advance(n: int) -> None:
            nonlocal done, said, compiled, before
            now = time.perf_counter()
            if mode != "off" and now - said >= LOG_EVERY_S and before < done + n < total:
                said = now
                left = (now - compiled) / (done + n - before) * (total - done - n)
                known = f", about {in_words(left)} left" if before else ""  # what compiles tells nothing of what follows
                log.info("%s: %d of %d%s", what, done + n, total, known)
            if done == 0:
                compiled, before = now, n
            done += n
            check_interrupted()

        yield advance
    _say(what, time.perf_counter() - started)


@contextlib.contextmanager
def step(what: str, mode: Mode = "auto") -> Iterator[None]:
    """A step of unknown length: a spinner on a terminal, one line with its duration at the end.

    Args:
        what: what is being done, e.g. ``"fitting the response model"``.
        mode: ``compute.progress``.
    """
    started = time.perf_counter()
    if drawn(mode):
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True
        ) as bar:
            bar.add_task(what, total=None)
            yield
    else:
        yield
    _say(what, time.perf_counter() - started)


def in_words(seconds: float) -> str:
    """A length of time, as exact as is of use: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _say(what: str, seconds: float) -> None:
    if seconds >= WORTH_SAYING_S:
        log.info("%s: done in %s", what, in_words(seconds))


def print_summary(summary: Mapping[str, Any], run_dir: object, console: Console | None = None) -> None:
    """The final table: endpoints, comparison with the published study, diagnostics (red when bad), where the report is.

    Args:
        summary: content of summary.json.
        run_dir: the run folder.
        console: where to print; standard output by default.
    """
    console = console or out
    regimen = summary.get("regimen") or {}
    dose = (
        f"{_number(regimen.get('dose'))} {regimen.get('unit', '')} {str(regimen.get('schedule', '')).replace('_', ' ')}"
    )
    console.print()
    console.print(f"[bold]{escape(str(summary.get('title') or summary.get('study', '')))}[/bold]")
    failed = summary.get("n_failed") or 0
    patients = (
        f"{summary.get('n_patients', 0)} virtual patients, {summary.get('drug', '')} {dose}, seed {summary.get('seed')}"
    )
    console.print(escape(patients) + (f" [bold red]({failed} could not be simulated)[/bold red]" if failed else ""))
    console.print(_endpoint_table(summary.get("endpoints") or {}))
    if summary.get("comparison"):
        console.print(_comparison_table(summary["comparison"], summary.get("published_trial")))
    _print_diagnostics(summary.get("diagnostics") or {}, console)
    _print_cautions(summary, console)
    console.print(f"Report: {run_dir}/report.html", markup=False)


def print_findings(summary: Mapping[str, Any], run_dir: object, console: Console | None = None) -> None:
    """The end of an analysis: those of its results that are estimates, what its checks found, where the report is.

    Args:
        summary, run_dir, console: as in `print_summary`.
    """
    console = console or out
    console.print()
    console.print(f"[bold]{escape(summary['title'])}[/bold]")
    console.print(f"{_words(summary['kind'])}, seed {summary['seed']}")
    found = {name: entry for name, entry in summary["results"].items() if isinstance(entry, Mapping) and "estimate" in entry}
    if found:
        predicted = all("low_90" in entry for entry in found.values())
        console.print(_endpoint_table(found, title="Results", interval="90% prediction" if predicted else "interval"))
    for message in summary["diagnostics"]["messages"]:
        console.print(f"CHECK FAILED: {message}", style="bold red", markup=False)
    _print_cautions(summary, console)
    console.print(f"Report: {run_dir}/report.html", markup=False)


def print_part(found: Mapping[str, Any], run_dir: object, console: Console | None = None) -> None:
    """What a run of one part of a study says at its end.

    Args:
        found: ``part``, ``parts``, ``patients``. run_dir, console: as in `print_summary`.
    """
    console = console or out
    done = f"Part {found['part']} of {found['parts']} is simulated: {found['patients']} virtual patients in {run_dir}"
    console.print(done, markup=False)
    console.print("When all parts are: trialsim merge OUT PART PART ...")


def _endpoint_table(
    endpoints: Mapping[str, Mapping[str, Any]], title: str = "Simulated", interval: str = "95% CI"
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name, side in (
        ("endpoint", "left"),
        ("estimate", "right"),
        (interval, "right"),
        ("n", "right"),
        ("unit", "left"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for name, row in endpoints.items():
        limits = _interval(row.get("low"), row.get("high"))
        table.add_row(
            _words(name), _number(row.get("estimate")), limits, _count(row.get("n")), escape(str(row.get("unit") or ""))
        )
    return table


def _comparison_table(comparison: Mapping[str, Mapping[str, Any]], trial: object) -> Table:
    table = Table(
        title=f"Against the published study{f' ({escape(str(trial))})' if trial else ''}", title_justify="left", title_style="bold"
    )
    columns = ("endpoint", "published", "95% CI", "predicted", "90% prediction", "inside")
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index == 0 else "right")
    for name, row in comparison.items():
        inside = row.get("inside_90")
        table.add_row(
            _words(name),
            _number(row.get("published")),
            _interval(row.get("published_low"), row.get("published_high")),
            _number(row.get("predicted")),
            _interval(row.get("low_90"), row.get("high_90")),
            "" if inside is None else "yes" if inside else "[yellow]no[/yellow]",
        )
    return table


def _print_diagnostics(diagnostics: Mapping[str, Any], console: Console) -> None:
    facts = (
        f"max R-hat {_number(diagnostics.get('max_rhat'), 4)}, min ESS {_count(diagnostics.get('min_ess'))}, "
        f"divergences {_count(diagnostics.get('divergences'))}"
    )
    if diagnostics.get("ok"):
        console.print(f"[green]Diagnostics good[/green]: {facts}")
        return
    console.print(f"[bold red]DIAGNOSTICS BAD[/bold red]: {facts}", style="red")
    for message in diagnostics.get("messages") or []:
        console.print(f"  {message}", style="red", markup=False)


def _print_cautions(summary: Mapping[str, Any], console: Console) -> None:
    for caution in summary.get("cautions") or []:
        console.print(f"Caution: {caution}", style="yellow", markup=False)


def _words(name: str) -> str:
    """``dlt_rate_5mg/m2`` -> ``DLT rate 5 mg/m2``; abbreviations of the field in capitals."""
    shown = {"orr": "ORR", "dcr": "DCR", "pfs": "PFS", "os": "OS", "dlt": "DLT"}
    words = " ".join(shown.get(word, word) for word in name.split("_"))
    return escape(re.sub(r"(\d)(mg)", r"\1 \2", words))


def _number(value: object, digits: int = 3) -> str:
    """A number to so many significant digits; a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    return f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}"


def _count(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, int | float) else "–"


def _interval(low: object, high: object) -> str:
    return "–" if low is None and high is None else f"{_number(low)} to {_number(high)}"
