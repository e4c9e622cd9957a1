"""What options, side by side, answer: in words, with how sure that is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.evidence.likeness import GENES
from trialsim.options.truths import COMPARED, HAZARD_RATIO
from trialsim.report.analyses.page import Saved
from trialsim.report.figures.options import SURE
from trialsim.report.wording import (
    ENDPOINT_NAMES,
    MISSING,
    fixed,
    fixed_spread,
    is_number,
    join,
    number,
    percent,
    plural,
    unit_text,
)

JUDGED = {  # in a sentence
    "pfs_hr": "hazard of progression or death", "orr": "response rate", "dcr": "disease control",
    "pfs_6_months": "progression-free survival at 6 months", "dlt_rate": "dose-limiting toxicity", "severe": "grade 3 or 4 events",
    "median_relative_dose_intensity": "dose intensity", "ps6_tumour_d28": "pS6 left in the tumour",
}  # fmt: skip
TESTS = {"log_rank": "randomised, log-rank test", "response": "one arm, response rate"}
TRIALS = {"log_rank": "in a randomised trial (log-rank test)", "response": "in a trial of one arm (response rate)"}
NAMED = 8  # options in a sentence
FEW = 3  # treatments of which each is told by each measure
LEAST_SHOWN = 0.01  # error of a ratio; less is told as this much
SMALL = 0.1  # change of a hazard that matters little; ours
BESIDE = {
    "orr": "response in percentage points",
    "ps6_tumour_d28": "pS6 left in the tumour as a ratio",
    "severe": "patients with a grade 3 or 4 event in percentage points",
    "dlt_rate": "dose-limiting toxicity in percentage points",
}
CLOSE = 0.1  # a probability less than this is not told


class Names:
    """Options, populations and the reference, as the page calls them."""

    def __init__(self, saved: Saved):
        asked = saved.settings
        self.who = {name: str(one["label"]) for name, one in asked["who"].items()}
        self.what = {name: str(one["label"]) for name, one in asked["what"].items()}
        self.reference: tuple[str, str] = (asked["reference"]["who"], asked["reference"]["what"])
        self.judged_by = str(asked["judged_by"])

    @property
    def tried(self) -> dict[str, str]:
        """Treatments other than the reference's."""
        return {name: label for name, label in self.what.items() if name != self.reference[1]}

    @property
    def base(self) -> str:
        """The reference treatment."""
        return self.what[self.reference[1]]

    def option(self, who: str, what: str) -> str:
        return self.what[what] if len(self.who) == 1 else f"{self.who[who]}: {self.what[what]}"


def change(row: Any) -> str:
    """A difference or ratio with its 90 % interval, or, where worlds do not differ beyond the simulation's error, with that."""
    if not is_number(row["median"]):
        return MISSING
    if row["low_90"] == row["high_90"] and is_number(row["error"]) and row["error"] > 0:
        if row["ratio"]:  # the error is that of the log
            return f"{fixed(row['median'])} (± {fixed(max(row['median'] * row['error'], LEAST_SHOWN))})"
        return f"{points(row['median'], 1)} points (± {100 * row['error']:.1f})"
    if row["ratio"]:
        return fixed_spread(row["median"], row["low_90"], row["high_90"])
    return f"{points(row['median'], 1)} points ({points(row['low_90'], 1)} to {points(row['high_90'], 1)})"


def points(fraction: float, digits: int = 0) -> str:
    """Signed percentage points."""
    text = f"{100 * fraction:+.{digits}f}".replace("-", "−")
    return text.lstrip("+−") if float(text.replace("−", "-")) == 0 else text


def chance(p: float, error: float) -> str:
    """A probability with its Monte Carlo error, in per cent."""
    return f"{100 * p:.0f} ± {100 * error:.0f} %" if is_number(p) else MISSING


