"""Synthetic run folders for the tests of the report."""

import functools
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # in_browser, synthetic_run

from synthetic_run import write_run  # noqa: E402 - found on the path above


@pytest.fixture(scope="session")
def adult_run(tmp_path_factory):
    """Adult single-arm run with its report. Shared: do not change the folder."""
    from trialsim.report import write_report

    folder = write_run(tmp_path_factory.mktemp("adult"))
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def paediatric_run(tmp_path_factory):
    """Paediatric 3+3 run with its report. Shared: do not change the folder."""
    from trialsim.report import write_report

    folder = write_run(tmp_path_factory.mktemp("paediatric"), count=156, paediatric=True)
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def run_template(tmp_path_factory):
    """Run folders without a report, each made once."""
    return functools.cache(lambda count, paediatric: write_run(tmp_path_factory.mktemp("run"), count, paediatric))


@pytest.fixture
def make_run(run_template, tmp_path):
    """A run folder of one's own to spoil: make_run(count=..., paediatric=...)."""

    def make(count=40, paediatric=False):
        return Path(shutil.copytree(run_template(count, paediatric), tmp_path / "run"))

    return make
