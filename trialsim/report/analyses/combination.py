"""The page of the combination analysis."""

from __future__ import annotations

import pandas as pd

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures import partners, surfaces
from trialsim.report.figures.partners import GENOTYPES
from trialsim.report.figures.surfaces import NULLS, signed
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.wording import dose, fixed_spread, interval, join, number, percent, plural, spread, words

SETTINGS = (
    "cohort", "tumour", "cell_line", "culture", "drug", "partner", "network", "regimen", "modification", "design",
    "endpoint", "compute",
)  # fmt: skip
SCORES = {f"excess_{null}": f"{name}, points of viability" for null, name in NULLS.items()} | {
    "excess_loewe_strict": "Loewe, where both drugs reach the effect",
    "growth_excess_bliss": "Bliss, points of growth rate",
    "growth_excess_hsa": "HSA, points of growth rate",
}
SHARES = {
    "responder": "Response", "disease_control": "Disease control", "severe": "Grade 3 or 4", "dlt": "DLT",
    "stopped": "Stopped for toxicity",
    "intensity_rapalog": "Rapalog, dose intensity", "intensity_partner": "Partner, dose intensity",
}  # fmt: skip


def page(saved: Saved) -> Page:
    settings, drugs = saved.settings, _drugs(saved)
    labels = {row.line: row.label.split(",")[0] for row in saved.table("lines").itertuples()}
    scores, surface, cohort = saved.table("dish_scores"), saved.table("dish"), saved.table("cohort")
    schedules, courses, ranked = saved.table("schedules"), saved.table("courses"), saved.table("partners")
    most = settings["rapalog_factors"][-1], settings["partner_factors"][-1]
    at_most = cohort[(cohort["rapalog_factor"] == most[0]) & (cohort["partner_factor"] == most[1])].set_index("measure")
    ways = {name: _named(way["label"], drugs) for name, way in settings["schedules"].items()}
    names = {name: words(name) for name in saved.config["partner"]}
    week = settings["week"]
    chapters = [
        Section(
            "dish",
            "In a dish",
            f"Cell lines under every dose of {drugs[0]} with every dose of {drugs[1]} for "
            f"{settings['in_vitro']['plate']['hours']:g} h, "
            "measured as living cells over those of untreated wells.",
            [
                surfaces.dish(surface, labels, drugs),
                surfaces.isobologram(saved.table("isoboles"), labels, drugs),
                surfaces.scores(scores, labels),
            ],
            [_scores(scores, labels), _indices(surface, labels)],
        ),
        Section(
            "patients",
            "In patients",
            "The same patients under no drug, one and both, at every pair of doses, with the same chances each time.",
            [
                surfaces.cohort(cohort, drugs, _doses(saved), week),
                partners.progression(saved.table("pfs"), _ratios(saved), drugs),
                surfaces.responses(cohort, most, drugs),
                surfaces.beside(scores, surface, at_most, labels),
            ],
            [_cohort(cohort, _doses(saved))],
        ),
        Section(
            "schedules",
            "In which order and rhythm",
            "Full prescribed doses unless said; the same patients under every schedule.",
            [partners.schedules(schedules, ways, settings["reference"]), partners.courses(courses, ways)],
            [_schedules(schedules, ways)],
        ),
        Section(
            "partners",
            "Which partner for which tumour",
            f"The same {number(settings['genotype_patients'])} patients bear each genotype in turn and take each partner at its "
            "own dose "
            f"beside {drugs[0]}. A gain is over {drugs[0]} alone in the same patient.",
            [
                partners.heat(ranked, "tumour", names, drugs[0], f"ln of tumour volume at week {week}"),
                partners.heat(ranked, "pfs", names, drugs[0], "mean months without progression or death"),
                partners.added(ranked, names, drugs[0]),
                partners.ranks(ranked, names),
                partners.price(ranked, names),
            ],
            [_partners(ranked, names)],
        ),
    ]
    return Page(
        summary=[
            _what(saved, drugs, labels),
            _dish_found(scores, drugs),
            _patients_found(saved, at_most, drugs),
            _best(ranked, names),
        ],
        cards=_cards(saved, scores, at_most, ranked, names),
        chapters=chapters,
        methods=_methods(saved, drugs),
        settings=_settings(saved),
        cautions=_cautions(saved, drugs),
        checks=_checks(saved),
    )


# ---- words


def _drugs(saved: Saved) -> tuple[str, str]:
    return saved.config["drug"]["name"], words(saved.settings["pair"])


def _named(label: str, drugs: tuple[str, str]) -> str:
    """A schedule's label with the drugs' own names."""
    return label.replace("rapalog", drugs[0]).replace("partner", drugs[1])