def what_was_compared(saved: Saved, names: Names, options: int) -> str:
    asked = saved.settings
    return (
        f"{asked['question']} {options} options ({plural(len(names.what), 'treatment')}, {plural(len(names.who), 'population')}) "
        f"were compared in a computer simulation, in the same {asked['draws']} worlds, drawn from what "
        f"{saved.results['posterior']['trials']} published trials leave uncertain of tumours and drugs, and in the same virtual "
        "patients wherever the population is the same."
    )


def answer(saved: Saved, names: Names) -> list[str]:
    """Paragraphs; what the evidence does not tell is said so."""
    options, compared, best, people = (saved.table(name) for name in ("options", "compared", "best", "people"))
    judged = compared[(compared["kind"] == "treatment") & (compared["endpoint"] == names.judged_by)]
    told = []
    if len(judged) and len(names.tried) > 1:
        told += [_best_treatments(judged, best, names), _without_trial(saved, best, names)]
        told += [_against_reference(judged, names), _others(compared, names)]
    elif len(judged):
        told.append(_one_treatment(judged, names))
        if len(names.who) > 1:
            told.append(_best_population(compared, best, people, names))
    told.append(_of_laboratory(saved))
    if "matched" in saved.summary["tables"]:
        told.append(_dose(saved, options, names))
    if "needed" in saved.summary["tables"]:
        told.append(_size(saved, names))
    return [text for text in told if text]


def _ranked(best: pd.DataFrame, kind: str, endpoint: str) -> pd.DataFrame:
    found = best[(best["kind"] == kind) & (best["endpoint"] == endpoint)]
    return found.sort_values("probability", ascending=False, kind="stable")


def _best_treatments(judged: pd.DataFrame, best: pd.DataFrame, names: Names) -> str:
    """Which treatment is the best in which population."""
    effect = judged.set_index(["who", "what"])
    sure, open_ = [], []
    by_population = dict(list(_ranked(best, "treatment", names.judged_by).groupby("who", sort=False)))
    if same := _best_everywhere(by_population):
        told = (
            f"The best treatment by {JUDGED[names.judged_by]} is {names.what[same]}, with a probability of {percent(SURE, 0)} or "
            "more in every population"
        )
        if same == names.reference[1]:
            return f"{told}."
        there = [who for who in names.who if who in by_population]
        each = join(f"{names.who[who]} {_size_of(effect, who, same).removeprefix(', ')}" for who in there)
        return f"{told}; {_measure(names)} against {names.base}: {each}."
    for who in [who for who in names.who if who in by_population]:
        part = by_population[who]
        where = f"in {names.who[who]} " if len(names.who) > 1 else ""
        told = [
            f"{names.what[row['what']]} ({likely(row['probability'])}{_size_of(effect, who, row['what'])})"
            for row in part.to_dict("records") if row["probability"] >= CLOSE
        ][:3]  # fmt: skip
        if part["probability"].iloc[0] >= SURE:
            sure.append(f"{where}{told[0]}")
        else:
            open_.append(f"{where}{join(told, 'or')}")
    by = f"by {JUDGED[names.judged_by]}"
    found = []
    if sure:
        found.append(
            f"The best treatment {by}, with its probability and the {_measure(names)} against {names.base}: {'; '.join(sure)}."
        )
    if open_:
        found.append(
            f"{'Elsewhere the' if sure else 'The'} evidence does NOT tell which treatment is the best {by}; candidates, with the "
            f"probability that they are and the {_measure(names)} against {names.base}: {'; '.join(open_)}."
        )
    return " ".join(found)


def _best_everywhere(by_population: dict[str, pd.DataFrame]) -> str | None:
    """The treatment that is surely the best in each of several populations."""
    first = {part["what"].iloc[0] for part in by_population.values() if part["probability"].iloc[0] >= SURE}
    sure = all(part["probability"].iloc[0] >= SURE for part in by_population.values())
    return str(first.pop()) if sure and len(first) == 1 and len(by_population) > 1 else None


