"""A trial's file: what it becomes, and that whatever is wrong in it is told by its key."""

import os
from pathlib import Path

import pytest
import yaml

from trialsim import cli, compose_trial
from trialsim._paths import conf_dir
from trialsim.bank.treatments import arm_of
from trialsim.cli.trial_checks import LYMPHOMAS
from trialsim.cli.trial_file import read_trial, shipped
from trialsim.commands import start
from trialsim.evidence import load_efficacy
from trialsim.schema import ConfigError
from trialsim.schema.design.treatments import CONTROL, DRUG
from trialsim.schema.faults import flatten

MINE = {"title": "Mine", "drug": "everolimus", "dose": 10, "unit": "mg", "patients": 30,
        "tumour_types": {"colorectal": 0.5, "hcc": 0.5}}  # fmt: skip


def write(folder: Path, **changed: object) -> Path:
    file = folder / "my trial.yaml"
    file.write_text(yaml.safe_dump({key: value for key, value in (MINE | changed).items() if value != "absent"}))
    return file


DIFFERENT = ("arst0921", "bolero2", "cpct03", "fouladi07", "global_arcc", "gupta15_prostate", "krueger10", "lenva_rcc15", "ng13")


@pytest.mark.parametrize("name", [name if name in DIFFERENT else pytest.param(name, marks=pytest.mark.slow) for name in shipped()])
def test_every_trial_that_comes_along_is_predicted_for_its_own_patients(name: str) -> None:
    _, trial, _ = read_trial(name)
    config = compose_trial(name)
    assert config.analysis.kind == "predict" and config.study.title == trial.title
    assert trial.tumour_types in ("population", config.cohort.mix) and config.study.published == trial.published
    assert (config.analysis.patients, config.analysis.patients_control) == (trial.patients, trial.patients_control)
    assert (config.drug.name, config.regimen.dose, config.regimen.schedule) == (trial.drug, trial.dose, trial.schedule)
    assert set(config.partner) == set(trial.partners) | set(trial.control_partners)
    assert (config.analysis.selection, config.analysis.dose_levels) == (trial.selection, trial.dose_levels)
    assert config.endpoint.criteria == trial.response
    given = {arm: set(arm_of(config, arm).partner) for arm in (DRUG, CONTROL)}
    assert given[DRUG] == set(trial.partners)
    assert given[CONTROL] == set(trial.control_partners if trial.control == "active" else trial.partners)


@pytest.mark.parametrize("name", shipped())
def test_every_trial_that_comes_along_is_one(name: str) -> None:
    """Drugs, tumour types and published arms are there, and the arm is of the drug."""
    assert read_trial(name)[1].title


def test_every_arm_with_a_result_is_an_arm_of_a_trial_or_said_not_to_be() -> None:
    """What cannot be simulated yet is a short list that may only get shorter."""
    efficacy = load_efficacy()
    known = efficacy[["orr_percent", "n_pr", "median_pfs_months", "dcr_percent"]].notna().any(axis=1)
    arms = set(efficacy.loc[known & (efficacy["role"] == "fit"), "trial_id"])
    told = {trial.published.partition("/")[0] for trial in (read_trial(name)[1] for name in shipped()) if trial.published}
    assert arms - told == {"DRONCA14"}  # temozolomide is not described


def test_the_template_shows_every_key_of_a_trial() -> None:
    from trialsim.schema.trial_file import TrialFile

    data = yaml.safe_load((conf_dir() / "trial" / "template.yaml").read_text())
    assert set(data) == set(TrialFile.model_fields)
    defaults = {key: field.default for key, field in TrialFile.model_fields.items() if not field.is_required()}
    assert {key: data[key] for key in defaults if key != "selection"} == {k: v for k, v in defaults.items() if k != "selection"}


