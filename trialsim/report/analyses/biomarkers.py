"""The page of the biomarker analysis."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.report import marker_tables
from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures import benefit, enrichment, markers
from trialsim.report.page import Card, Section
from trialsim.report.wording import dose, fixed, is_number, join, number, percent, plural, share, unit_text

SETTINGS = (
    "mechanism", "cohort", "tumour", "drug", "partner", "network", "regimen", "modification", "design", "endpoint", "compute"
)  # fmt: skip
DRAWN = {"before": ("before treatment", "simulated"), "with_scan": ("after the first scan", "published")}
BEST = 3  # markers whose ROC curves are drawn


def page(saved: Saved) -> Page:
    auc, effects, plans = saved.table("auc"), saved.table("effects"), saved.table("enrichment")
    models, patients = saved.table("models"), saved.table("patients")
    chapters = [
        Section(
            "benefit",
            "Who benefits",
            "Every patient was simulated with the drug and without it. The difference is the patient's own benefit, which no "
            "trial sees.",
            [benefit.arms_panel(patients), benefit.gain_panel(patients, saved.settings["benefit_weeks"])],
            [],
        ),
        Section(
            "markers", "How well single markers tell", _lead(saved), _discrimination(saved, auc), [marker_tables.auc_table(auc)]
        ),
        Section(
            "together",
            "Markers together",
            "Logistic models of the probability to stay free of progression; each patient is judged by a model that did not see "
            "it.",
            [markers.calibration(saved.table("calibration"), models, DRAWN), markers.sets_forest(models)],
            [marker_tables.models_table(models)],
        ),
        Section(
            "effects",
            "Predictive or prognostic",
            "A predictive marker changes what the drug does; a prognostic one tells how a patient fares without it. Only the "
            "former helps to choose a treatment.",
            [enrichment.predictive_scatter(effects), enrichment.hazard_forest(effects, saved.results["n_trial"])],
            [marker_tables.effects_table(effects)],
        ),
        Section(
            "enrichment",
            "What enrichment does to a trial",
            f"A 1:1 trial with PFS as its endpoint, one-sided α {saved.settings['alpha']:g} and power "
            f"{percent(saved.settings['power'], 0)}, in all comers or in marker-positive patients as the laboratory calls them.",
            [
                enrichment.trade_off(plans, saved.settings["confidence"]),
                enrichment.cost_forest(plans, saved.settings["confidence"]),
            ],
            [marker_tables.plans_table(plans, saved.settings["horizon_weeks"]), marker_tables.every_rule_table(plans)],
        ),
        Section(
            "published",
            "Beside published findings",
            "Published findings whose marker is simulated, and what a virtual study of the published size would find; nothing "
            "was fitted.",
            [],
            [marker_tables.published_table(saved.table("published"))],
        ),
    ]
    return Page(
        summary=_summary(saved, auc, models, effects),
        cards=_cards(saved, plans),
        chapters=chapters,
        methods=_methods(saved),
        settings=SETTINGS,
        cautions=_cautions(saved, auc),
        checks=_checks(saved),
    )


# ---- words


def _weeks(saved: Saved, name: str) -> str:
    return f"{saved.settings[name]:g} weeks"


def _lead(saved: Saved) -> str:
    days = saved.results["landmarks"]
    return (
        f"AUC: chance that a patient with the outcome has the higher marker; 0.5 is a coin. Markers are as measured, assay errors "
        f"included. Those under treatment are judged in patients free of progression on day {days['biopsy']} (biopsy, blood) or "
        f"{days['scan']} (first scan)."
    )


def _summary(saved: Saved, auc: pd.DataFrame, models: pd.DataFrame, effects: pd.DataFrame) -> list[str]:
    regimen, n = saved.config["regimen"], saved.results["n_patients"]
    name, schedule = saved.config["drug"]["name"], regimen["schedule"].replace("_", " ")
    drug = f"{name} {dose(regimen['dose'], unit_text(regimen['unit']))} {schedule}"
    benefiting = saved.results["share_benefiting"]
    what = (
        f"In a computer simulation, {plural(n, 'virtual patient')} took {drug} and, as their own twins, no "
        f"{saved.config['drug']['name']}. In {percent(benefiting['estimate'])} the drug delayed progression or death by "
        f"{_weeks(saved, 'benefit_weeks')} or more. We asked which markers tell these patients from the others, and what a trial "
        "gains by choosing patients by them."
    )
    return [what, _told(saved, auc, models), _predictive(effects), _advice(saved)]


def _told(saved: Saved, auc: pd.DataFrame, models: pd.DataFrame) -> str:
    results, parts = saved.results, []
    for when, words in (("baseline", "before treatment"), ("early", "under treatment")):
        told = [_best(results.get(f"best_auc_{when}_{name}"), words_of) for name, words_of in _ASKED.items()]
        told = [text for text in told if text]
        if told:
            parts.append(f"The best single marker {words} is {join(told)}.")
    both = models.set_index("set")["auc"]
    if is_number(both.get("before")):
        text = f"All markers before treatment together reach an AUC of {fixed(both['before'])} for staying free of progression"
        true = models.set_index("set")["auc_benefit"]["before"]
        text += f" and {fixed(true)} for true benefit." if is_number(true) else "."
        parts.append(text)
    return " ".join(parts) or "Too few patients had an outcome to judge any marker."


_ASKED = {"progression_free": "for staying free of progression", "benefit": "for true benefit"}


def _range(found: dict[str, Any], name: str = "") -> str:
    return f"{fixed(found[f'{name}low'])} to {fixed(found[f'{name}high'])}"


def _best(found: dict[str, Any] | None, words: str) -> str:
    if not found or not is_number(found["estimate"]):
        return ""
    name = found["method"].split(";")[0]
    return f"“{name}” {words} (AUC {fixed(found['estimate'])}, 95 % interval {_range(found)})"


def _predictive(effects: pd.DataFrame) -> str:
    true = effects[effects["basis"] == "twins"].dropna(subset=["interaction"])
    if true.empty:
        return "No marker had enough events to say whether it is predictive."
    strongest, text = true.loc[true["interaction_high"].idxmin()], ""  # the surest
    if strongest["interaction_high"] < 1:
        trial = effects[(effects["basis"] == "trial") & (effects["marker"] == strongest["marker"])].iloc[0]
        text = (
            f"The surest predictive marker is “{strongest['label']}”: the drug's hazard ratio is {fixed(strongest['hr_positive'])} "
            f"with it and {fixed(strongest['hr_negative'])} without."
        )
        if is_number(trial["p"]):
            text += f" One randomised trial finds the difference with P = {marker_tables.p_value(trial['p'])}."
        if is_number(strongest["interaction_events"]):
            text += f" To show it takes {number(strongest['interaction_events'])} events."
    return text or "No marker is predictive: the drug's effect is the same with and without each of them."


def _advice(saved: Saved) -> str:
    best, assayed = saved.results["recommendation"], saved.results["recommendation_assay"]
    if best["candidate"] is None:
        return "No trial could be planned: too few events."
    text = f"Recommendation: {_verdict(saved, best)}."
    if assayed["candidate"] not in (best["candidate"], enrichment.ALL):
        text += f" Among the rules that need a laboratory: {_verdict(saved, assayed)}."
    return text


def _verdict(saved: Saved, found: dict[str, Any]) -> str:
    sure = f"in {percent(found['cheaper'], 0)} of resamples"
    ratio = (
        f"it takes {fixed(found['cost_ratio'])} (95 % interval {_range(found, 'cost_ratio_')}) of the cost of a trial in all comers"
    )
    if found["enrich"]:
        return f"enrol patients with “{found['label']}” only; {ratio}, and less than that {sure}"
    if found["candidate"] == enrichment.ALL:
        return "do not enrich, as no rule costs less than a trial in all comers"
    asked = percent(saved.settings["confidence"], 0)
    return f"do not enrich, as the cheapest rule costs less than all comers {sure} only ({asked} asked for)"


def _cards(saved: Saved, plans: pd.DataFrame) -> list[Card]:
    results, cards = saved.results, []
    found = results["share_benefiting"]
    cards.append(
        Card(f"True benefit, {_weeks(saved, 'benefit_weeks')} or more", percent(found["estimate"]), f"{found['n']:,} patients")
    )
    for key, title in (
        ("best_auc_baseline_benefit", "Best AUC for true benefit before treatment"),
        ("best_auc_early_progression_free", "Best AUC for staying free of progression under treatment"),
    ):
        best = results.get(key)
        if best and is_number(best["estimate"]):
            limits = f"{best['method'].split(';')[0]}; 95 % interval {_range(best)}"
            cards.append(Card(title, fixed(best["estimate"]), limits))
    advice = results["recommendation"]
    if advice["rule"] is not None:
        row = plans.set_index("rule").loc[advice["rule"]]
        shown = f"{advice['label']}; {number(row['screened'])} to screen"
        cards.append(Card("Patients to randomise, as recommended", number(row["randomised"]), shown))
    return cards


def _cautions(saved: Saved, auc: pd.DataFrame) -> list[str]:
    told = [
        "What a marker does here follows from how the model lets genotype and signalling act on growth; it is a hypothesis, not "
        "evidence.",
        f"The best of {auc['marker'].nunique()} markers looks better than it is: its interval does not allow for the choice.",
    ]
    few = auc[(auc["outcome"] == "response") & auc["auc"].isna()]
    if len(few):
        told.append(f"Too few patients responded to judge {plural(len(few), 'marker')} for response.")
    unknown = saved.results["n_unknown_benefit"]
    if unknown:
        told.append(f"In {share(unknown, saved.results['n_patients'])} true benefit is unknown, as a twin was lost to view before.")
    return told


def _checks(saved: Saved) -> str:
    check, every = (
        saved.results["solver_check"],
        f"all {plural(saved.results['n_patients'], 'patient')} could be simulated in both arms",
    )
    return f"{every}; numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else every


def _methods(saved: Saved) -> list[str]:
    s, days = saved.settings, saved.results["landmarks"]
    tumours = "stratified by tumour type" if s["stratified"] else "not stratified"
    return [
        "Patients, kinetics, signalling, growth, toxicity, scans and RECIST are those of a simulated trial with the settings "
        "below. The control arm is the same patients with the same chances and none of the drug. A patient's gain is the "
        f"difference of PFS, up to the day on which either twin was lost to view; {_weeks(saved, 'benefit_weeks')} or more is a "
        "true benefit. Where censoring leaves that open the patient is left out of what concerns true benefit.",
        "Markers are read with the errors of their assays (settings): false calls, lognormal spread of levels, failures. pS6 and "
        "pAKT before treatment are those of the untreated tumour over a wild-type cell; falls and rises are folds of two "
        f"biopsies, each with its error. The biopsy is at the end of week {s['biopsy_week']}, of patients still on treatment.",
        "Landmark: a marker seen under treatment is judged in patients free of progression and under observation on the day by "
        f"which it is known ({days['biopsy']} biopsy, {days['blood']} blood, {days['scan']} first scan), for what happens after; "
        "anything else counts the time up to the measurement as survival (immortal-time bias; Anderson et al., J Clin Oncol "
        "1983;1:710-9).",
        f"AUC for staying free of progression at {_weeks(saved, 'horizon_weeks')}: censored patients count by inverse "
        "probability of censoring. Intervals by DeLong et al. (Biometrics 1988;44:837-45) on the logit scale. Markers together: "
        f"logistic regression with tumour type, missing values flagged, {s['folds']}-fold cross-validation.",
        f"Hazard ratios by Cox models, {tumours}, Efron's ties; levels are cut at their median. True: all patients in both arms, "
        f"markers without error, intervals over {s['resamples']:,} resamples of patients. Trial: "
        f"{plural(saved.results['n_trial'], 'patient')} randomised 1:1 from the same cohort, markers as measured, Wald "
        "intervals; P of the interaction, and after Holm's correction. A marker seen under treatment cannot be called predictive "
        "this way, as controls have no such marker.",
        "Trial size: events = 4 (z(1−α) + z(power))² / (log HR)² (Schoenfeld, Biometrics 1983;39:499-503); randomised = events "
        "over the share with an event in both arms; screened = randomised over the share measured and positive. The hazard ratio "
        "is that of all patients kept in both arms, markers as measured. Cost: randomised patients, and "
        f"{s['screening_cost']:g} of one for each patient screened with an assay. A rule is recommended if it is the cheapest "
        f"and costs less than all comers in {percent(s['confidence'], 0)} of the resamples. It ignores how long screening takes.",
        "Published findings: the measure in the simulated patients of the published tumour types, and its middle 90 % over "
        "virtual studies of the published size. Inside: the published value, or range of a one-sided claim, meets that range. "
        "Combinations are not judged.",
    ]


# ---- figures


def _discrimination(saved: Saved, auc: pd.DataFrame) -> list[Any]:
    roc = saved.table("roc")
    panels = [markers.auc_forest(auc, saved.results["landmarks"])]
    for name, title in (("progression_free", "ROC, staying free of progression"), ("benefit", "ROC, true benefit")):
        found = auc[auc["outcome"] == name].dropna(subset=["auc"])
        top = found.sort_values("auc", ascending=False, kind="stable").head(BEST)
        labels = dict(zip(top["marker"], top["label"], strict=True))
        curves = roc[roc["outcome"] == name]
        panels.append(markers.roc_curves(f"roc_{name}", title, curves, labels, dict(zip(top["marker"], top["auc"], strict=True))))
    return panels
