"""RECIST 1.1: facts of the guideline, a plain-Python oracle written apart from the code, and the compiled path."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialsim.endpoints import recist
from trialsim.endpoints.recist import Response

NE, CR, PR, SD, PD = Response.NE, Response.CR, Response.PR, Response.SD, Response.PD


def course(baseline, sums, new=None, nontarget=None, residual=False):
    """Responses of one patient; None in `sums` is a missed scan."""
    sums = np.array([[np.nan if value is None else value for value in sums]], float)
    new = np.zeros(sums.shape, bool) if new is None else np.array([new], bool)
    nontarget = np.zeros(sums.shape, bool) if nontarget is None else np.array([nontarget], bool)
    response, nadir = recist.assess_history(np.array([baseline]), sums, new, nontarget, nontarget_residual=residual)
    return response[0].tolist(), nadir[0].tolist()


# Facts of the guideline


@pytest.mark.parametrize(
    ("baseline", "nadir", "now", "expected"),
    [
        (100, 100, 70, PR),  # exactly 30 % below baseline
        (100, 100, 71, SD),
        (100, 100, 120, PD),  # exactly 20 % above, baseline is the nadir
        (100, 100, 119, SD),
        (100, 50, 60, PD),  # 20 % and 10 mm over nadir, though 40 % below baseline
        (100, 50, 59, PR),  # 18 % over nadir
        (100, 20, 24, PR),  # 20 % over nadir but only 4 mm
        (100, 20, 25, PD),  # 25 % and 5 mm
        (24, 20, 24, SD),  # 20 %, 4 mm
        (24, 20, 25, PD),  # 25 %, exactly 5 mm
        (100, 100, 0, CR),
        (100, 0, 5, PD),  # back after complete response
        (10, 10, 7, PR),
        (90, 90, 63, PR),  # 0.7 * 90 is less than 63 in binary arithmetic
        (15, 15, 20, PD),
        (100, 100, np.nan, NE),
        (np.nan, np.nan, 50, NE),
        (0, 0, 50, NE),
    ],
)
def test_target_response(baseline, nadir, now, expected):
    assert recist.target_response(float(baseline), float(nadir), float(now), True) == expected
    compiled = jax.jit(recist.target_response)(*(jnp.float32(value) for value in (baseline, nadir, now)), True)
    assert int(compiled) == expected


def test_not_measured_is_not_evaluable():
    assert recist.target_response(100.0, 100.0, 50.0, False) == NE


@pytest.mark.parametrize(
    ("target", "new", "nontarget", "residual", "expected"),
    [  # table 1 of the guideline
        (CR, False, False, False, CR),
        (CR, False, False, True, PR),
        (PR, False, False, True, PR),
        (SD, False, False, True, SD),
        (NE, False, False, True, NE),
        (PD, False, False, False, PD),
        (CR, True, False, False, PD),
        (SD, False, True, False, PD),
        (NE, True, False, False, PD),
        (NE, False, True, False, PD),
    ],
)
def test_overall_response(target, new, nontarget, residual, expected):
    assert recist.overall_response(target, new, nontarget, residual) == expected


def test_progression_is_judged_against_the_nadir_not_the_baseline():
    response, nadir = course(100, [60, 50, 58, 61])
    assert response == [PR, PR, PR, PD]
    assert nadir == [100, 60, 50, 50]


def test_nadir_includes_the_baseline():
    assert course(50, [58, 61]) == ([SD, PD], [50, 50])  # 61 is 5 % over the scan before, 22 % over baseline


def test_missed_scan_leaves_the_nadir():
    assert course(100, [60, None, 72]) == ([PR, NE, PD], [100, 60, 60])


def test_progression_is_final():
    assert course(100, [90, 80, 80, None], new=[False, True, False, False])[0] == [SD, PD, PD, NE]


# An oracle in exact arithmetic, one patient, one rule a line


def oracle(baseline, sums, new, nontarget, residual):
    responses, sizes, progressed = [], [Fraction(baseline)], False
    for size, fresh, worse in zip(sums, new, nontarget, strict=True):
        if fresh or worse:
            response = PD
        elif size is None:
            response = NE
        elif progressed:
            response = PD
        elif size - min(sizes) >= 5 and size >= Fraction(12, 10) * min(sizes):
            response = PD
        elif size == 0:
            response = PR if residual else CR
        else:
            response = PR if Fraction(size, baseline) <= Fraction(7, 10) else SD
        progressed = progressed or response == PD
        if size is not None:
            sizes.append(Fraction(size))
        responses.append(int(response))
    return responses


patient = st.integers(1, 6).flatmap(
    lambda scans: st.tuples(
        st.integers(10, 60),
        st.lists(st.one_of(st.none(), st.integers(0, 80)), min_size=scans, max_size=scans),
        st.lists(st.sampled_from([False, False, False, True]), min_size=scans, max_size=scans),
        st.lists(st.sampled_from([False, False, False, True]), min_size=scans, max_size=scans),
        st.booleans(),
    )
)


@settings(max_examples=300, deadline=None)
@given(patient)
def test_history_agrees_with_oracle(case):
    baseline, sums, new, nontarget, residual = case
    assert course(baseline, sums, new, nontarget, residual)[0] == oracle(baseline, sums, new, nontarget, residual)


def random_histories(seed=3, patients=400, scans=9):
    draw = np.random.default_rng(seed)
    baseline = draw.integers(15, 150, patients).astype(float)
    steps = np.exp(draw.normal(0.0, 0.2, (patients, scans)).cumsum(axis=1))
    sums = np.round(baseline[:, None] * steps)
    sums[draw.random(sums.shape) < 0.05] = 0.0
    sums[draw.random(sums.shape) < 0.1] = np.nan
    new, nontarget = draw.random(sums.shape) < 0.03, draw.random(sums.shape) < 0.03
    day = (np.arange(scans) + 1) * 56.0 + np.round(draw.uniform(-5, 5, sums.shape))
    return baseline, sums, new, nontarget, draw.random(patients) < 0.5, day


def test_compiled_scan_gives_the_same_answers_as_the_history():
    baseline, sums, new, nontarget, residual, _ = random_histories()
    history, _ = recist.assess_history(baseline, sums, new, nontarget, nontarget_residual=residual[:, None])

    def one(start, sizes, fresh, worse, left):
        def visit(state, findings):
            size, is_new, is_worse = findings
            return recist.assess(state, size, is_new, is_worse, jnp.isfinite(size), left)

        return jax.lax.scan(visit, recist.begin(start), (sizes, fresh, worse))

    as32 = [jnp.asarray(array, jnp.float32) for array in (baseline, sums)]
    state, compiled = jax.jit(jax.vmap(one))(*as32, new, nontarget, residual)
    np.testing.assert_array_equal(compiled, history)
    np.testing.assert_array_equal(state.progressed, np.any(history == PD, axis=1))
    assert np.all(np.asarray(state.nadir_mm) <= baseline)
    assert {int(code) for code in np.unique(history)} == {0, 1, 2, 3, 4}  # the comparison covers every code


@settings(max_examples=100, deadline=None)
@given(patient, st.integers(2, 9))
def test_scale_changes_only_what_the_5_mm_rule_sees(case, factor):
    """Larger tumours with the same relative course progress no later: the 5 mm rule can only spare small ones."""
    baseline, sums, new, nontarget, residual = case
    small, _ = course(baseline, sums, new, nontarget, residual)
    large, _ = course(baseline * factor, [None if s is None else s * factor for s in sums], new, nontarget, residual)
    first = lambda codes: codes.index(PD) if PD in codes else len(codes)
    assert first(large) <= first(small)


# Best overall response

TABLE_3 = [  # first, second, confirmed best response if SD lasted long enough, if not
    (CR, CR, CR, CR),
    (CR, SD, SD, SD),
    (CR, PD, SD, PD),
    (CR, NE, SD, NE),
    (PR, CR, PR, PR),
    (PR, PR, PR, PR),
    (PR, SD, SD, SD),
    (PR, PD, SD, PD),
    (PR, NE, SD, NE),
    (NE, NE, NE, NE),
    (SD, PD, SD, PD),
    (SD, NE, SD, NE),
    (PD, NE, PD, PD),
    (NE, PD, PD, PD),
]


@pytest.mark.parametrize(("first", "second", "long", "short"), TABLE_3)
def test_best_response_follows_table_3(first, second, long, short):
    best = lambda days: recist.best_overall_response(
        np.array([days], float), np.array([[first, second]]), sd_minimum_days=42, confirmation_days=28
    )[0]
    assert best([56, 112]) == long
    assert best([30, 60]) == short  # the first scan is too early for SD; a second that is SD itself is not


@pytest.mark.parametrize(
    ("days", "codes", "confirmed", "unconfirmed"),
    [
        ([56, 112, 168], [PR, NE, PR], PR, PR),  # a missed scan does not break a response
        ([56, 112, 168], [PR, SD, PR], SD, PR),  # stable disease does
        ([56, 112, 168, 224], [PR, SD, PR, PR], PR, PR),
        ([56, 70, 112], [PR, PR, PR], PR, PR),
        ([56, 70], [PR, PR], SD, PR),  # confirmed too early
        ([56, 84], [PR, PR], PR, PR),  # exactly four weeks
        ([56, 112], [CR, PR], PR, CR),
        ([56, 112, 168], [CR, NE, CR], CR, CR),
        ([56, 112, 168], [SD, PD, CR], SD, SD),  # nothing after progression counts
        ([56, 112], [PD, CR], PD, PD),
        ([21, np.nan], [SD, NE], NE, NE),  # lost after an early scan: not evaluable
        ([21, 56], [SD, PD], PD, PD),
    ],
)
def test_best_response_examples(days, codes, confirmed, unconfirmed):
    args = np.array([days], float), np.array([codes])
    assert recist.best_overall_response(*args, sd_minimum_days=42, confirmation_days=28)[0] == confirmed
    assert recist.best_overall_response(*args, sd_minimum_days=42)[0] == unconfirmed


def test_nothing_counts_after_the_last_day():
    day, response = np.array([[56.0, 112.0]]), np.array([[SD, CR]])
    assert recist.best_overall_response(day, response, sd_minimum_days=42, last_day=np.array([100.0]))[0] == SD
    assert recist.best_overall_response(day, response, sd_minimum_days=42, last_day=np.array([112.0]))[0] == CR


def best_oracle(days, codes, sd_minimum, confirmation):
    """Best response of one patient by looking at every pair of scans."""
    known = [(day, code) for day, code in zip(days, codes, strict=True) if np.isfinite(day) and code != NE]
    until = next((index for index, (_, code) in enumerate(known) if code == PD), len(known))
    usable = known[:until]

    def met(allowed):
        for i, (start, code) in enumerate(usable):
            if code not in allowed:
                continue
            for j in range(i, len(usable)):
                if any(c not in allowed for _, c in usable[i : j + 1]):
                    break
                if usable[j][0] - start >= (0 if confirmation is None else confirmation):
                    return True
        return False

    if met({CR}):
        return CR
    if met({CR, PR}):
        return PR
    if any(day >= sd_minimum for day, _ in usable):
        return SD
    return PD if until < len(known) else NE


@pytest.mark.parametrize("confirmation", [None, 0.0, 28.0, 60.0])
@pytest.mark.parametrize("sd_minimum", [42.0, 100.0])
def test_best_response_agrees_with_oracle(confirmation, sd_minimum):
    draw = np.random.default_rng(11)
    day = np.cumsum(draw.integers(10, 70, (600, 5)), axis=1).astype(float)
    day[draw.random(day.shape) < 0.1] = np.nan
    response = draw.choice([0, 1, 2, 3, 4], p=[0.15, 0.25, 0.3, 0.2, 0.1], size=day.shape)
    best = recist.best_overall_response(day, response, sd_minimum_days=sd_minimum, confirmation_days=confirmation)
    expected = [best_oracle(days, codes, sd_minimum, confirmation) for days, codes in zip(day, response, strict=True)]
    np.testing.assert_array_equal(best, expected)


def test_confirmation_can_only_lower_the_best_response():
    *history, residual, day = random_histories(seed=5)
    response, _ = recist.assess_history(*history, nontarget_residual=residual[:, None])
    rank = np.array([0, 4, 3, 2, 1])  # NE, CR, PR, SD, PD
    free = recist.best_overall_response(day, response, sd_minimum_days=42)
    asked = recist.best_overall_response(day, response, sd_minimum_days=42, confirmation_days=28)
    assert np.all(rank[asked] <= rank[free])
    assert np.any(asked != free)


def test_summaries_of_best_response():
    best = np.array([NE, CR, PR, SD, PD])
    assert recist.RESPONSE_NAMES[best].tolist() == ["NE", "CR", "PR", "SD", "PD"]
    assert recist.is_responder(best).tolist() == [False, True, True, False, False]
    assert recist.has_disease_control(best).tolist() == [False, True, True, True, False]


def test_lasting_control_needs_a_visit_at_or_after_the_time():
    day = np.array([[56.0, 112.0], [56.0, 112.0], [56.0, 112.0]])
    response = np.array([[SD, SD], [SD, PD], [PR, PD]])
    best = recist.best_overall_response(day, response, sd_minimum_days=42)
    assert recist.has_lasting_control(best, day, response, 112).tolist() == [True, False, True]


def test_best_change_stops_at_progression():
    sums = np.array([[90.0, 130.0, 10.0], [np.nan, np.nan, np.nan]])
    response, _ = recist.assess_history(np.array([100.0, 100.0]), sums, np.zeros((2, 3), bool), np.zeros((2, 3), bool))
    day = np.tile([56.0, 112.0, 168.0], (2, 1))
    change = recist.best_change_percent(np.array([100.0, 100.0]), sums, day, response)
    np.testing.assert_allclose(change, [-10.0, np.nan])


def test_first_progression_day():
    day = np.array([[56.0, 112.0], [56.0, np.nan]])
    assert recist.first_progression_day(day, np.array([[SD, PD], [SD, PD]])).tolist() == [112.0, np.inf]


@pytest.mark.parametrize(("name", "shrunk", "grown"), [
    ("RECIST 1.1", (0.70, 0.71), (1.20, 1.19)), ("RECIST 1.0", (0.70, 0.71), (1.20, 1.19)),
    ("lymphoma", (0.7071, 0.708), (1.225, 1.224)), ("volume", (0.50, 0.51), (1.25, 1.24)),
])  # fmt: skip
def test_each_criteria_call_response_and_progression_from_their_limits_on(name, shrunk, grown):
    criteria = recist.CRITERIA[name]
    code = lambda size, nadir=100.0: int(recist.target_response(100.0, nadir, np.array(size), True, criteria))
    assert code(100 * shrunk[0]) == Response.PR and code(100 * shrunk[1]) == Response.SD
    assert code(100 * grown[0]) == Response.PD and code(100 * grown[1]) == Response.SD
    assert code(0.0) == Response.CR and code(100.0) == Response.SD


def test_only_recist_1_1_asks_for_five_millimetres():
    small = dict(baseline_mm=12.0, nadir_mm=12.0, sum_mm=np.array(15.0), measured=True)
    assert int(recist.target_response(**small)) == Response.SD
    assert int(recist.target_response(**small, criteria=recist.CRITERIA["RECIST 1.0"])) == Response.PD
