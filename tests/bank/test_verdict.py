"""Success of one patient, on scans every eight weeks with five days of jitter."""

import numpy as np
import pandas as pd

from trialsim.bank.verdict import progression_free_at, response_by

DAY, JITTER = 112.0, 5.0


def control(pfs_days, pfs_event):
    found = progression_free_at(pd.DataFrame({"pfs_days": [pfs_days], "pfs_event": [pfs_event]}), DAY, JITTER, central=False)
    return bool(found.success[0]), bool(found.evaluable[0]), float(found.known_day[0])


def test_disease_control_is_judged_by_the_scan_about_that_day():
    assert control(170.0, True) == (True, True, 117.0)  # progression at the next scan
    assert control(108.0, False) == (True, True, 117.0)  # a good scan four days early, then lost to view
    assert control(115.0, True) == (False, True, 115.0)  # that scan shows progression
    assert control(60.0, True) == (False, True, 60.0)
    assert control(56.0, False) == (False, False, 117.0)  # lost to view before


def response(best, unconfirmed, day, pfs_days=200.0, pfs_event=True, confirmed=False):
    row = {"best_response": best, "best_response_unconfirmed": unconfirmed, "response_day": day, "pfs_days": pfs_days}
    found = response_by(pd.DataFrame([row | {"pfs_event": pfs_event}]), DAY, confirmed, central=False)
    return bool(found.success[0]), bool(found.evaluable[0]), float(found.known_day[0])


def test_response_counts_if_seen_in_time_and_confirmed_if_asked():
    assert response("PR", "PR", 56.0) == (True, True, 56.0)
    assert response("SD", "PR", 56.0) == (True, True, 56.0)
    assert response("SD", "PR", 56.0, confirmed=True) == (False, True, 112.0)
    assert response("PR", "PR", 168.0) == (False, True, 112.0)  # too late
    assert response("PD", "PD", np.inf, pfs_days=56.0) == (False, True, 56.0)
    assert response("NE", "NE", np.inf, pfs_days=0.0, pfs_event=False) == (False, False, 112.0)


def test_the_central_reader_has_columns_of_his_own():
    row = {"pfs_days": 60.0, "pfs_event": True, "pfs_days_central": 170.0, "pfs_event_central": True}
    table = pd.DataFrame([row])
    site, central = (progression_free_at(table, DAY, JITTER, central=reader).success[0] for reader in (False, True))
    assert not site and central
