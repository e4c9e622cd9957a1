"""The page of a calibration: how far its predictions of studies that it has not seen may be believed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.calibration.scores import RELIABLE
from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures.calibration import (
    NAMES,
    SPOKEN,
    WORDS,
    age_panel,
    contraction_panel,
    coverage_panel,
    forest_panel,
    ranks_panel,
    scores_panel,
)
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.wording import fixed, fixed_spread, interval, join, number, percent, plural, words

KINDS = {"orr": "proportion", "dcr": "proportion", "median_pfs": "months", "pfs_hr": "ratio"}
BETTER, COVERED = 0.9, (0.85, 0.95)  # what was asked of it: ratio of CRPS over all endpoints; share inside the 90 % interval
CLEAR = 1.0  # log density: less is within the noise of leave-one-out
NOBODY_RESPONDS = 0.03  # upper limit of a predicted response rate
ODD = 0.025  # p of a posterior predictive check, or its complement
ALWAYS_SHOWN = ("CPCT03",)  # beside the studies of children


def page(saved: Saved) -> Page:
    every, scores = saved.table("left_out"), saved.table("scores")
    alone = saved.table("alone").set_index("study")
    ours = every[every["model"] == "mechanistic"]
    ages = _ages(saved)
    chapters = [
        Section("judged", "Studies that it had not seen",
                "Each study was left out, the model fitted to all others, and the study predicted.",
                [scores_panel(scores), coverage_panel(scores), ranks_panel(every)],
                [_scores(scores)]),
        Section("studies", "Study by study",
                "Bars: 90 % and 50 % predictive intervals; marks: what was published.",
                [forest_panel(every, name) for name in NAMES if (every["endpoint"] == name).any()],
                [_missed(ours, alone), _every(every)]),
        Section("fit", "Does the fit describe the evidence?",
                "Of the one fit to all studies: evidence replicated from it, and leave-one-out by importance weights.",
                [], [_checks(saved.table("checks")), _loo(saved.table("loo"))]),
        Section("told", "What the evidence tells",
                "Variance of each parameter after the fit, against its prior.",
                [contraction_panel(saved.table("contraction"))], [_contraction(saved.table("contraction"))]),
        Section("ages", "Adults and children in one hierarchy",
                "The same model fitted to the studies of adults, of children, and to all.",
                [age_panel(ages)], [_age_numbers(ages), _age_parameters(saved.table("age_parameters"))]),
    ]  # fmt: skip
    return Page(
        summary=[_what(saved), *_found(scores, ours, alone), _told_of_ages(saved)],
        cards=_cards(scores),
        chapters=chapters,
        methods=_methods(saved),
        settings=(),
        cautions=_cautions(saved),
        checks=_sampling(saved),
    )


def _what(saved: Saved) -> str:
    told = saved.results
    return (
        f"The model was fitted to {told['numbers']} published numbers of {plural(told['studies'], 'study', 'studies')} at once, "
        f"{told['patients']:,} virtual patients simulated, and judged by leaving out each study and predicting it from all others, "
        "beside a meta-analysis of the same numbers that knows nothing of drugs or tumours."
    )


def _found(scores: pd.DataFrame, ours: pd.DataFrame, alone: pd.DataFrame) -> list[str]:
    table = scores[scores["model"] == "mechanistic"].set_index("endpoint")
    whole = table.loc["all"]
    parts = table.drop(index="all")
    worse = [SPOKEN[name] for name, row in parts.iterrows() if row["ratio"] > 1.0]
    good = whole["ratio"] <= BETTER and not worse
    told = f"Over all endpoints its error (CRPS) is {fixed(whole['ratio'])} of the meta-analysis's "
    told += f"(90 % of resampled studies {fixed(whole['ratio_low'])} to {fixed(whole['ratio_high'])}); "
    told += f"asked was at most {BETTER:g}, and no endpoint worse. "
    told += "Both hold." if good else f"Worse: {join(worse)}." if worse else "Not reached."
    covered = COVERED[0] <= whole["inside_90"] <= COVERED[1]
    held = (
        f"Its 90 % intervals hold {percent(whole['inside_90'], 0)} of {int(whole['n'])} published values (exact 95 % limits "
        f"{percent(whole['inside_90_low'], 0)} to {percent(whole['inside_90_high'], 0)}); asked was 85 to 95 %: "
        f"{'reached' if covered else 'NOT reached'}."
    )
    out = [f"{SPOKEN[name]} {percent(row['inside_90'], 0)}" for name, row in parts.iterrows()]
    missed = ours[~ours["inside_90"].astype(bool)]
    by_alone = [study for study in dict.fromkeys(missed["study"]) if study in alone.index and any(alone.loc[study])]
    why = (
        f"Of {plural(missed['study'].nunique(), 'study', 'studies')} with a value outside, {len(by_alone)} "
        "gave a drug or enrolled a tumour type that no other study tells of."
    )
    return [told, f"{held} By endpoint: {join(out)}. {why}"]


def _told_of_ages(saved: Saved) -> str:
    table = saved.table("age_loo")
    mean = lambda children, fitted: float(table[(table["children"] == children) & (table["fitted"] == fitted)]["elpd"].sum())
    parameters = saved.table("age_parameters").set_index("parameter")
    narrower = float((1.0 - parameters["sd_together"] / parameters["sd_adults"]).median())
    ages = saved.table("age_numbers")
    young = ages[ages["children"]]
    inside = {name: part["inside_90"].mean() for name, part in young.groupby("fitted")}
    gain = mean(False, "together") - mean(False, "adults")
    if gain > CLEAR:
        verdict = "the children add to them"
    elif gain < -CLEAR:
        verdict = "the children take from them"
    else:
        verdict = "the children neither add to nor take from them"
    count = int((young["fitted"] == "adults").sum())
    better, change = "better" if gain > 0 else "worse", "fall" if narrower >= 0 else "rise"
    return (
        f"Children and adults: fitted to adults alone, the model holds {percent(inside['adults'], 0)} of the children's {count} "
        f"numbers in its 90 % intervals. With the children's studies the SDs of the hierarchy {change} by "
        f"{percent(abs(narrower), 0)} at the median, and the adults' studies are predicted {better} by {number(abs(gain), 2)} in "
        f"log density over all of them (leave-one-out): {verdict}."
    )


def _cards(scores: pd.DataFrame) -> list[Card]:
    table = scores[scores["model"] == "mechanistic"].set_index("endpoint")
    found = []
    for name in ("all", *KINDS):
        if name in table.index:
            row = table.loc[name]
            value = f"{fixed(row['ratio'])}"
            found.append(Card(f"CRPS ratio, {SPOKEN[name]}", value, f"{percent(row['inside_90'], 0)} inside the 90 % interval"))
    return found


def _scores(scores: pd.DataFrame) -> Table:
    rows = []
    for row in scores.to_dict("records"):
        inside = [_share(row, level) for level in (50, 80, 90)]
        crps = "" if row["endpoint"] == "all" else number(row["crps"], 3)
        ratio = fixed_spread(row["ratio"], row["ratio_low"], row["ratio_high"]) if row["model"] == "mechanistic" else "1"
        rows.append([NAMES[row["endpoint"]], WORDS[row["model"]], str(row["n"]), crps, ratio, *inside])
    columns = [
        "Endpoint",
        "Model",
        "Values",
        "CRPS",
        "Ratio (90 % of resampled studies)",
        "Inside 50 %",
        "Inside 80 %",
        "Inside 90 %",
    ]
    note = "CRPS: rates as fractions; times and ratios as logs. All: mean of the ratios, weighted by values. Limits: exact, 95 %."
    return Table("scores", "Both models, scored", scores, pd.DataFrame(rows, columns=columns), note)


def _share(row: dict[str, Any], level: int) -> str:
    share, low, high = (percent(row[f"inside_{level}{end}"], 0) for end in ("", "_low", "_high"))
    return f"{share} ({low} to {high})"


def _missed(ours: pd.DataFrame, alone: pd.DataFrame) -> Table:
    """Values outside, with what no other study tells of."""
    raw = ours[~ours["inside_90"].astype(bool)]
    rows = []
    for row in raw.to_dict("records"):
        show = lambda value, kind=KINDS[row["endpoint"]]: percent(value) if kind == "proportion" else number(value, 2)
        low, high = show(row["low_90"]), show(row["high_90"])
        rows.append(
            [row["arm"], NAMES[row["endpoint"]], show(row["value"]), show(row["median"]), f"{low} to {high}", _why(row, alone)]
        )
    columns = ["Arm", "Endpoint", "Published", "Predicted", "90 % interval", "Only this study tells of; why else"]
    note = "What no other study tells of had to be guessed from the spread between tumour types or between drugs."
    return Table("missed", "Values outside the 90 % interval, trial by trial", raw, pd.DataFrame(rows, columns=columns), note)


def _why(row: dict[str, Any], alone: pd.DataFrame) -> str:
    only = alone.loc[row["study"]] if row["study"] in alone.index else None
    named = [] if only is None else [words(name) for column in only for name in column.split()]
    if row["endpoint"] == "orr" and row["high_90"] < NOBODY_RESPONDS:
        named.append("in the model nobody responds without a drug that acts")
    return join(named) if named else "nothing: other studies of the same drugs and tumour types say otherwise"


def _every(every: pd.DataFrame) -> Table:
    ours = every[every["model"] == "mechanistic"]
    other = every[every["model"] == "statistical"].set_index(["arm", "endpoint"])
    rows = []
    for row in ours.to_dict("records"):
        kind, beside = KINDS[row["endpoint"]], other.loc[(row["arm"], row["endpoint"])]
        show = lambda found, kind=kind: interval(found["low_90"], found["high_90"], kind)
        value = percent(row["value"]) if kind == "proportion" else number(row["value"], 3)
        rows.append([row["arm"], NAMES[row["endpoint"]], str(row["n"]), value, show(row), show(beside), number(row["crps"], 2),
                     number(beside["crps"], 2)])  # fmt: skip
    columns = ["Arm", "Endpoint", "Patients", "Published", "This model, 90 %", "Meta-analysis, 90 %", "CRPS", "CRPS, meta-analysis"]
    note = "Patients: half of those of the study where its number is of low trust."
    return Table("left_out", "Every study left out", every, pd.DataFrame(rows, columns=columns), note, folded=True)


def _checks(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        odd = row["p"] < ODD or row["p"] > 1 - ODD
        rows.append([row["check"], number(row["published"], 3), f"{number(row['median'], 3)} ({number(row['low_90'], 3)} to "
                     f"{number(row['high_90'], 3)})", fixed(row["p"], 3), "NOT described" if odd else "described"])  # fmt: skip
    columns = ["Feature of the evidence", "Published", "Replicated (90 %)", "p", "Verdict"]
    note = (
        "p: share of replicated evidence above the published; below 0.025 or above 0.975 the model does not describe the feature."
    )
    return Table("checks", "Posterior predictive checks", table, pd.DataFrame(rows, columns=columns), note)


def _loo(table: pd.DataFrame) -> Table:
    bad = int((table["pareto_k"] > RELIABLE).sum())
    shown = pd.DataFrame(
        [[row.study, str(row.numbers), fixed(row.elpd, 1), fixed(row.lpd, 1), fixed(row.pareto_k)] for row in table.itertuples()],
        columns=["Study", "Numbers", "elpd without it", "log density with it", "Pareto k"],
    )
    note = (
        f"PSIS-LOO by study, its own effects integrated out; elpd over all: {fixed(float(table['elpd'].sum()), 1)}. Pareto k is "
        f"above {RELIABLE:g}, where importance weights fail, for {plural(bad, 'study', 'studies')} of {len(table)}: "
        "that is why every study was refitted above."
    )
    return Table("loo", "Leave-one-out by importance weights", table, shown, note, folded=True)


def _contraction(table: pd.DataFrame) -> Table:
    rows = table.sort_values("contraction", ascending=False)
    shown = pd.DataFrame(
        [[row.parameter, row.meaning, f"{fixed(row.prior_mean)} ({fixed(row.prior_sd)})", f"{fixed(row.mean)} ({fixed(row.sd)})",
          percent(max(row.contraction, 0.0), 0)] for row in rows.itertuples()],
        columns=["Parameter", "Meaning", "Prior mean (SD)", "Posterior mean (SD)", "Contraction"],
    )  # fmt: skip
    note = "Contraction: 1 - posterior variance over prior variance. Shifts are on the scale of trialsim.calibration.parameters."
    return Table("contraction", "All parameters", table, shown, note, folded=True)


def _ages(saved: Saved) -> pd.DataFrame:
    """Rates of the studies of children and of `ALWAYS_SHOWN`."""
    table = saved.table("age_numbers")
    rates = table[~table["endpoint"].str.startswith(("median", "pfs_hr"))]
    shown = rates[rates["children"] | rates["study"].isin(ALWAYS_SHOWN)]
    return shown.assign(shown=[_endpoint(name) for name in shown["endpoint"]])


def _endpoint(name: str) -> str:
    if name.startswith("pfs_"):
        return f"free of progression at {name.removeprefix('pfs_')} months"
    return {"orr": "response", "dcr": "disease control", "clinical_benefit_rate": "clinical benefit"}[name]


def _age_numbers(ages: pd.DataFrame) -> Table:
    wide = ages.pivot_table(
        index=["study", "arm", "shown", "value", "n"], columns="fitted", values=["median", "low_90", "high_90"], sort=False
    )
    rows = []
    for key, row in wide.iterrows():
        study, arm, shown, value, n = key
        of = lambda fit, row=row: (
            f"{percent(row[('median', fit)], 0)} ({interval(row[('low_90', fit)], row[('high_90', fit)], 'proportion')})"
        )
        rows.append([study, arm, shown, str(n), percent(value), of("adults"), of("children"), of("together")])
    columns = ["Study", "Arm", "Endpoint", "Patients", "Published", "Fitted to adults", "Fitted to children", "Fitted to all"]
    note = "Median and 90 % predictive interval of a study of that size."
    return Table("age_numbers", "What each fit predicts", ages, pd.DataFrame(rows, columns=columns), note)


def _age_parameters(table: pd.DataFrame) -> Table:
    of = lambda row, fit: f"{fixed(row[f'mean_{fit}'])} ({fixed(row[f'sd_{fit}'])})"
    taken = lambda row: percent(1 - row["sd_together"] / row["sd_adults"], 0)
    rows = [[row["meaning"], *(of(row, fit) for fit in ("adults", "children", "together")), taken(row)]
            for row in table.to_dict("records")]  # fmt: skip
    columns = ["Parameter of the hierarchy", "Adults: mean (SD)", "Children", "All", "SD that children take away"]
    return Table("age_parameters", "What children add to the hierarchy", table, pd.DataFrame(rows, columns=columns))


def _cautions(saved: Saved) -> list[str]:
    return [
        "Only arms with the role fit of the evidence tables took part; numbers of low trust (second hand) count as of half as "
        "many patients; what was quoted from memory is left out.",
        "Adverse events, drug levels and biomarkers are not among the numbers fitted.",
        "Studies with the role validation were used for nothing here: trialsim predict sets each beside its prediction.",
    ]


def _sampling(saved: Saved) -> str:
    told = saved.results["diagnostics"]
    return (
        f"R-hat at most {number(told['largest_rhat'], 3)}, effective draws at least {number(told['smallest_ess'], 3)}, "
        f"{plural(told['divergences'], 'divergence')}"
    )


def _methods(saved: Saved) -> list[str]:
    told, asked = saved.results, saved.settings
    fold = told["fold"]
    return [
        "Each arm of each study is simulated with patients whose settings are spread over the priors; the share with an outcome is "
        "told from them as a function of the settings by penalised logistic regression; a hierarchy over tumour types, drugs, "
        "partner drugs, lines and studies is fitted to the published numbers by NUTS, each with the likelihood of how it was "
        f"published. {asked['patients']:,} patients an arm and tumour type; {asked['chains']} chains of {asked['samples']} draws; "
        f"fitting took {told['seconds'] / 60:.0f} minutes. The page Calibration of the documentation gives the equations.",
        f"A study left out: refitted with one chain of {fold['samples']} draws after {fold['warmup']}. Ratios over resampled "
        "studies: 2,000 bootstrap samples of studies. The meta-analysis is a multivariate random-effects model over tumour type, "
        "partner and study, with rapalog, line, children and selection.",
        "CRPS: Gneiting & Raftery, J Am Stat Assoc 2007;102:359. PSIS-LOO: Vehtari, Gelman & Gabry, Stat Comput 2017;27:1413. "
        "Posterior predictive checks: Gelman, Meng & Stern, Stat Sinica 1996;6:733.",
    ]
