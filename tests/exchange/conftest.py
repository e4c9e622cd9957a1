"""One synthetic finished trial for all tests of this folder."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_trial import write_trial

from trialsim import load_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The trial. Shared: do not change the folder."""
    return load_run(write_trial(tmp_path_factory.mktemp("exchange") / "run"))


@pytest.fixture
def own_run(run, tmp_path):
    """A folder of one's own."""
    return Path(shutil.copytree(run.path, tmp_path / "run"))