def test_all_keys_reach_the_study(tmp_path: Path) -> None:
    file = write(
        tmp_path, tumour_types={"hcc": 0.25, "neuroblastoma": 0.75}, partners={"exemestane": {}, "letrozole": {"dose": 1.0}},
        selection={"pik3ca": True, "kras": False}, lines=[0.0, 1.0], control="placebo", patients_control=15, crossover=True,
        scan_interval_weeks=6, confirmation=True, reader="central", accrual_months=5, follow_up_months=4, schedule="weekly",
        days_on=21, days_off=7,
    )  # fmt: skip
    config = compose_trial(file, ["analysis.draws=3"])
    asked, regimen = config.analysis, config.regimen
    assert config.study.name == "my_trial" and config.cohort.mix == {"hcc": 0.25, "neuroblastoma": 0.75}
    assert (regimen.schedule, regimen.days_on, regimen.days_off, regimen.max_treatment_days) == ("weekly", 21, 7, 273)
    assert asked.selection == {"pik3ca": True, "kras": False} and config.cohort.clinical.line == [0.0, 1.0]
    assert (asked.control, asked.patients_control, asked.crossover) == ("placebo", 15, True)
    assert (asked.reader, asked.draws) == ("central", 3)
    assert (config.endpoint.scan_interval_weeks, config.endpoint.confirmation_weeks, config.endpoint.central_review) == (6, 4, True)
    assert (asked.accrual_months, asked.follow_up_months, config.design.max_follow_up_months) == (5, 4, 9)
    assert config.partner["letrozole"].regimen.dose == 1.0 and config.partner["exemestane"].regimen.dose == 25


def test_children_come_from_the_paediatric_population(tmp_path: Path) -> None:
    file = write(tmp_path, age_group="paediatric", unit="mg/m2", dose=5, tumour_types={"low_grade_glioma": 1.0})
    config = compose_trial(file)
    assert config.cohort.age.minimum_y < 18 and config.cohort.mix == {"low_grade_glioma": 1.0}
    assert (config.regimen.dose, config.regimen.unit, config.design.kind) == (5, "mg/m2", "single_arm")


