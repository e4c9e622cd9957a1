"""``trialsim -m``: the jobs of a sweep, each to its end whatever becomes of the others, and what is told of them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trialsim import console
from trialsim.cli.checks import Sweep, names_sweep_folder, sweep_folder_override
from trialsim.commands import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from trialsim.sweeps.record import Record
    from trialsim.sweeps.runs import Runs

FLAGS = ("-m", "--multirun")


def run_sweep(app: Callable[[], object], sweep: Sweep, words: Sequence[str]) -> int:
    """Run the jobs that are not complete, then say which failed and why.

    Args:
        app: starts the jobs, as Hydra's launcher does. sweep: what is asked for. words: of the command line.

    Returns:
        The exit code: 0, 1 if any job failed or was not run, 130 interrupted.

    Raises:
        ConfigError: another process sweeps in this folder, or it holds another sweep.
    """
    from trialsim.sweeps import record

    with record.claimed(sweep.record, sweep.resume) as begun:
        done = len(begun.having(record.COMPLETE))
        if sweep.resume and done:
            console.out.print(f"{done} of {len(begun.jobs)} runs of this sweep are complete already.")
        sys.argv[1:] = [*(word for word in words if not names_sweep_folder(word)), sweep_folder_override(begun.folder)]
        interrupted = False
        try:
            with console.interrupts_told_apart():
                app()
        except KeyboardInterrupt:
            interrupted = True
        except Exception as error:  # of the launcher, e.g. a worker that was killed: a job returns its own errors
            sys.stderr.write(f"trialsim: the jobs could not all be run: {type(error).__name__}: {error}\n")
        ended = record.look(begun)
        _tell(ended, words)
        compared = interrupted or _compare(ended)
    if interrupted:
        return INTERRUPTED
    return 0 if compared and len(ended.having(record.COMPLETE)) == len(ended.jobs) else FAILED


def _tell(ended: Record, words: Sequence[str]) -> None:
    """One line a job that is not complete, and how to go on."""
    from trialsim.sweeps import record

    rest = [job for job in ended.jobs if job.state != record.COMPLETE]
    console.out.print(f"Sweep: {len(ended.jobs) - len(rest)} of {len(ended.jobs)} runs complete in {ended.folder}", markup=False)
    for job in rest:
        cause = f": {job.cause}" if job.cause else ""
        sys.stderr.write(f"trialsim: job {job.number} ({job.told}) {job.state}{cause}\n")
    if rest:
        sys.stderr.write(f"trialsim: to go on: {_again(ended, words)}\n")


def _tell_faults(runs: Runs, ended: Record) -> None:
    """Complete runs whose own checks failed, and how one is made again: its settings are part of the sweep and stay as they are."""
    jobs = {str(job.number): job for job in ended.jobs}
    bad = [run for run in runs.complete if run.fault]
    for run in bad:
        sys.stderr.write(f"trialsim: job {run.name} ({jobs[run.name].told}): CHECK FAILED: {run.fault}\n")
    if bad:
        again = shlex.join(["trialsim", *jobs[bad[0].name].overrides, "hydra.run.dir=FOLDER"])
        sys.stderr.write(f"trialsim: to make one again with other settings: {again} SETTING=VALUE, then trialsim compare\n")


def _compare(ended: Record) -> bool:
    """Write the report of the sweep, if there is something to compare. Whether that went well."""
    from trialsim.sweeps.runs import read_sweep

    try:
        runs = read_sweep(ended.folder)
        _tell_faults(runs, ended)
        if len(runs.complete) > 1 and runs.main:
            from trialsim.report.sweep import write_sweep

            console.out.print(f"Report of the sweep: {write_sweep(runs, ended.folder)}", markup=False)
    except Exception as error:  # the runs are whole; the report can be written again
        again = f"trialsim compare {shlex.quote(str(ended.folder))}"
        sys.stderr.write(f"trialsim: no report of the sweep ({type(error).__name__}: {error}); {again} writes it again\n")
        return False
    return True


def _again(ended: Record, words: Sequence[str]) -> str:
    """The command that goes on with the sweep."""
    kept = [word for word in words if word not in FLAGS and not names_sweep_folder(word) and not word.startswith("resume=")]
    return shlex.join(["trialsim", "-m", *kept, f"hydra.sweep.dir={ended.folder}", "resume=true"])
