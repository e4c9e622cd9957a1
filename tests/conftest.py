"""Settings shared by the tests: the shipped drug and network, read straight from conf/."""

import sys
from pathlib import Path

import pytest
import yaml

CONF = Path(__file__).parents[1] / "conf"
sys.path.insert(0, str(Path(__file__).parent))  # settings_of, short_studies


@pytest.fixture(scope="session")
def drug():
    from trialsim.schema.drug import DrugSettings

    return DrugSettings(**yaml.safe_load((CONF / "drug" / "everolimus.yaml").read_text()))


@pytest.fixture(scope="session")
def network():
    from trialsim.schema.network import NetworkSettings

    return NetworkSettings(**yaml.safe_load((CONF / "network" / "default.yaml").read_text()))