CONTROLLED = {"control": "placebo", "patients_control": 9}
CHILDREN = {"age_group": "paediatric", "unit": "mg/m2", "dose": 5}
BAD = [
    ({"drug": "rapamycine"}, "drug", "everolimus"),
    ({"unit": "absent"}, "unit", "required"),
    ({"tumour_types": {"colorectal": 0.5}}, "tumour_types", "sum to 1"),
    ({"tumour_types": {"colorectl": 1.0}}, "tumour_types.colorectl", "did you mean 'colorectal'"),
    ({"tumour_types": {}}, "tumour_types", "at least one tumour type"),
    ({"tumour_types": "everybody"}, "tumour_types", "population"),
    ({"control": "active", "patients_control": 9}, "control_partners", "at least one drug with control: active"),
    ({"control_partners": {"letrozole": {}}}, "control_partners", "{} with any other"),
    (CONTROLLED | {"control": "active", "control_partners": ["letrzole"]}, "control_partners.letrzole", "did you mean 'letrozole'"),
    ({"dose_levels": [5, 1000]}, "dose_levels", "at most 250 mg"),
    ({"response": "RECIST"}, "response", "RECIST 1.1"),
    ({"patients": 0}, "patients", "at least 1"),
    ({"patients": "many"}, "patients", "whole number"),
    ({"selection": {"pik3ca": "mutated"}}, "selection.pik3ca", "true or false"),
    ({"selection": {"pik3c": True}}, "selection.pik3c", "pik3ca"),
    ({"control": "placebo"}, "patients_control", "at least 1 with any other"),
    ({"dose": 10000}, "dose", "at most 250 mg"),
    ({"dose": "10 mg"}, "dose", "a number"),
    ({"age_group": "paediatric"}, "unit", "mg/m2"),
    ({"lines": [0.2, 0.2]}, "lines", "sum to 1"),
    ({"partners": {"exemestan": {}}}, "partners.exemestan", "did you mean 'exemestane'"),
    ({"colour": "red"}, "colour", "no such key"),
    ({"published": "NG31/10mg_d"}, "published", "did you mean 'NG13'"),
    ({"published": "OZA11/chemo_naive"}, "published", "was given temsirolimus"),
    (CONTROLLED | {"published_control": "RECORD1/everolimus"}, "published_control", "RECORD1/placebo"),
    ({"published_control": "RECORD1/placebo"}, "published_control", "null with control: none"),
    ({"drug": None}, "drug", "everolimus"),
    ({"unit": "g"}, "unit", "use one of 'mg' or 'mg/m2' (mg, or"),  # no guess: a wrong unit is a wrong dose
    ({"unit": "mg/kg"}, "unit", "use one of 'mg' or 'mg/m2' (mg, or"),
    ({"dose": -5}, "dose", "greater than 0"),
    ({"dose_levels": [5, -10]}, "dose_levels.1", "greater than 0"),
    ({"dose_levels": [5, 5]}, "dose_levels", "rise, each once"),
    (CONTROLLED | {"dose_levels": [5, 10]}, "dose_levels", "null with a control arm; control is placebo"),
    ({"partners": {"exemestane": {"dose": -1}}}, "partners.exemestane.dose", "greater than 0"),
    ({"partners": {"exemestane": {"dosis": 1}}}, "partners.exemestane.dosis", "did you mean 'dose'"),
    ({"partners": ["exemestane", "exemestane"]}, "partners", "each name once"),
    ({"tumour_types": {"colorectal": 0.5, "hcc": 0.6}}, "tumour_types", "these sum to 1.1"),
    ({"tumour_types": {"colorectal": 1.5, "hcc": -0.5}}, "tumour_types.hcc", "at least 0"),
    ({"tumour_types": "populaton"}, "tumour_types", "did you mean 'population'"),
    ({"patients": -3}, "patients", "at least 1"),
    ({"patients_control": 10}, "patients_control", "0 with control: none"),
    ({"crossover": True}, "crossover", "false with control: none"),
    ({"scan_interval_weeks": 0}, "scan_interval_weeks", "at least 2"),
    ({"scan_interval_weeks": -8}, "scan_interval_weeks", "at least 2"),
    ({"scan_interval_weeks": 27}, "scan_interval_weeks", "at most 26"),
    ({"schedule": "dayly"}, "schedule", "did you mean 'daily'"),
    ({"days_off": 7}, "days_off", "0 with days_on: null"),
    ({"partners": {"trastuzumab": {"unit": "mg"}}}, "partners.trastuzumab.unit", "with partners.trastuzumab.dose"),
    ({"response": "volume", "confirmation": True}, "confirmation", "false with response: volume"),
    ({"disease_control_weeks": 0.01}, "disease_control_weeks", "at least 1"),
    ({"accrual_months": 0}, "accrual_months", "greater than 0"),
    ({"benefit_weeks": 0}, "benefit_weeks", "greater than 0"),
    ({"selection": ["tsc", "tsc"]}, "selection", "each name once"),
    ({"selection": {"pik3ca": 1}}, "selection.pik3ca", "true or false"),
    ({"selection": ["pik3ca"], "tumour_types": {"sega": 1.0}}, "selection", "0 of them have these"),  # prevalence 0
    ({"selection": {"akt1": True, "mtor": True, "pik3ca": True}}, "selection", "at least 1 in 2000 patients"),
    ({"selection": {"akt1": True, "mtor": True, "pik3ca": True}, "tumour_types": "population"}, "selection", "1 in 2000"),
    ({"selection": {"pten_mutation": True, "akt1": True}}, "selection", "akt1 0.0075, pten_mutation 0.04; hardly ever together"),
    ({"selection": {"tsc": True, "kras": True}, "tumour_types": {"sega": 1.0}}, "selection", "too rare by itself: kras"),
    (CHILDREN | {"tumour_types": {"prostate": 1}}, "tumour_types.prostate", "3 to 21 years; prostate is of 40 to 90 years"),
    (CHILDREN | {"tumour_types": {"neuroblastoma": 0.9, "glioblastoma": 0.0, "prostate": 0.1}}, "tumour_types.prostate", "3 to 21"),
    (CHILDREN | {"partners": ["exemestane"]}, "partners.exemestane", "unit: mg/m2}, as age_group is paediatric"),
    ({"dose_levels": [1, 2, 3], "patients": 2}, "dose_levels", "as many levels as patients, 2"),
    ({"response": "lymphoma"}, "response", "not all tumour types are lymphomas"),
    ({"response": "lymphoma", "tumour_types": "population"}, "response", "lymphomas"),
    ({"accrual_months": 0.5, "follow_up_months": 0.4}, "follow_up_months", "at least 0.5, as accrual_months is 0.5"),
    ({"accrual_months": float("inf")}, "accrual_months", "a finite number greater than 0 and at most 240"),
    ({"follow_up_months": float("nan")}, "follow_up_months", "a finite number of at least 0 and at most 240"),
    ({"dose": float("nan")}, "dose", "a finite number greater than 0"),
    ({"patients": float("inf")}, "patients", "a whole number"),
    ({"dose_levels": [5, float("inf")]}, "dose_levels.1", "a finite number"),
    ({"partners": {"exemestane": {"dose": float("nan")}}}, "partners.exemestane.dose", "greater than 0 and at most 3000"),
    ({"dose": "1e6"}, "dose", "YAML takes '1e6' for text: write 1000000 or 1.0e+6, without quotes"),
    ({"patients": "40"}, "patients", "write 40, without quotes"),
    ({"control": False}, "control", "write the word none"),
    ({"control": None}, "control", "write the word none"),
    ({"control_partners": {"letrozole": {}}}, "control_partners", "{} with any other; control is none"),
    ({"title": ""}, "title", "one line of text"),
    ({"title": " "}, "title", "one line of text"),
    ({"title": "${regimen.dose}"}, "title", "one line of text, without ${"),
    ({"title": "???"}, "title", "not ??? alone"),
    ({"published": "RECORD 1"}, "published", "TRIAL or TRIAL/ARM"),
]


