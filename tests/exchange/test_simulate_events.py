"""Subjects of an event table simulated: concentrations against a convolution by quadrature, whatever the times of the doses."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from trialsim import ConfigError, compose, covariates_of, read_events, sample_cohort, simulate_events
from trialsim.conduct.inputs import make_subjects

TABLE = """ID,TIME,AMT,DV,EVID,CMT,ADDL,II,AGE,SEX,WT,HT
7,0,10,.,1,1,1,23.4,61,1,58,164
7,30,.,9.1,0,2,0,0,61,1,58,164
7,47.5,5,.,1,1,0,0,61,1,58,164
7,49,.,30,0,2,0,0,61,1,58,164
12,5,20,.,1,1,0,0,48,0,90,181
12,5,.,0,0,2,0,0,48,0,90,181
12,400,10,.,1,1,0,0,48,0,90,181
12,402.25,.,55,0,2,0,0,48,0,90,181
"""
DOSES = {7: [(0, 10), (23.4, 10), (47.5, 5)], 12: [(5, 20), (400, 10)]}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("events") / "events.csv"
    path.write_text(TABLE)
    return read_events(path)


@pytest.fixture(scope="module")
def config(table):
    file = table.path.with_name("covariates.csv")
    covariates_of(table, "colorectal").to_csv(file, index=False)
    return compose(overrides={"cohort.size": 2, "cohort.covariates_file": str(file), "compute.precision": "float64"})


def by_quadrature(p, patient, subject, time, stages, occasion_h):
    """Plasma of one subject: each dose's Erlang arrival, convolved with the two exponentials of disposition."""
    pk, total = p.pk, 0.0
    for at, mg in DOSES[subject]:
        if at >= time:
            continue
        occasion = int(at // occasion_h)
        F = pk.F[patient] * p.iov_F[patient, occasion]
        arrival = gamma(stages, scale=pk.MAT[patient] * p.iov_MAT[patient, occasion] / stages)
        share, alpha, beta = pk.share_alpha[patient], pk.alpha[patient], pk.beta[patient]
        left = lambda s, since=time - at, share=share, alpha=alpha, beta=beta, arrival=arrival: (
            arrival.pdf(s) * (share * np.exp(-alpha * (since - s)) + (1 - share) * np.exp(-beta * (since - s)))
        )
        absorbed = min(time - at, arrival.ppf(1 - 1e-13))
        total += 1e3 * F * mg / pk.Vc[patient] * quad(left, 0, absorbed, epsrel=1e-10, limit=200)[0]
    return total


def test_concentrations_are_the_convolution_of_the_doses_at_any_times(table, config):
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    assert cohort["weight_kg"].tolist() == [58, 90] and cohort["sex"].tolist() == ["F", "M"]
    found = simulate_events(table, config, pathway=False)
    assert found[["ID", "TIME", "DV"]].values.tolist() == [[7, 30, 9.1], [7, 49, 30], [12, 5, 0], [12, 402.25, 55]]
    p = make_subjects(config, cohort, np.array([10.0, 20.0])).parameters
    pk, occasion_h = p.pk, 24 * config.drug.pk.occasion_days
    assert p.iov_F[1, 0] != p.iov_F[1, 1]
    for row in found.itertuples():
        i = [7, 12].index(row.ID)
        plasma = by_quadrature(p, i, row.ID, row.TIME, config.drug.pk.stages, occasion_h)
        cells = pk.Bmax[i] * plasma / (pk.Kd[i] + plasma) + pk.Kns[i] * plasma
        blood = (1 - pk.haematocrit[i]) * plasma + pk.haematocrit[i] * cells
        assert row.c_ng_ml == pytest.approx(blood, rel=1e-7, abs=1e-12)
    assert found["c_ng_ml"].iloc[2] == 0 and (found["c_ng_ml"].iloc[[0, 1, 3]] > 1).all()


def test_times_of_ones_own_and_other_drugs(table, config):
    grid = simulate_events(table, config, [0.0, 30.0, 402.25], pathway=False)
    own = simulate_events(table, config, pathway=False)
    assert grid["ID"].tolist() == [7] * 3 + [12] * 3 and list(grid) == ["ID", "TIME", "c_ng_ml"]
    assert grid["c_ng_ml"].iloc[[1, 5]].tolist() == own["c_ng_ml"].iloc[[0, 3]].tolist()
    infused = compose("temsirolimus_adult", {"cohort.size": 2})  # parent and metabolite, the assay finds both
    assert (simulate_events(table, infused, [12.0, 48.0], pathway=False)["c_ng_ml"] > 1).all()


def test_what_cannot_be_simulated_is_told(table, config, tmp_path):
    with pytest.raises(ConfigError, match="cohort.size = 3.*2, the number of subjects"):
        simulate_events(table, compose(overrides={"cohort.size": 3}))
    with pytest.raises(ConfigError, match="ID 7: dose at 23.4 h.*multiples of interval"):
        simulate_events(table, config)
    with pytest.raises(ConfigError, match="interval = 0.1.*absorbed"):
        simulate_events(table, config, interval=0.1)
    with pytest.raises(ConfigError, match="times = .*at least 0"):
        simulate_events(table, config, [-1.0])
    with pytest.raises(ConfigError, match="partner"):
        simulate_events(table, compose(overrides=["+partner@partner.alpelisib=alpelisib", "cohort.size=2"]))
    (tmp_path / "two.csv").write_text(TABLE.replace("400,10,.,1,1", "400,10,.,1,2"))
    with pytest.raises(ConfigError, match="one compartment"):
        simulate_events(read_events(tmp_path / "two.csv"), config, pathway=False)
