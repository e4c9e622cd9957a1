"""libroadrunner: CVODE on an SBML model (written in antimony) compiled by LLVM, doses as SBML events."""

from __future__ import annotations

import numpy as np

from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Peer

RTOL, ATOL = 3e-4, 3e-6
MODEL = """
model bench1
  CL = 1; Vc = 1; Vp = 1; K = 1; kg = 1; V0 = 1; a_fb = 1; m = 1; pten = 1; ras = 1
  Ag = {dose}; Ac = 0; Ap = 0; IRS = .4; PI3K = .3; AKT = .3; C1 = .5; C2 = .4; S6K = .5; EBP = .5; ERK = .3; AUT = .3; ADP = 0
  Vs = V0 * (1 - {resistant}); Vr = V0 * {resistant}; given = 1
  C := Ac / Vc; O := {imax} * C / (K + C); C1e := C1 * (1 - O)
  drive := 0.55 * EBP + 0.25 * AKT + 0.2 * ERK + 0.3 * ADP * ERK
  Ag' = -{ka} * Ag
  Ac' = {ka} * Ag - (CL + {q}) / Vc * Ac + {q} / Vp * Ap
  Ap' = {q} / Vc * Ac - {q} / Vp * Ap
  IRS' = 6 * (1 - IRS) - 4 * IRS * (1 + a_fb * S6K)
  PI3K' = 8 * (0.5 * IRS + m) * (1 - PI3K) - 6 * pten * PI3K
  AKT' = 12 * PI3K * (0.4 + 0.6 * C2) * (1 - AKT) - 5 * AKT
  C1' = 6 * (0.2 + AKT) * (1 - C1) - 3 * C1
  C2' = 3 * (0.2 + PI3K) * (1 - C2) - 1.5 * C2 * (1 + 0.5 * O)
  S6K' = 10 * C1e * (1 - S6K) - 3 * S6K
  EBP' = 5 * C1e * (1 - EBP) - 2 * EBP
  ERK' = 6 * (ras + 0.4 * (1 - S6K)) * (1 - ERK) - 5 * ERK
  AUT' = 0.5 * (1 - C1e) * (1 - AUT) - 0.4 * AUT
  ADP' = 0.002 * ((1 - C1e) - ADP)
  Vs' = kg * Vs * (2 * drive - 0.45) - 0.0004 * Vs * (1 - 0.6 * AUT) * O
  Vr' = kg * Vr * (2 * drive - 0.25)
  at (time >= {interval} * given && given < {days}): Ag = Ag + {dose}, given = given + 1
end
"""


def build(patients: int, days: int) -> Peer:
    """Load the model and compile it; `given` counts the doses, the first of which is in the initial state."""
    import antimony
    import roadrunner

    text = MODEL.format(
        dose=equations.DOSE_UG, resistant=equations.RESISTANT_FRACTION, imax=equations.IMAX, ka=equations.KA, q=equations.Q,
        interval=equations.INTERVAL_H, days=days,
    )  # fmt: skip
    if antimony.loadAntimonyString(text) < 0:
        raise ValueError(antimony.getLastError())
    model = roadrunner.RoadRunner(antimony.getSBMLString("bench1"))
    model.setIntegrator("cvode")
    settings = {"relative_tolerance": RTOL, "absolute_tolerance": ATOL, "stiff": True, "maximum_num_steps": 100_000}
    for name, value in settings.items():
        model.integrator.setValue(name, value)
    model.timeCourseSelections = ["time", "Vs", "Vr"]
    end = equations.INTERVAL_H * days

    def tumour(p: np.ndarray) -> float:
        model.resetAll()
        for name, value in zip(equations.PARAMETERS, p, strict=True):
            model[name] = float(value)
        v0 = float(p[equations.PARAMETERS.index("V0")])  # setting V0 alone would leave the initial tumour as it was
        model["Vs"], model["Vr"] = v0 * (1.0 - equations.RESISTANT_FRACTION), v0 * equations.RESISTANT_FRACTION
        return float(np.sum(model.simulate(0.0, end, 2)[-1, 1:]))

    return Peer(
        roadrunner.__version__,
        f"CVODE BDF, model compiled by LLVM, doses as SBML events, rtol={RTOL:g} atol={ATOL:g}",
        lambda parameters: np.array([tumour(p) for p in parameters]),
    )
