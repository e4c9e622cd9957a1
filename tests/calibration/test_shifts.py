"""A shift of settings does the same to patients who are drawn anew and to patients who are moved."""

import numpy as np
import pytest
from scipy.special import logit

from trialsim.calibration.apply import shifted
from trialsim.calibration.arms import arms_of
from trialsim.calibration.parameters import parameters_of, strength, varied
from trialsim.cli.trial_file import compose_trial
from trialsim.cohort import sample_cohort
from trialsim.mechanism.individual import individual_parameters
from trialsim.schema.partner import EffectSettings

IDS = np.arange(300)
SHIFTS = {
    "growth": 0.5, "dependence": 0.8, "death": -0.4, "new_lesions": 0.3, "growth_spread": -0.2, "resistance": 0.6,
    "line_growth": 0.2, "line_dependence": -0.3, "cell_loss": 0.2, "exposure": -0.5,
}  # fmt: skip
COLUMNS = ("growth_rate_per_day", "new_lesion_rate_per_day", "death_rate_per_day", "resistant_fraction", "pathway_dependence")


@pytest.fixture(scope="module")
def trial():
    return compose_trial("ng13")


def named(shifts: dict, kind: str, drug: str) -> dict:
    of_type = {"growth", "dependence", "death"}
    word = lambda name: f"{name} {kind}" if name in of_type else f"exposure {drug}" if name == "exposure" else name
    return {word(name): value for name, value in shifts.items()}


def test_moving_patients_is_drawing_them_from_shifted_settings(trial):
    shifts = {name: np.full(len(IDS), shift) for name, shift in SHIFTS.items()}
    moved = varied(trial, "colorectal", sample_cohort(trial.cohort, trial.tumour, 5, IDS), shifts)
    config = shifted(trial, named(SHIFTS, "colorectal", "everolimus"))
    drawn = sample_cohort(config.cohort, config.tumour, 5, IDS)
    for name in COLUMNS:
        np.testing.assert_allclose(moved[name], drawn[name], rtol=2e-6, err_msg=name)


def test_a_column_called_as_a_setting_is_the_setting_patient_by_patient(trial):
    base = sample_cohort(trial.cohort, trial.tumour, 5, IDS)
    shifts = {"cell_loss": 0.2, "exposure": -0.5, "KRAS": 0.7}
    moved = varied(trial, "colorectal", base, {k: np.full(300, v) for k, v in shifts.items()})
    config = shifted(trial, named(shifts, "colorectal", "everolimus"))
    build = lambda c, covariates: individual_parameters(covariates, c.drug, c.network, c.tumour, 5, IDS, 3, 10.0)
    one, other = build(trial, moved), build(config, base)
    np.testing.assert_allclose(one.growth.phi, other.growth.phi)
    np.testing.assert_allclose(one.growth.b, other.growth.b)
    np.testing.assert_allclose(one.binding.partition, other.binding.partition)
    assert not np.allclose(one.growth.b, build(trial, base).growth.b)


def test_no_shift_changes_nothing(trial):
    base = sample_cohort(trial.cohort, trial.tumour, 5, IDS)
    same = varied(trial, "colorectal", base, {})
    for name in COLUMNS:
        np.testing.assert_allclose(same[name], base[name])
    config = shifted(trial, {})
    assert config.tumour == trial.tumour and config.network == trial.network and config.drug == trial.drug


def test_what_an_outcome_depends_on_follows_the_arm():
    drug, control = arms_of(compose_trial("bolero2"))
    with_drug, without = (parameters_of(arm.config, "breast_hr", arm.on_drug) for arm in (drug, control))
    assert {"exposure", "dependence", "partner exemestane", "line_endocrine"} <= set(with_drug)
    assert "exposure" not in without and "partner exemestane" in without
    placebo = arms_of(compose_trial("radiant3"))[1]
    assert "dependence" not in parameters_of(placebo.config, "pancreatic_net", placebo.on_drug)