def _settings(saved: Saved) -> tuple[str, ...]:
    """Sections of the configuration; of the tumour types only those that patients have."""
    types = [f"tumour.{name}" for name, share in saved.config["cohort"]["mix"].items() if share > 0]
    return tuple(name for part in SETTINGS for name in (types if part == "tumour" else [part]))


def _doses(saved: Saved) -> tuple[dict[float, str], dict[float, str]]:
    """Dose factors and what they are, of each drug, 0 first."""
    found = []
    for factors, regimen in (
        (saved.settings["rapalog_factors"], saved.config["regimen"]),
        (saved.settings["partner_factors"], saved.config["partner"][saved.settings["pair"]]["regimen"]),
    ):
        found.append({0.0: "none"} | {factor: dose(factor * regimen["dose"], regimen["unit"]) for factor in factors})
    return found[0], found[1]


def _ratios(saved: Saved) -> dict[str, dict]:
    start = "pfs_hazard_ratio_both_over_"
    return {name.removeprefix(start): row for name, row in saved.results.items() if name.startswith(start)}


def _what(saved: Saved, drugs: tuple[str, str], labels: dict[str, str]) -> str:
    types = [saved.config["tumour"][name]["label"] for name, share in saved.config["cohort"]["mix"].items() if share > 0]
    who = f" with {types[0][0].lower() + types[0][1:]}" if len(types) == 1 else ""
    return (
        f"In a computer simulation, {drugs[0]} and {drugs[1]} were given together to cells ({join(labels.values())}) and to "
        f"{plural(saved.results['n_patients'], 'virtual patient')}{who}: at several doses of each, in "
        f"{len(saved.settings['schedules'])} "
        f"schedules, and beside other partners of {drugs[0]}. Every patient is in every arm, with the same chances."
    )


def _dish_found(scores: pd.DataFrame, drugs: tuple[str, str]) -> str:
    told = []
    for null, name in NULLS.items():
        found = scores[scores["measure"] == f"excess_{null}"]
        above, below = (found["low"] > 0).sum(), (found["high"] < 0).sum()
        low, high = (signed(100 * value, 1) for value in (found["estimate"].min(), found["estimate"].max()))
        sign = f"above 0 in {above} of {len(found)} lines" if above else f"below 0 in {below} of {len(found)} lines"
        told.append(f"{low} to {high} points over {name} ({sign if above or below else 'clearly off 0 in no line'})")
    return (
        f"In the dish the effect of both drugs differs, averaged over the surface, from what drugs without interaction would do by "
        f"{join(told)}."
    )


def _patients_found(saved: Saved, at_most: pd.DataFrame, drugs: tuple[str, str]) -> str:
    effect, bliss, hsa = (at_most.loc[name] for name in ("effect", "excess_bliss", "excess_hsa"))
    ratio = _ratios(saved)["best_of_two"]
    side = "longer than" if ratio["high"] < 1 else "shorter than" if ratio["low"] > 1 else "not clearly different from"
    limits = lambda row: f"95 % interval {signed(100 * row['low'])} to {signed(100 * row['high'])}"
    return (
        f"In patients, both drugs at full dose take away {percent(effect['estimate'], 0)} of the net growth of their tumours over "
        f"{saved.settings['week']} weeks: {signed(100 * hsa['estimate'])} points ({limits(hsa)}) beyond the better drug in each "
        "patient, and "
        f"{signed(100 * bliss['estimate'])} ({limits(bliss)}) from the sum of both. Progression-free survival is {side} what each "
        f"patient's better drug alone would give (hazard ratio {fixed_spread(ratio['estimate'], ratio['low'], ratio['high'])}). "
        "Grade 3 or "
        f"4 events come to {percent(at_most.loc['severe', 'estimate'], 0)} of patients."
    )


def _best(ranked: pd.DataFrame, names: dict[str, str]) -> str:
    told = []
    for measure, what in (("tumour", "tumour volume"), ("pfs", "time without progression")):
        found = ranked[ranked["measure"] == measure].sort_values("best", ascending=False).drop_duplicates("genotype")
        rows = found.set_index("genotype").loc[[g for g in GENOTYPES if g in set(found["genotype"])]]
        least = rows["best"].min()
        told.append(f"by {what} {partners.best_by_partner(rows, names)}, with a probability of {percent(least, 0)} or more")
    return (
        f"Best of {len(names)} partners, and the altered gene for which it is: {'; '.join(told)}. Toxicity is not weighed in "
        "this, and "
        f"a partner may do as well without the rapalog: {_added(ranked, names)}."
    )


