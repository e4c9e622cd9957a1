"""What the tests share: how programs are compiled, and the shipped drug and network, read straight from conf/."""

import os
import sys
from pathlib import Path

import pytest
import yaml

CONF = Path(__file__).parents[1] / "conf"
sys.path.insert(0, str(Path(__file__).parent))  # settings_of, short_studies


def pytest_configure(config: pytest.Config) -> None:
    """In the default suite programs run for few patients, so that most of the time goes into compiling them: LLVM leaves out its
    optimisations, which halves that. With -m slow they are made as users have them."""
    if config.option.markexpr == "not slow":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"


@pytest.fixture(scope="session")
def drug():
    from trialsim.schema.drug import DrugSettings

    return DrugSettings(**yaml.safe_load((CONF / "drug" / "everolimus.yaml").read_text()))


@pytest.fixture(scope="session")
def network():
    from trialsim.schema.network import NetworkSettings

    return NetworkSettings(**yaml.safe_load((CONF / "network" / "default.yaml").read_text()))