def _without_trial(saved: Saved, best: pd.DataFrame, names: Names) -> str:
    """Candidates for the best whose partner drug no fitted trial gave: what is said of them is no clinical evidence."""
    ranked = _ranked(best, "treatment", names.judged_by)
    likely_best = set(ranked[ranked["probability"] >= CLOSE]["what"])
    unknown = {name.removeprefix("partner ") for name in saved.results["posterior"]["untold"]}
    drugs = lambda one: saved.config["partner"] if one["partners"] is None else one["partners"]
    without = {name: unknown & set(drugs(one)) for name, one in saved.settings["what"].items() if name in likely_best}
    found = [names.what[name] for name, partners in without.items() if partners]
    if not found:
        return ""
    return (
        f"NO fitted trial gave {join(found, 'or')} beside a rapalog: how much it helps rests on laboratory facts and a prior "
        "alone, and the probabilities hold only if these are right. That is a reason for a trial, not evidence of benefit."
        f"{_not_fitted(saved, without, names)}"
    )


def _not_fitted(saved: Saved, partners: dict[str, set[str]], names: Names) -> str:
    """What was published of partner drugs beside a rapalog, which the posterior has not seen, and what is predicted here.

    Args:
        partners: such drugs by treatment.
    """
    arms = saved.results["posterior"].get("not_fitted", {})  # runs of before had none
    known = {what: told for what, drugs in partners.items() if (told := [text for name in drugs for text in arms.get(name, [])])}
    if not known:
        return ""
    orr = saved.table("options").query("endpoint == 'orr'").set_index(["who", "what"])
    who = names.reference[0]
    here = [
        f"{names.what[what]} {percent(row['median'], 0)} ({percent(row['low_90'], 0)} to {percent(row['high_90'], 0)})"
        for what in known if (who, what) in orr.index for row in [orr.loc[(who, what)]]
    ]  # fmt: skip
    published = dict.fromkeys(text for told in known.values() for text in told)
    against = f"Hold the answer against it: response in {names.who[who]} is {join(here)} here."
    return f" Published, but NOT fitted. {' '.join(published)} {against}"


def _of_laboratory(saved: Saved) -> str:
    """Alterations of which trials tell no more than cells do, and that findings in patients are there to be read."""
    genes = saved.results["posterior"].get("of_laboratory", [])  # runs of before had none
    if not genes:
        return ""
    studies = saved.table("by_alteration")["study"].nunique()
    many = plural(studies, "study", "studies")
    published = f" Hold it against the findings of {many} of patients, listed below." if studies else ""
    return (
        f"What alterations of {join(dict.fromkeys(GENES[gene] for gene in genes))} change rests on facts about cells: the fitted "
        f"trials hardly narrow it, so what is said of populations chosen by them holds only as far as those facts do.{published}"
    )


def _size_of(effect: pd.DataFrame, who: str, what: str) -> str:
    if (who, what) not in effect.index:
        return ""
    row = effect.loc[(who, what)]
    return f", {change(row)}{', which matters little' if _small(row) else ''}"


def _small(row: Any) -> bool:
    """Whether a hazard ratio is so near to 1 that the choice matters little."""
    return bool(row["ratio"]) and row["low_90"] > 1 - SMALL and row["high_90"] < 1 + SMALL


def _measure(names: Names) -> str:
    return "hazard ratio" if names.judged_by == HAZARD_RATIO else "ratio" if COMPARED[names.judged_by].ratio else "difference"