def _added(ranked: pd.DataFrame, names: dict[str, str]) -> str:
    """In how many pairs of partner and genotype the rapalog adds time without progression, and where it takes some."""
    table = ranked[ranked["measure"] == "pfs"]
    longer, shorter = table[table["added_low"] > 0], table[table["added_high"] < 0]
    text = f"to the partner alone it adds time without progression in {len(longer)} of {len(table)} pairs of partner and genotype"
    if shorter.empty:
        return text
    return f"{text}, and takes some in {len(shorter)}: {partners.best_by_partner(shorter.set_index('genotype'), names)}"


def _cards(saved: Saved, scores: pd.DataFrame, at_most: pd.DataFrame, ranked: pd.DataFrame, names: dict[str, str]) -> list[Card]:
    cards = []
    for null in ("bliss", "loewe"):
        found = scores[scores["measure"] == f"excess_{null}"]
        shown = f"{signed(100 * found['estimate'].min(), 1)} to {signed(100 * found['estimate'].max(), 1)} points"
        cards.append(Card(f"Dish, mean excess over {NULLS[null]}", shown, f"range of {plural(len(found), 'line')}"))
    for name in ("bliss", "hsa"):
        row = at_most.loc[f"excess_{name}"]
        limits = f"95 % interval {signed(100 * row['low'])} to {signed(100 * row['high'])}"
        cards.append(Card(f"Patients, excess over {NULLS[name]}", f"{signed(100 * row['estimate'])} points of growth", limits))
    for name, words_ in (
        ("rapalog", f"both over {saved.config['drug']['name']}"),
        ("best_of_two", "both over the better of the two"),
    ):
        row = _ratios(saved)[name]
        value = fixed_spread(row["estimate"], row["low"], row["high"])
        cards.append(
            Card(
                f"Hazard ratio, {words_}", value.split(" ")[0], f"95 % interval {number(row['low'], 2)} to {number(row['high'], 2)}"
            )
        )
    return cards


def _cautions(saved: Saved, drugs: tuple[str, str]) -> list[str]:
    told = [
        "Toxicities of two drugs add up here by hazard; an interaction between them that is not in either drug's own data is not "
        "known to "
        "the model. A partner that ranks first may be one that few patients could take: read the ranks beside the toxicity.",
        "Held and reduced doses are those of all study drugs together. Whoever stops the rapalog for toxicity goes on with the "
        "partner; progression ends all.",
        "In sequences, the second drug starts on a fixed day, not at progression; whoever progresses before never takes it.",
        "Genotypes are pure: each patient bears one alteration and none of the others, also where that is rare in the tumour type.",
    ]
    if saved.config["culture"]:
        told.append("Replicates in the dish differ by measuring alone, so their spread is less than that between laboratories.")
    return told


def _checks(saved: Saved) -> str:
    check = saved.results["solver_check"]
    every = f"all {plural(saved.results['n_patients'], 'patient')} could be simulated in every arm"
    return f"{every}; numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else every


def _methods(saved: Saved, drugs: tuple[str, str]) -> list[str]:
    settings = saved.settings
    return [
        "Effect in the dish: 1 less living cells over those of vehicle wells at the read-out. Bliss (Ann Appl Biol 1939;26:585): "
        "each drug "
        "acts on what the other leaves, e = 1 − (1 − a)(1 − b). HSA: the better of the two (Berenbaum, Pharmacol Rev 1989;41:93). "
        "Both "
        "from the single agents as measured in the same replicate. Loewe: a / D_A(e) + b / D_B(e) = 1, solved for e by "
        "bracketing, with "
        "Hill curves fitted to the single agents of the replicate. Beyond the maximum of a drug its dose counts for nothing (Di "
        "Veroli et "
        "al., Bioinformatics 2016;32:2866); such pairs are in brackets, and the combination index (Chou & Talalay, Adv Enzyme "
        "Regul "
        "1984;22:27) is not given for them.",
        f"Excess: effect less expectation; mean over all pairs of doses in each of {settings['in_vitro']['replicates']} "
        "replicates, t "
        "interval over replicates. Every well has the errors of seeding and of the reader.",
        f"Effect in patients: the share of untreated net growth of the target lesions' volume over {settings['week']} weeks that "
        "treatment "
        "takes away, from true sizes, each patient against his or her own untreated course. Independent action on cells is a sum "
        "on this "
        "scale (survivors of both are a product), so Bliss is the sum of the patient's effects of either drug, HSA the larger. "
        "The dish "
        "beside it is put on the same scale by its growth rate (growth-rate inhibition, Hafner et al., Nat Methods 2016;13:521).",
        "Independent action of drugs in a population: response, and time to progression, of the better of the two drugs in each "
        "patient "
        "(Palmer & Sorger, Cell 2017;171:1678). The patient's two single-drug courses are simulated with the same chances, so "
        "their "
        "correlation is the model's and need not be assumed. A time is known only where both are.",
        f"Intervals: {number(settings['bootstrap'])} bootstrap resamples of the patients, the same in all arms. Hazard ratios: "
        "Cox, Efron's "
        "ties. Months without progression: restricted mean up to the last scan but one of the follow-up. Ranks: in each resample "
        "partners are ranked by mean gain; "
        "the probability of being the best is the share of resamples in which one is.",
    ]