def test_what_hangs_on_the_hormone_is_told_by_hormonal_arms_alone():
    told = lambda name: {arm.arm: "insensitive" in parameters_of(arm.config, kind, arm.on_drug)
                         for arm in arms_of(compose_trial(name)) for kind in arm.config.cohort.mix}  # fmt: skip
    assert all(told("bolero2").values()) and not any(told("radiant3").values())
    trial = arms_of(compose_trial("bolero2"))[0].config
    base = sample_cohort(trial.cohort, trial.tumour, 5, IDS)
    moved = varied(trial, "breast_hr", base, {"insensitive": np.full(len(IDS), 1.0)})
    before, after = trial.network.growth, shifted(trial, {"insensitive": 1.0}).network.growth
    odds = lambda share: share / (1.0 - share)
    assert odds(after.endocrine_insensitive) == pytest.approx(np.e * odds(before.endocrine_insensitive))
    build = lambda c, covariates: individual_parameters(covariates, c.drug, c.network, c.tumour, 5, IDS, 3, 10.0, c.partner)
    np.testing.assert_allclose(build(trial, moved).growth.endocrine_insensitive, after.endocrine_insensitive, rtol=1e-6)


def test_earlier_lines_leave_a_hormone_drug_less_effect():
    trial = arms_of(compose_trial("bolero2"))[0].config
    base = sample_cohort(trial.cohort, trial.tumour, 5, IDS)
    build = lambda c: individual_parameters(base, c.drug, c.network, c.tumour, 5, IDS, 3, 10.0, c.partner).partners.maximum[:, 0, 0]
    usual, resistant = (build(shifted(trial, {"line_endocrine": per_line})) for per_line in (0.0, -1.0))
    lines = base["line"].to_numpy()
    assert np.all(resistant[lines > 1] < usual[lines > 1]) and np.all(np.diff(np.unique(np.c_[lines, resistant], axis=0)[:, 1]) < 0)
    np.testing.assert_allclose(resistant[lines == 1], usual[lines == 1], rtol=1e-6)


def test_an_effect_stays_within_its_bounds():
    effect = lambda largest, hill=1.0: EffectSettings(IC50_nM=20.0, hill=hill, max=largest, source="a test")
    moved = lambda largest, shift, node: strength(effect(largest), shift, node)["max"]
    assert moved(0.9, 0.0, "endocrine") == pytest.approx(0.9)
    assert 0.0 < moved(0.9, -5.0, "endocrine") < 0.9 < moved(0.9, 9.0, "supply") < 1.0
    assert moved(0.5, 1.0, "cytotoxic") > 0.5


@pytest.mark.parametrize("hill", [1.0, 1.7])
def test_a_shift_moves_the_logit_of_what_a_drug_blocks_that_can_block_wholly(hill):
    effect = EffectSettings(IC50_nM=20.0, hill=hill, max=1.0, source="a test")
    blocked = lambda potency, nM: nM**hill / (nM**hill + potency**hill)
    (name, potency), = strength(effect, 0.8, "MEK").items()
    assert name == "IC50_nM"
    for nM in (0.1, 20.0, 900.0):
        assert logit(blocked(potency, nM)) - logit(blocked(20.0, nM)) == pytest.approx(0.8)


def test_the_potency_of_a_partner_is_the_setting_patient_by_patient():
    trial = arms_of(compose_trial("gupta15_breast"))[0].config
    base = sample_cohort(trial.cohort, trial.tumour, 5, IDS)
    shifts = {"partner mk2206": np.linspace(-1.0, 1.0, len(IDS))}
    assert parameters_of(trial, "breast_hr", True)["partner mk2206"].of == "potency"
    moved = varied(trial, "breast_hr", base, shifts)
    all_of = lambda c, covariates: individual_parameters(covariates, c.drug, c.network, c.tumour, 5, IDS, 3, 10.0, c.partner)
    build = lambda c, covariates: all_of(c, covariates).partners
    found = build(trial, moved)
    for k in (0, -1):
        config = shifted(trial, {"partner mk2206": float(shifts["partner mk2206"][k])})
        np.testing.assert_allclose(found.IC50_nM[k], build(config, base).IC50_nM[k])
    hill = trial.partner["mk2206"].inhibits["AKT_allosteric"].hill
    assert found.IC50_nM[0, 0] / found.IC50_nM[-1, 0] == pytest.approx(np.exp(2.0 / hill))