@pytest.mark.parametrize(("changed", "key", "allowed"), BAD, ids=[f"{key}-{allowed}" for _, key, allowed in BAD])
def test_what_is_wrong_is_told_by_its_key_and_nothing_starts(changed, key, allowed, tmp_path, monkeypatch, capsys) -> None:
    file = write(tmp_path, **changed)
    with pytest.raises(ConfigError) as error:
        read_trial(file)
    faults = flatten(error.value)
    assert any(fault.key == key and allowed in fault.allowed for fault in faults), [str(fault) for fault in faults]
    monkeypatch.chdir(tmp_path)
    assert start("predict", [f"trial={file}"]) == 2
    assert f"trialsim: {key} = " in capsys.readouterr().err and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("added", "key", "allowed"), [
    ("selection: {pik3ca: true, pik3ca: false}", "selection.pik3ca", "given once, not on line 9 of x.yaml"),
    ("selection:\n  tsc: true\n  kras: true\n  tsc: true", "selection.tsc", "not on lines 10 and 12"),
    ("dose: 20", "dose", "given once"),
    ("partners:\n  exemestane: {dose: 5, dose: 10}", "partners.exemestane.dose", "given once"),
    ("lines: [0.5, 0.5", "x.yaml", "a YAML file"),
    ("a colon: in a text: here", "x.yaml", "stands in quotes"),
    ("published: !!python/object/apply:os.system [id]", "x.yaml", "plain values only"),
    ("published: !mine x", "x.yaml", "plain values only"),
])  # fmt: skip
def test_a_file_says_a_thing_once_and_in_yaml(added: str, key: str, allowed: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(MINE) + added + "\n")
    with pytest.raises(ConfigError) as error:
        read_trial(file)
    assert error.value.key == key and allowed in error.value.allowed, str(error.value)


def told_of(file: Path) -> list[ConfigError]:
    with pytest.raises(ConfigError) as error:
        read_trial(file)
    return list(flatten(error.value))


def test_a_tag_is_told_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("title: x\ndrug: !!python/object/apply:os.system [id]\n")
    (fault,) = told_of(file)
    assert str(fault.value).endswith("x.yaml, line 2: !!python/object/apply:os.system")


