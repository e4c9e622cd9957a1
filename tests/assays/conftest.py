"""A small experiment, grown once for all tests of this folder."""

import pandas as pd
import pytest

from trialsim import compose
from trialsim.assays import experiment
from trialsim.engine.xla import keep_programs

LINES = ["hepatocyte_fetal", "hepatocyte_adult", "ca46", "panc1", "panc1_stroma", "epithelial_frb"]
EXACT = {  # errors of measuring: none
    name: 0.0
    for name in ("seeding_cv", "luminescence_cv", "plate_cv", "count_cv", "imaged", "band_cv", "loading_cv", "loading_control_cv",
                 "blot_floor", "gate_sd", "annexin_V_handling")
} | {"edge_loss": (0.0, 0.0, 0.0), "events": 0}  # fmt: skip


def small(*overrides):
    """Rapamycin and dactolisib on `LINES`."""
    lines = f"cell_line=[{','.join(LINES)}]"
    quick = ["compute.progress=off", "~analysis.treatments.mk2206"]
    return compose("assay_burkitt", [lines, *quick, *overrides])


@pytest.fixture(scope="session")
def config():
    keep_programs()  # the program of the cultures is compiled by the first process that needs it
    return small()


@pytest.fixture(scope="session")
def settings(config):
    return config.analysis


@pytest.fixture(scope="session")
def exact(settings):
    """The same settings, every instrument perfect."""
    return settings.model_copy(update={"instrument": settings.instrument.model_copy(update=EXACT)})


@pytest.fixture(scope="session")
def states(config, settings):
    grown = [experiment.grow_line(config, settings, name, line) for name, line in config.cell_line.items()]
    return pd.concat(grown, ignore_index=True)
