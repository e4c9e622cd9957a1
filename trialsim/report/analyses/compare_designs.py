"""The page of the comparison of designs."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from trialsim.biomarkers.markers import BY_NAME
from trialsim.report import decision_curve, design_tables
from trialsim.report.analyses.page import Page, Saved
from trialsim.report.design_words import (
    BENEFIT,
    DOSE,
    NET,
    SHARE,
    Scale,
    designs_of,
    heading,
    labels,
    limits,
    recommended,
    sources,
    threshold,
    useless,
    written,
)
from trialsim.report.figures import designs as drawn
from trialsim.report.page import Card, Section
from trialsim.report.wording import dose, fixed, interval, is_number, join, number, percent, plural, unit_text, words

FEW = 50  # virtual patients of a group below which its true gain is called uncertain
SETTINGS = (
    "mechanism", "cohort", "drug", "partner", "network", "regimen", "modification", "design", "designs", "endpoint", "compute",
)  # fmt: skip


PLAIN_SETTINGS = ("design", "designs")


class Question(NamedTuple):
    """What the run saved on one question.

    Attributes:
        names: designs and their labels. table: characteristics, indexed by design and measure. differences, trials: their rows.
        found: the recommendation. false: designs that find a benefit too often where there is none, and how often.
    """

    names: dict[str, str]
    table: pd.DataFrame
    differences: pd.DataFrame
    trials: pd.DataFrame
    found: dict[str, Any] | None
    false: dict[str, float]

    @property
    def fit(self) -> list[str]:
        """Designs that can be recommended."""
        return [name for name in self.names if name not in self.false]


def page(saved: Saved) -> Page:
    every = _questions(saved)
    chapters, told, cards = [], [_what(saved, every)], []
    if DOSE in every:
        chapters.append(_dose_chapter(saved, every[DOSE]))
        told.append(f"{_asked(every[DOSE])} finding the dose: {_recommended(every[DOSE])}")
        cards += _dose_cards(saved, every[DOSE])
    if BENEFIT in every:
        chapters.append(_benefit_chapter(saved, every[BENEFIT]))
        told.append(f"{_asked(every[BENEFIT])} finding in whom it works: {_recommended(every[BENEFIT])}")
        told += _by_threshold(saved, every[BENEFIT])
        cards += _benefit_cards(saved, every[BENEFIT])
    names = {name: text for question in every.values() for name, text in question.names.items()}
    if assured := _assured(saved, names):
        chapters.append(_assurance_chapter(assured, names))
    return Page(
        summary=told,
        cards=cards,
        chapters=chapters,
        methods=_methods(saved, every, bool(assured)),
        settings=_settings(saved),
        cautions=_cautions(saved, every),
        checks=_checks(saved),
    )


def _questions(saved: Saved) -> dict[str, Question]:
    """Those that some design of the run was asked."""
    configured = designs_of(saved.config)
    told = labels(configured)
    characteristics, differences, trials = (saved.table(name) for name in ("characteristics", "differences", "replicates"))
    found = {}
    for question in (DOSE, BENEFIT):
        part = trials[trials["question"] == question]
        played = set(part["design"])
        if played:
            table = characteristics[characteristics["question"] == question].set_index(["design", "measure"])
            names = {name: told[name] for name in configured if name in played}
            apart = differences[differences["question"] == question]
            best, false = saved.results.get(f"recommended_{question}"), saved.results["too_often_false"]
            found[question] = Question(names, table, apart, part, best, false)
    return found


def _assured(saved: Saved, names: dict[str, str]) -> dict[str, dict[str, Any]]:
    found = saved.results.get("assurance") or {}
    return {name: found[name] for name in names if found.get(name) and is_number(found[name].get("estimate"))}


def _settings(saved: Saved) -> tuple[str, ...]:
    """Sections of the configuration; of the tumour types only those that patients have. Of plain outcomes: those that count."""
    if _plain(saved):
        return PLAIN_SETTINGS
    types = (f"tumour.{name}" for name, share in saved.config["cohort"]["mix"].items() if share > 0)
    return (*SETTINGS[:2], *types, *SETTINGS[2:])


# ---- chapters


def _dose_chapter(saved: Saved, asked: Question) -> Section:
    s, doses, unit = saved.settings["dose_finding"], saved.table("doses"), unit_text(saved.config["regimen"]["unit"])
    right = saved.results.get("right_dose")
    best = f"the best level is {dose(right, unit)}" if is_number(right) else "every level is an overdose, so none is right"
    lead = (
        "A dose is near the target if the probability of a dose-limiting toxicity (DLT) lies within "
        f"{100 * s['tolerance']:g} points of {percent(s['target'], 0)}, and an overdose above {percent(s['too_toxic'], 0)}; {best}."
    )
    shares = drawn.chosen(asked.trials, asked.names, len(doses))
    return Section(
        "dose",
        "Which dose",
        lead,
        [drawn.selection(doses, shares, asked.names, s, unit)],
        [
            design_tables.characteristics(DOSE, asked.table, asked.names, _kinds(saved)),
            design_tables.differences(DOSE, asked.differences, asked.names, asked.found),
        ],
    )


def _benefit_chapter(saved: Saved, asked: Question) -> Section:
    groups, worthwhile = saved.table("groups"), saved.settings["benefit"]["worthwhile"]
    types = {name: str((saved.config["tumour"].get(name) or {}).get("label") or words(name)) for name in groups["tumour_type"]}
    lead = (
        f"A group (tumour type, and marker as measured: “{_marker(saved)}”) gains what the drug adds to the probability of "
        f"{_outcome(saved)}. Net benefit: patients in 100 who gain that because the groups that a design found are treated, less "
        f"{100 * worthwhile:g} for every 100 treated: the gain from which treatment is worth it."
    )
    curves = decision_curve.curves(asked.trials, groups, list(asked.names))
    return Section(
        "benefit",
        "In whom it works",
        lead,
        [
            drawn.curve_panel(curves, groups, asked.names, worthwhile),
            drawn.advice_panel(asked.trials, groups, asked.names, worthwhile),
        ],
        [
            design_tables.characteristics(BENEFIT, asked.table, asked.names, _kinds(saved)),
            design_tables.differences(BENEFIT, asked.differences, asked.names, asked.found),
            design_tables.groups(groups, asked.trials, asked.names, types, worthwhile),
        ],
    )


def _assurance_chapter(assured: dict[str, dict[str, Any]], names: dict[str, str]) -> Section:
    lead = (
        "The other chapters take the model's constants as known. Here they are drawn again and again from what is uncertain about "
        "them. Success: some group is found to benefit."
    )
    return Section(
        "assurance",
        "If the model's constants are uncertain",
        lead,
        [drawn.assurance(assured, names)],
        [design_tables.assurance(assured, names)],
    )


def _kinds(saved: Saved) -> dict[str, str]:
    return {name: str(design["kind"]) for name, design in designs_of(saved.config).items()}


# ---- words


def _plain(saved: Saved) -> bool:
    """Whether outcomes have stated probabilities, and no patient was simulated."""
    return saved.settings["outcomes"]["kind"] == "plain"


def _what(saved: Saved, every: dict[str, Question]) -> str:
    regimen, results = saved.config["regimen"], saved.results
    count = sum(len(question.names) for question in every.values())
    schedule = regimen["schedule"].replace("_", " ")
    levels = saved.table("doses")["dose"] if DOSE in every else pd.Series(dtype=float)
    span = f"{levels.min():g} to {dose(levels.max(), regimen['unit'])}"
    amount = dose(regimen["dose"], regimen["unit"]) if BENEFIT in every else span
    given = f"{saved.config['drug']['name']} {amount} {schedule}"
    trials = f"{plural(results['replicates'], 'simulated trial')} of {'each of ' if count > 1 else ''}{plural(count, 'design')}"
    if _plain(saved):
        return (
            f"{number(results['n_patients'])} sets of outcomes were drawn from stated probabilities, without a model of disease or "
            f"drug, and met {trials}. All designs met the same outcomes on the same days."
        )
    text = f"In a computer simulation, {plural(results['n_patients'], 'virtual patient')} took part in {trials} with {given}"
    text += f" (dose finding: {span})" if len(every) > 1 else ""
    same = " All designs met the same patients on the same days." if count > 1 else ""
    return f"{text}.{same} As each patient's outcome under every treatment is known, every decision can be judged."


def _asked(asked: Question) -> str:
    return "Recommended for" if len(asked.names) > 1 else "For"


def _recommended(asked: Question) -> str:
    return recommended(asked.found, asked.table, asked.differences, asked.names, asked.false)


def _by_threshold(saved: Saved, asked: Question) -> list[str]:
    """At which gains thought worthwhile another design, or none, would be recommended."""
    groups, worthwhile = saved.table("groups"), saved.settings["benefit"]["worthwhile"]
    curves = decision_curve.curves(asked.trials, groups, asked.fit)
    if not curves:
        return []
    top = drawn.highest_threshold(groups, worthwhile)
    stretches = decision_curve.best_by_threshold(curves, top)
    here = next(stretch for stretch in stretches if worthwhile <= stretch.high)
    text = f"This holds if a gain of {threshold(worthwhile)} is worth the treatment."
    alone = decision_curve.everybody_better_below(curves, groups, top)
    everybody = f" Below {threshold(alone)} treating everybody without a trial does better than any design." if alone else ""
    if len(stretches) == 1:
        same = "treating nobody is the best" if here.best is None else f"{asked.names[here.best]} is the best design"
        return [f"{text} At every other gain up to {threshold(top)} {same} as well.{everybody}"]
    told = []
    for place, stretch in enumerate(stretches):
        name = "treating nobody" if stretch.best is None else asked.names[stretch.best]
        told.append(f"{name} {_span(curves, stretches, place, top)}")
    return [f"{text} Best design by that gain: {join(told)}.{everybody}"]


def _span(curves: dict[str, decision_curve.Curve], stretches: list[decision_curve.Stretch], place: int, top: float) -> str:
    """``from 3.9 points (3.5 to 4.2)``: where a strategy becomes the best; the first one: up to where."""
    stretch = stretches[place]
    if place == 0:
        return f"below {threshold(stretch.high)}"
    pair = [curves.get(s.best) if s.best is not None else None for s in (stretches[place - 1], stretch)]
    if pair[0] is None:
        pair.reverse()
    assert pair[0] is not None
    span = decision_curve.not_told_apart(pair[0], pair[1], top)
    text = f"from {threshold(stretch.low)}"
    return f"{text} (95 % Monte Carlo interval {100 * span[0]:.3g} to {100 * span[1]:.3g})" if span else text


def _marker(saved: Saved) -> str:
    name = saved.settings["benefit"]["marker"]
    return BY_NAME[name].label if name in BY_NAME else words(name)


def _outcome(saved: Saved) -> str:
    s = saved.settings["benefit"]
    weeks = f"{s['weeks']:g} weeks"
    if s["outcome"] == "response":
        return f"a{' confirmed' if s['confirmed'] else 'n objective'} response by {weeks}"
    return f"being alive without progression at {weeks}"


def _dose_cards(saved: Saved, asked: Question) -> list[Card]:
    right, s = saved.results.get("right_dose"), saved.settings["dose_finding"]
    cards = _card(asked, "Which dose", SHARE, "near the target in {}")
    best = dose(right, saved.config["regimen"]["unit"]) if is_number(right) else "none"
    return [*cards, Card("Best dose level", best, f"nearest to {percent(s['target'], 0)} DLTs without being an overdose")]


def _benefit_cards(saved: Saved, asked: Question) -> list[Card]:
    cards = _card(asked, "In whom it works", NET._replace(signed=False), "net benefit {} in 100")
    ceiling = saved.results.get("attainable")
    shown = "if every group's true gain were known"
    return [*cards, Card("Attainable net benefit", f"{fixed(ceiling)} in 100", shown)] if is_number(ceiling) else cards


def _card(asked: Question, title: str, scale: Scale, text: str) -> list[Card]:
    found = asked.found
    if not found or not is_number(found["estimate"]) or useless(found):
        return []
    low, high = found["low"], found["high"]
    around = "" if not is_number(low) else interval(low, high, "proportion") if scale is SHARE else limits(low, high, scale)
    told = text if found["measure"] != "correct" else "the best level in {}"
    told = told.format(written(found["estimate"], scale)) + (f" ({around})" if around else "")
    title += ": recommended design" if len(asked.names) > 1 else ": design"
    return [Card(title, heading(asked.names[found["design"]]), told)]


def _cautions(saved: Saved, every: dict[str, Question]) -> list[str]:
    told = [
        "Which design is the best depends on the population, the true effects and the settings below; Monte Carlo intervals tell "
        "only the error of a limited number of simulated trials."
    ]
    if any(len(question.names) > 1 for question in every.values()):
        told.append("Designs differ in size as configured, and the recommendation does not charge for patients or time.")
    if DOSE in every:
        trials = every[DOSE].trials
        open_ = trials["mtd"].isna().groupby(trials["design"], sort=False).mean()
        open_ = open_[open_ > 0]
        if len(open_):
            names = join(f"{every[DOSE].names[name]} {percent(share)}" for name, share in open_.items())
            told.append(f"Trials that ran out of patients before a decision count as wrong, and have no duration: {names}.")
    if BENEFIT in every:
        groups = saved.table("groups")
        few = groups[groups["n"] < FEW]
        if len(few):
            told.append(
                f"{len(few)} of {plural(len(groups), 'group')} have fewer than {FEW} virtual patients (the smallest "
                f"{number(int(few['n'].min()))}): their true gain is uncertain, and the attainable net benefit looks too high."
            )
    return told


def _checks(saved: Saved) -> str:
    check = saved.results.get("solver_check")
    return f"numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else ""


def _methods(saved: Saved, every: dict[str, Question], assured: bool) -> list[str]:
    s, results, listed = saved.settings, saved.results, sources(designs_of(saved.config))
    a_part = number(results["replicates"] // s["batches"])
    where = (
        "Outcomes have stated probabilities (analysis.outcomes): toxicities and responses are Bernoulli, times exponential. Each "
        f"of the {number(results['n_patients'])} sets holds the outcomes of one patient under every treatment and dose with the "
        "same luck; a design meets sets drawn from them, which arrive as a Poisson process. Nobody drops out, whatever the "
        "design's rate of withdrawal, and everybody can be judged."
        if _plain(saved)
        else "Patients, kinetics, signalling, growth, toxicity, scans and RECIST are those of a simulated trial with the settings "
        f"below. Each of the {plural(results['n_patients'], 'virtual patient')} is simulated once under every treatment and dose "
        "with the same chances; a design then meets patients drawn from them, who arrive as a Poisson process, and sees of each "
        "only what it would see by then."
    )
    told = [
        where,
        f"Monte Carlo error: the patients are cut into {s['batches']} parts, each with its own {a_part} trials; standard errors "
        "and t intervals are those of the parts' means (batch means; Law & Kelton, Simulation Modeling and Analysis). Differences "
        "between designs are paired by trial. Probability of being the best: "
        f"{number(s['resamples'])} bootstrap resamples of the parts.",
    ]
    told += [f"Designs: {listed}."] if listed else []
    told += _dose_methods(saved) if DOSE in every else []
    told += _benefit_methods(saved) if BENEFIT in every else []
    if assured:
        told.append(
            "Probability of success averaged over the uncertainty of constants: assurance (O'Hagan, Stevens & Campbell, Pharm "
            "Stat 2005;4:187-201). Constants are drawn from their priors (network.priors); each set is simulated in "
            f"{number(s['assurance']['patients'])} patients and {number(s['assurance']['replicates'])} trials of each design."
        )
    return told


def _dose_methods(saved: Saved) -> list[str]:
    s, n, unit = saved.settings, saved.table("doses")["n"], saved.config["regimen"]["unit"]
    first = next(design for design in designs_of(saved.config).values() if design.get("dose_levels"))
    count = number(int(n.max())) if n.min() == n.max() else f"{number(int(n.min()))} to {number(int(n.max()))}"
    truth = "as stated" if _plain(saved) else f"that of its {count} patients who could be judged"
    return [
        f"The true DLT probability of a level is {truth}, within {first['dlt']['window_days']} days. Escalations start at "
        f"{dose(s['dose_finding']['start'], unit)}; {s['dose_finding_per_month']:g} patients come a month. "
        "Patients of an expansion at the dose found are not counted. "
        "Intervals of the DLT rate by Clopper & Pearson (Biometrika 1934;26:404-13)."
    ]


def _benefit_methods(saved: Saved) -> list[str]:
    s, b = saved.settings, saved.settings["benefit"]
    survival = "progression-free" if b["survival"] == "pfs" else "overall"
    return [
        f"{s['per_month']:g} patients come a month, at most {number(s['most_screened'])} to a trial; the marker is known after "
        f"{b['assays']['turnaround_days']:g} days, with the errors of its assay. Randomised designs compare {survival} survival. "
        "The truth that an estimate is held against is the same effect in all virtual patients of the design's population, each "
        "under both treatments (log hazard ratio by Cox's model), or their success rate. If there is no effect, every patient has "
        "the outcome of the control, whatever is given. A design that then still finds a benefit in more than "
        f"{percent(b['max_type_one_error'], 0)} of its trials is shown but not recommended.",
        "Net benefit NB(w) = 100 Σ P(group treated) · share · (gain − w), w: the gain from which treatment is worth it (decision "
        "curves; Vickers & Elkin, Med Decis Making 2006;26:565-74). Where two strategies change places, the interval holds the "
        "thresholds at which their paired difference is not told from 0.",
    ]
