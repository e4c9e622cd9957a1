"""``trialsim [run] OVERRIDE ...``: one study, or a sweep of them, as Hydra starts them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from trialsim import console
from trialsim._paths import conf_dir
from trialsim.cli.checks import check_all
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, missing_choice, validate_job
from trialsim.cli.safety import check_options
from trialsim.cli.sweep import run_sweep
from trialsim.commands import BAD_INPUT, INTERRUPTED, say
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig


def _job(config: DictConfig, keep: Mapping[str, str]) -> str | None:
    """One job as Hydra starts it: validate, run, show.

    In a sweep an error is kept and returned in words, not raised: launchers differ in what they do with one, and none of them may
    stop or hide the other jobs.
    """
    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    if hydra_config.mode != RunMode.MULTIRUN:
        _run(validate_job(config), folder, keep)
        return None
    from trialsim.sweeps import record

    sweep, job = Path(str(hydra_config.sweep.dir)), hydra_config.job
    record.forget_failure(sweep, job.num)
    failed = None
    try:
        _run(validate_job(config), folder, keep)
        console.check_interrupted()
    except Exception as error:
        console.check_interrupted()  # the error may be what a library made of it
        record.note_failure(sweep, job.num, error)
        sys.stderr.write(f"trialsim: job {job.num} ({job.override_dirname}) failed: {error}\n")
        failed = str(error)
    with contextlib.suppress(ConfigError, OSError):  # the record is told of where the sweep ends
        console.log.info("sweep: %s", record.how_far(sweep))
    return failed


def _run(config: StudyConfig, folder: Path, keep: Mapping[str, str]) -> None:
    # Imported here: bad input must be told before the seconds that JAX takes to load.
    from trialsim.artefacts import is_finished

    console.set_up_logging()
    if is_finished(folder, config):
        console.out.print(f"{folder} holds this run already finished; nothing to do.", markup=False)
        return
    from trialsim import study

    found = study.run(config, folder, keep)
    if config.compute.parts > 1:
        console.print_part(found, folder)
    elif config.analysis.kind == "trial":
        console.print_summary(found, folder)
    else:
        console.print_findings(found, folder)


def run(words: Sequence[str], keep: Mapping[str, str] | None = None) -> int:
    """Check, then run what the words ask for.

    Args:
        words: of the command line, after ``trialsim``. keep: texts to lie in the folder of each run, by the name of the file.

    Returns:
        The exit code: 0, 1 jobs of a sweep failed, 2 bad input, 130 interrupted. A single run that fails raises.
    """
    # Hydra reads sys.argv, and wants its flags before the overrides; `trialsim cohort.size=500 -m seed=1,2` is as clear
    sys.argv[1:] = sorted(words, key=lambda word: word not in ("-m", "--multirun"))
    arguments = get_args_parser().parse_args()
    only_tells = arguments.help or arguments.hydra_help or arguments.cfg or arguments.info or arguments.shell_completion
    # Hydra would print its own message and exit with 1; with this it hands us the error instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"

    def job(config: DictConfig) -> str | None:  # Hydra asks a function for its module, which a partial lacks
        return _job(config, keep or {})

    app = hydra.main(version_base=VERSION_BASE, config_path=str(conf_dir()), config_name=CONFIG_NAME)(job)
    try:
        sweep = None
        try:
            with console.interrupts_told_apart():
                if only_tells:
                    check_options(arguments)
                else:
                    sweep = check_all(arguments)
        except ConfigError as error:
            say(error)
            sys.stderr.write("Nothing was run. `trialsim --help` says what there is to choose.\n")
            return BAD_INPUT
        if sweep is not None:
            return run_sweep(app, sweep, sys.argv[1:])
        with console.interrupts_told_apart():
            app()
    except ConfigError as error:
        say(error)
        return BAD_INPUT
    except (HydraException, OmegaConfBaseException) as error:
        said = ConfigError("command line", " ".join(words), " ".join(str(error).split()))
        say(missing_choice(error) or said)
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("trialsim: interrupted; resume=true with the same hydra.run.dir goes on from the last stage\n")
        return INTERRUPTED
    return 0