def _against_reference(judged: pd.DataFrame, names: Names) -> str:
    """Which options are better or worse than the reference treatment for certain."""
    groups = {
        "better": judged[judged["better"] >= SURE],
        "worse": judged[judged["better"] <= 1 - SURE],
        "open": judged[judged["better"].between(1 - SURE, SURE, inclusive="neither")],
    }

    def many(rows: pd.DataFrame) -> str:
        if 0 < len(rows) <= NAMED:
            return join(names.option(row.who, row.what) for row in rows.itertuples())
        return f"{len(rows)} of {len(judged)} options" if len(rows) else "none"

    all_small = all(map(_small, judged.to_dict("records")))
    little = sum(map(_small, groups["better"].to_dict("records")))
    but = f", {little} of them by less than {percent(SMALL, 0)}" if little and not all_small else ""
    told = (
        f"Against {names.base}, with a probability of {percent(SURE, 0)} or more, better: {many(groups['better'])}{but}; not "
        f"better: {many(groups['worse'])}; the evidence does not tell: {many(groups['open'])}."
    )
    if all_small:
        told += f" But all differ from it by less than {percent(SMALL, 0)}: by this measure the choice matters little."
    return told


def _others(compared: pd.DataFrame, names: Names) -> str:
    """Response, inhibition and harm of each treatment against the reference, in the reference population."""
    found = compared[compared["kind"] == "treatment"]
    found = found[found["who"] == (names.reference[0] if names.reference[0] in set(found["who"]) else found["who"].iloc[0])]
    value = lambda row: f"{names.what[row['what']]} {fixed(row['median']) if row['ratio'] else points(row['median'], 1)}"
    told = []
    for endpoint, what in BESIDE.items():
        rows = found[(found["endpoint"] == endpoint) & found["median"].notna()].sort_values("median").to_dict("records")
        if len(rows) > FEW:
            told.append(f"{what}: from {value(rows[0])} to {value(rows[-1])}")
        elif rows:
            told.append(f"{what}: {join(map(value, rows))}")
    where = f" in {names.who[found['who'].iloc[0]]}" if len(names.who) > 1 else ""
    return f"Against {names.base}{where}, {'; '.join(told)}."


def _one_treatment(judged: pd.DataFrame, names: Names) -> str:
    """One treatment against the reference, population by population."""
    rows = judged.to_dict("records")
    each = [f"{names.who[row['who']]} {change(row)}" for row in rows]
    unsure = [f"{names.who[row['who']]} ({percent(row['better'], 0)})" for row in rows if 1 - SURE < row["better"] < SURE]
    by = JUDGED[names.judged_by].removeprefix("hazard of ")
    start = f"{capital(names.what[rows[0]['what']])} against {names.base}, {_measure(names)} of {by} with its 90 % interval"
    return f"{start}: {join(each)}." + (f" The evidence does not tell whether it is better in: {join(unsure)}." if unsure else "")


def _best_population(compared: pd.DataFrame, best: pd.DataFrame, people: pd.DataFrame, names: Names) -> str:
    """Whom to ask in, what that gains over the reference population, and what it costs in screening."""
    (what,) = names.tried
    ranked = _ranked(best, "population", names.judged_by)
    ranked = ranked[ranked["what"] == what]
    base, per_patient = names.who[names.reference[0]], people.set_index("who")["screened"]
    gains = compared[(compared["kind"] == "population") & (compared["what"] == what)].set_index(["who", "endpoint"])

    def gain(row: Any) -> str:
        probability = f"with a probability of {likely(row['probability'])} {names.who[row['who']]}"
        if row["who"] == names.reference[0]:
            return probability
        judged, response = gains.loc[(row["who"], names.judged_by)], gains.loc[(row["who"], "orr")]
        beside = "" if names.judged_by == "orr" else f"; response {change(response)}"
        ratio = "ratio of hazard ratios" if names.judged_by == HAZARD_RATIO else JUDGED[names.judged_by]
        return (
            f"{probability} (against {base}: {ratio} {change(judged)}, larger effect with a probability of "
            f"{likely(judged['better'])}{beside}; {number(per_patient[row['who']], 2)} screened for one patient)"
        )

    first = ranked[ranked["probability"] >= CLOSE].head(3).to_dict("records")
    sure = bool(len(ranked)) and ranked["probability"].iloc[0] >= SURE
    start = "The effect is largest" if sure else "The evidence does NOT tell for certain in whom the effect is largest:"
    return f"{start} {join(gain(row) for row in first)}." if first else ""