@pytest.mark.parametrize("changed", [{"dose": 1_000_000}, {"title": "${seed}"}, {"control_partners": {"letrozole": {}}}])
def test_one_slip_is_one_fault(changed: dict[str, object], tmp_path: Path) -> None:
    assert [fault.key for fault in told_of(write(tmp_path, **changed))] == list(changed)


def test_of_shares_out_of_range_only_these_are_told(tmp_path: Path) -> None:
    found = told_of(write(tmp_path, tumour_types={"colorectal": 1.5, "hcc": -0.5}))
    assert [fault.key for fault in found] == ["tumour_types.colorectal", "tumour_types.hcc"]


def test_drugs_are_told_as_they_were_written(tmp_path: Path) -> None:
    (fault,) = told_of(write(tmp_path, control_partners={"letrozole": {"dose": 5}}))
    assert fault.value == {"letrozole": {"dose": 5.0}}


def test_the_keys_that_there_are_are_listed_once(tmp_path: Path) -> None:
    found = told_of(write(tmp_path, colour="red", dosis=5, partners={"exemestane": {"mg": 5, "doze": 5}}))
    told = {fault.key: fault.allowed for fault in found}
    assert set(told) == {"colour", "dosis", "partners.exemestane.mg", "partners.exemestane.doze"}
    assert sum("keys here: title, drug" in allowed for allowed in told.values()) == 1
    assert sum("keys here: dose, unit" in allowed for allowed in told.values()) == 1
    assert "did you mean 'dose'" in told["dosis"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_a_trial_is_a_regular_file(kind: str, tmp_path: Path) -> None:
    """A pipe that nobody writes to would wait for ever, and a device may never end."""
    file = tmp_path / "x.yaml"
    {"folder": file.mkdir, "pipe": lambda: os.mkfifo(file), "device": lambda: file.symlink_to("/dev/zero")}[kind]()
    (fault,) = told_of(file)
    assert (fault.key, fault.allowed) == ("trial", "a regular file, no folder, pipe or device")


def test_a_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("record1").mkdir()
    assert read_trial("record1")[0] == "record1"


def test_lymphomas_are_the_tumour_types_that_say_so() -> None:
    labels = {file.stem: yaml.safe_load(file.read_text())["label"] for file in (conf_dir() / "tumour").glob("*.yaml")}
    assert set(LYMPHOMAS) == {kind for kind, label in labels.items() if "lymphoma" in label.lower()}


@pytest.mark.parametrize("limits", [
    {"scan_interval_weeks": 2, "accrual_months": 0.5, "follow_up_months": 0.5, "disease_control_weeks": 104, "benefit_weeks": 104},
    {"scan_interval_weeks": 26, "accrual_months": 240, "follow_up_months": 240, "dose": 250, "days_on": 365, "days_off": 365,
     "partners": {"letrozole": {"dose": 3000}}, "title": "It's 50 % $ of ??? \\ {a}, b: 'c' #d"},
])  # fmt: skip
def test_what_the_file_may_hold_the_settings_may_hold(limits: dict[str, object], tmp_path: Path) -> None:
    file = write(tmp_path, **limits)
    assert compose_trial(file).study.title == read_trial(file)[1].title


ACTIVE = {"control": "active", "patients_control": 9}


@pytest.mark.parametrize(("drug", "control", "of_drug", "of_control"), [
    ({"dose": 2500}, {}, (2500, "mg", "daily"), (25, "mg", "daily")),
    ({"dose": 5, "schedule": "weekly"}, {"dose": 50}, (5, "mg", "weekly"), (50, "mg", "daily")),
    ({}, {"dose": 14, "unit": "mg/m2"}, (25, "mg", "daily"), (14, "mg/m2", "daily")),
    ({"dose": 14, "unit": "mg/m2"}, {"dose": 30}, (14, "mg/m2", "daily"), (30, "mg", "daily")),
])  # fmt: skip
def test_a_drug_of_both_arms_is_in_each_as_its_own_key_says(drug, control, of_drug, of_control, tmp_path: Path) -> None:
    config = compose_trial(write(tmp_path, partners={"exemestane": drug}, control_partners={"exemestane": control}, **ACTIVE))
    given = {arm: arm_of(config, arm).partner["exemestane"].regimen for arm in (DRUG, CONTROL)}
    found = {arm: (regimen.dose, regimen.unit, regimen.schedule) for arm, regimen in given.items()}
    assert found == {DRUG: of_drug, CONTROL: of_control}


def test_of_two_faults_of_a_key_its_description_is_told_once(tmp_path) -> None:
    with pytest.raises(ConfigError) as error:
        read_trial(write(tmp_path, selection={"PIK3CA": "maybe"}))
    assert str(error.value).count("alterations that a tumour must have") == 1
    assert "did you mean 'pik3ca'?, or true or false" in str(error.value)


def test_lists_are_short_for_partners_as_usual_and_for_alterations(tmp_path: Path) -> None:
    _, trial, _ = read_trial(write(tmp_path, partners=["exemestane"], selection=["tsc"]))
    assert set(trial.partners) == {"exemestane"} and trial.partners["exemestane"].dose is None and trial.selection == {"tsc": True}


@pytest.mark.parametrize("content", ["", "[]", "title: &a x\ndrug: *a", "\x00", "a: !!python/object:os.system {}", "{" * 60])
def test_rubbish_is_told(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(content)
    assert start("predict", ["trial=x.yaml"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("trialsim: ") and "Traceback" not in told
    assert [file.name for file in tmp_path.iterdir()] == ["x.yaml"]


@pytest.mark.parametrize(("words", "told"), [
    ([], "one, as trial=my_trial.yaml"), (["trial=record1", "trial=ng13"], "one, as"), (["trial=recrd1"], "did you mean 'record1'"),
    (["trial=nowhere.yaml"], "exists"),
    (["trial=ng13", "analysis.posterior=/nowhere/posterior.npz"], "trialsim calibrate"),
    (["trial=record1", "analysis.draws=1"], "analysis.draws"),
    (["trial=record1", "analysis.published_control=RECORD1/nobody"], "analysis.published_control"),
    (["trial=ng13", "analysis.published_control=RECORD1/placebo"], "analysis.published_control"),
])  # fmt: skip
def test_slips_on_the_command_line(words, told, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert start("predict", words) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_trial_is_for_predict_alone(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["trialsim", "trial=record1"])
    assert cli.main() == 2
    assert "trialsim predict trial=FILE" in capsys.readouterr().err


def test_every_run_keeps_the_file_it_was_asked_for_by(tmp_path, monkeypatch) -> None:
    from trialsim import study

    seen = {}
    monkeypatch.setattr(study, "run", lambda config, folder, keep: seen.update({folder: keep}) or {"part": 1})
    monkeypatch.setattr("trialsim.console.print_findings", lambda *found: None)
    monkeypatch.setattr("sys.argv", ["trialsim"])
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path)
    assert start("predict", [f"trial='{file}'", "hydra.run.dir=one"]) == 2  # quotes are the shell's
    assert start("predict", [f"trial={file}", "hydra.run.dir=one"]) == 0
    start("predict", [f"trial={file}", "-m", "analysis.patients=20,40", "hydra.sweep.dir=two"])
    assert {folder.relative_to(tmp_path).as_posix() for folder in seen} == {"one", "two/0", "two/1"}
    assert all(keep == {"trial.yaml": file.read_text()} for keep in seen.values())


def test_a_trial_file_that_lies_in_the_folder_is_not_overwritten(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trial.yaml").write_text("mine")
    assert start("predict", [f"trial={file}", "hydra.run.dir=out"]) == 2
    assert "it has trial.yaml" in capsys.readouterr().err and (tmp_path / "out" / "trial.yaml").read_text() == "mine"


def test_trials_are_listed_and_the_template_printed(capsys) -> None:
    assert start("predict", ["--list"]) == 0 and "RADIANT-3" in capsys.readouterr().out
    assert start("predict", ["--template"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["drug"] == "everolimus"
