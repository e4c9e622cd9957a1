"""Peers: what fails is told in words, what runs gives the reference. Assurance: reference solution."""

import json
import textwrap

import numpy as np
import pytest

from trialsim.benchmark import data
from trialsim.benchmark import peers as module
from trialsim.benchmark.peers import as_json, equations, run_peers, worker
from trialsim.benchmark.peers.__main__ import main, table

DAYS = 14  # the first two weeks; the reference has weekly values


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes a peer from source text, found by the worker in its own process."""

    def add(source: str) -> None:
        (tmp_path / "fake_peer.py").write_text(textwrap.dedent(source))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(module, "PEERS", {"fake": "fake_peer"})

    return add


EXACT = """
import os, sys
from trialsim.benchmark import data
from trialsim.benchmark.peers.peer import Peer

def build(patients, days):
    print("a library that chats on stdout")
    true = data.reference().tumour_mm[:patients, -1]
    return Peer("1.2", "scaled reference", lambda parameters: true * 1.001)
"""


def test_a_peers_measurement_comes_back_whole(fake):
    fake(EXACT)
    (row,) = run_peers(patients=5, repeats=1)
    assert (row.name, row.version, row.settings, row.n, row.unavailable) == ("fake", "1.2", "scaled reference", 5, None)
    assert row.error_p99 == pytest.approx(1e-3)
    assert row.patients_per_s > 0 and row.compile_s >= 0
    assert json.loads(json.dumps(as_json([row])))[0] == row._asdict()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a_simulator_nobody_has", "not installed: No module named 'a_simulator_nobody_has'"),
        ("import os, sys\nprint('out of cheese', file=sys.stderr, flush=True)\nos._exit(3)", "exit status 3: out of cheese"),
        ("def build(patients, days):\n    raise ZeroDivisionError('no')", "failed: ZeroDivisionError: no"),
        (EXACT.replace("true * 1.001", "true * float('nan')"), "failed in 5 of 5 patients"),
    ],
)
def test_what_fails_is_told_in_words(fake, source, reason):
    fake(source)
    (row,) = run_peers(patients=5, repeats=1)
    assert row.unavailable is not None and reason in row.unavailable
    assert np.isnan(row.patients_per_s) and row.n == 0
    assert as_json([row])[0]["patients_per_s"] is None
    assert f"unavailable: {row.unavailable}" in table([row])


def test_a_flag_that_xla_does_not_know_is_left_away(fake):
    fake(EXACT.replace("import os, sys", "import os, sys\nif 'vector_width' in os.environ['XLA_FLAGS']: sys.exit('Unknown flag')"))
    (row,) = run_peers(patients=5, repeats=1)
    assert row.unavailable is None


def test_a_peer_that_needs_a_gpu_says_so():
    (row,) = run_peers(["modax-solvers"], patients=1, repeats=1)
    assert "GPU" in row.unavailable


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no such peer: matlab"):
        run_peers(["matlab"])


def test_the_command_writes_a_file(tmp_path, capsys):
    assert main(["--peers", "modax-solvers", "--patients", "1", "--json", str(tmp_path / "peers.json")]) == 0
    assert "modax-solvers" in capsys.readouterr().out
    assert json.loads((tmp_path / "peers.json").read_text())[0]["n"] == 0


@pytest.mark.parametrize(
    ("needs", "name"),
    [
        ("diffrax", "diffrax"),
        ("numbalsoda", "numbalsoda"),
        ("numbalsoda", "numbalsoda-dop853"),
        ("numba", "scipy"),
        ("antimony", "libroadrunner"),
        ("warp", "gradsolve"),
    ],
)
def test_first_weeks_match_the_reference(needs, name):
    pytest.importorskip(needs)
    answer = worker.measure(module.PEERS[name], patients=2, repeats=1, days=DAYS)
    assert answer["error_p99"] < 1e-4


def test_equations_are_at_rest_without_drug_in_the_blood():
    patients = equations.table(data.parameters(2))
    states = equations.start(patients)
    change = np.array([equations.rates(y, p) for y, p in zip(states, patients, strict=True)])
    np.testing.assert_array_equal(change[:, :3], 0.0)
    assert np.all(change[:, equations.RESISTANT] > 0)
