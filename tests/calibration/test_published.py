"""Published numbers as the calibration takes them."""

import numpy as np
import pytest

from trialsim.calibration.arms import arms_of
from trialsim.calibration.library import cells_of
from trialsim.calibration.published import numbers_of
from trialsim.cli.trial_file import compose_trial


def by_name(trial: str) -> dict:
    return {one.name.removeprefix(f"{trial}/"): one for one in numbers_of(arms_of(compose_trial(trial)))}


def test_record1():
    found = by_name("record1")  # Motzer, Cancer 2010;116:4256; 277 patients, of low trust, so that they count half
    assert found["drug median_pfs"].value == 4.9 and found["drug median_pfs"].n == 138 and found["control median_pfs"].value == 1.9
    ratio = found["drug pfs_hr"]
    assert ratio.value == 0.33 and ratio.other == "record1/control"
    assert 0.1 < ratio.se < 0.2


def test_a_hazard_ratio_takes_the_error_that_its_limits_tell():
    ratio = by_name("radiant3")["drug pfs_hr"]  # 0.35 (0.27-0.45), Yao 2011
    assert ratio.se == pytest.approx(np.sqrt(2.0) * np.log(0.45 / 0.27) / 3.92)  # low trust: as of half as many patients


def test_what_is_defined_otherwise_is_left_out():
    assert "drug clinical_benefit_rate" not in by_name("krueger10")  # 30 % of the volume, not 24 weeks of disease control
    assert "drug clinical_benefit_rate" in by_name("cpct03")


def test_survival_beyond_the_last_point_of_a_curve_counts():
    assert by_name("radiant3")["drug median_os"].value == 44.0


def test_a_mixed_trial_has_a_cell_for_every_tumour_type():
    arm = arms_of(compose_trial("cpct03"))[0]
    cells = cells_of(arm)
    assert len(cells) == len(arm.config.cohort.mix) and sum(cell.share for cell in cells) == pytest.approx(1.0)


def test_an_active_control_has_its_own_drugs():
    drug, control = arms_of(compose_trial("lenva_rcc15"))
    assert drug.config.partner["lenvatinib"].regimen.dose == 18 and control.config.partner["lenvatinib"].regimen.dose == 24
    drug, control = arms_of(compose_trial("global_arcc"))
    assert not drug.config.partner and set(control.config.partner) == {"interferon_alfa"}
