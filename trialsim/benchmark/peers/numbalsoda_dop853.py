"""numbalsoda's explicit method of order 8 (Dormand and Prince), everything else as in `numbalsoda_lsoda`."""

from __future__ import annotations

from trialsim.benchmark.peers import numbalsoda_lsoda
from trialsim.benchmark.peers.peer import Peer

RTOL = ATOL = 1e-3


def build(patients: int, days: int) -> Peer:
    """Compile for any number of patients."""
    return numbalsoda_lsoda.compiled("dop853", RTOL, ATOL, days)