# ---- tables


def _scores(scores: pd.DataFrame, labels: dict[str, str]) -> Table:
    rows = [
        [labels[r.line], SCORES[r.measure], spread(100 * r.estimate, 100 * r.low, 100 * r.high, 2),
         number(100 * r.exact, 2), number(r.p, 1)]
        for r in scores.itertuples()
    ]  # fmt: skip
    shown = pd.DataFrame(rows, columns=["Line", "Excess over", "Mean (95 % interval), points", "Without errors", "P"])
    return Table(
        "dish_scores", "Mean excess over the surface", scores, shown, "P: t-test over replicates against no excess.", folded=True
    )


def _indices(surface: pd.DataFrame, labels: dict[str, str]) -> Table:
    """Combination index along the middle dose of the partner."""
    found = surface[surface["measure"] == "combination_index"]
    doses = sorted(found["partner_nM"].unique())
    middle = doses[len(doses) // 2 - 1]
    here = found[found["partner_nM"] == middle]
    rows = [
        [labels[r.line], f"{r.rapalog_nM:g}", f"{r.partner_nM:g}", fixed_spread(r.estimate, r.low, r.high), number(r.n)]
        for r in here.itertuples()
    ]  # fmt: skip
    shown = pd.DataFrame(rows, columns=["Line", "Rapalog, nM", "Partner, nM", "Combination index (95 % interval)", "Replicates"])
    note = "Below 1 synergy, above 1 antagonism. Not given where the effect is beyond what one of the drugs does alone at any dose."
    return Table("combination_index", "Loewe combination index", found, shown, note, folded=True)


def _cohort(cohort: pd.DataFrame, doses: tuple[dict[float, str], dict[float, str]]) -> Table:
    names = {
        "effect": "Growth taken away",
        "responder": "Response",
        "disease_control": "Disease control",
        "dlt": "DLT",
        "severe": "Grade 3 or 4",
    }
    rows = []
    for (a, b), group in cohort.groupby(["rapalog_factor", "partner_factor"]):
        found = group.set_index("measure")
        value = lambda name, found=found: _share(found.loc[name])
        rows.append([doses[0][a], doses[1][b], *(value(name) for name in names)])
    shown = pd.DataFrame(rows, columns=["Rapalog", "Partner", *names.values()])
    return Table(
        "cohort", "Patients by pair of doses", cohort, shown, "Means over patients with bootstrap 95 % intervals.", folded=True
    )


def _share(row: pd.Series) -> str:
    return f"{percent(row['estimate'], 0)} ({interval(row['low'], row['high'], 'proportion')})" if row["n"] else "–"


def _schedules(table: pd.DataFrame, ways: dict[str, str]) -> Table:
    rows = []
    for name, group in table.groupby("schedule", sort=False):
        found = group.set_index("measure")
        numbers = lambda measure, found=found: fixed_spread(*found.loc[measure, ["estimate", "low", "high"]])
        shares = [percent(found.loc[measure, "estimate"], 0) for measure in SHARES]
        rows.append([ways[name], numbers("hazard_ratio"), numbers("mean_pfs"), *shares])
    shown = pd.DataFrame(rows, columns=["Schedule", "Hazard ratio (PFS)", "Mean PFS, months", *SHARES.values()])
    return Table(
        "schedules",
        "Schedules",
        table,
        shown,
        "Hazard ratio over the reference; mean PFS restricted to the time up to the last scan but one.",
    )


def _partners(ranked: pd.DataFrame, names: dict[str, str]) -> Table:
    rows = [
        [GENOTYPES[r.genotype], names[r.partner], "volume" if r.measure == "tumour" else "PFS, months",
         fixed_spread(r.estimate, r.low, r.high), fixed_spread(r.added, r.added_low, r.added_high), percent(r.best, 0),
         f"{r.rank:.0f} ({r.rank_low:.0f} to {r.rank_high:.0f})", percent(r.severe, 0),
         percent(r.severe_alone, 0)] for r in ranked.itertuples()
    ]  # fmt: skip
    gains = ["Gain over rapalog", "Gain over partner"]
    columns = ["Altered", "Partner", "Measure", *gains, "Best", "Rank", "Grade 3 or 4", "on rapalog alone"]
    note = "Gains of both drugs over either alone, with 95 % intervals. Volume: ln of its ratio. Best: probability over resamples."
    return Table("partners", "Partners by genotype", ranked, pd.DataFrame(rows, columns=columns), note, folded=True)