def dose_found(row: Any) -> str:
    """A matched dose: with its 90 % interval, or with the simulation's error where worlds do not differ."""
    if not (is_number(row["median"]) and row["median"] > 0):
        return "a dose beyond those tried"
    shown = f"{number(row['median'], 2)} {unit_text(row['unit'])}"
    if COMPARED[row["endpoint"]].fitted and row["low_90"] < row["high_90"]:
        return f"{shown} ({number(row['low_90'], 2)} to {number(row['high_90'], 2)})"
    return f"{shown} (± {number(row['error'], 1)})"


def _dose(saved: Saved, options: pd.DataFrame, names: Names) -> str:
    """The doses with the exposure and the inhibition of the reference, and dose-limiting toxicity by dose."""
    who, what = names.reference
    told = []
    for endpoint, rows in saved.table("matched").groupby("endpoint", sort=False):
        each = join(f"{names.who[row['who']]} {dose_found(row)}" for row in rows.to_dict("records"))
        told.append(f"the {inside(ENDPOINT_NAMES[endpoint])} of {names.who[who]} on {names.what[what]} is reached at: {each}")
    dlt = options[options["endpoint"] == "dlt_rate"]
    base = dlt[(dlt["who"] == who) & (dlt["what"] == what)]["median"].iloc[0]
    others = dlt[dlt["what"] != what].groupby("what", sort=False)["median"].agg(["min", "max"])
    rates = join(f"{percent(low, 0)} to {percent(high, 0)} at {names.what[dose]}" for dose, low, high in others.itertuples())
    beyond = " Doses above those that were ever studied are extrapolated: see Keep in mind." if saved.summary["cautions"] else ""
    return (
        f"{capital('; '.join(told))} (90 % intervals; ± Monte Carlo error where worlds do not differ). Dose-limiting toxicity: "
        f"{percent(base, 0)} in {names.who[who]} on {names.what[what]}; over the other populations, {rates}.{beyond}"
    )


def _size(saved: Saved, names: Names) -> str:
    """The smallest trials that have the assurance asked for, and the ceiling of those that have none."""
    plan, needed = saved.settings["sizes"], saved.table("needed")
    ceiling = saved.table("sizes").drop_duplicates(["who", "what", "test"]).set_index(["who", "what", "test"])["ceiling"]
    called = lambda r: names.who[r.who] if len(names.tried) == 1 and len(names.who) > 1 else names.option(r.who, r.what)
    told, most = [], max(plan["patients"])
    for test, rows in needed[needed["what"].isin(names.tried)].groupby("test", sort=False):
        reached = rows[rows["patients"].notna()].sort_values("total", kind="stable")
        missed = rows[rows["patients"].isna()]
        arm = " an arm" if test == "log_rank" else ""
        each = [f"{called(r)} {r.patients:,.0f}{arm} ({r.screened:,.0f} screened)" for r in reached.itertuples()]
        told.append(f"{TRIALS[test]} {_first(each) or f'more than the {most:,}{arm} that were tried'}")
        if test == "log_rank" and len(each) and len(missed):
            never = [
                f"{called(r)} (truly better in {likely(ceiling[r.who, r.what, r.test])} of worlds)" for r in missed.itertuples()
            ]
            told[-1] += f"; not by any size up to {most:,}: {_first(never)}"
    return f"A chance of success of {percent(plan['assurance'], 0)} takes {'; '.join(told)}."


def _first(each: list[str]) -> str:
    return join(each) if len(each) <= NAMED else f"{'; '.join(each[:FEW])}; and {len(each) - FEW} more, see the table"


def likely(p: float) -> str:
    """A probability as a share of few worlds: never certain."""
    return "over 99 %" if p > 0.99 else "below 1 %" if p < 0.01 else percent(p, 0)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def inside(heading: str) -> str:
    """A heading within a sentence; abbreviations keep their capitals."""
    return heading if heading[:2].isupper() else heading[:1].lower() + heading[1:]
