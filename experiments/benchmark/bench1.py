"""BENCH-1 as a user's model: everolimus 10 mg daily for 168 days, signalling and tumour. Time in hours."""

from typing import NamedTuple

import jax.numpy as jnp

from trialsim.engine import Compartments, Model, Regimen


class State(NamedTuple):
    IRS: float; PI3K: float; AKT: float; C1: float; C2: float; S6K: float; EBP: float; ERK: float; AUT: float  # noqa: E702
    ADP: float; log_Vs: float; log_Vr: float  # noqa: E702


class Seen(NamedTuple):
    T: float; C: float; pS6K: float  # noqa: E702


kinetics = Compartments(
    names=("gut", "central", "peripheral"),
    dosed="gut",
    transfer=lambda p: {
        ("gut", "central"): p.ka, ("central", None): p.CL / p.Vc,
        ("central", "peripheral"): p.Q / p.Vc, ("peripheral", "central"): p.Q / p.Vp,
    },
    concentration=lambda p: {"central": 1.0 / p.Vc},
)  # fmt: skip


def start(p):
    return State(0.4, 0.3, 0.3, 0.5, 0.4, 0.5, 0.5, 0.3, 0.3, 0.0, jnp.log(0.98 * p.V0), jnp.log(0.02 * p.V0))


def rates(x, C, p):
    O = p.Imax * C / (p.K + C)  # noqa: E741
    C1e = x.C1 * (1 - O)
    drive = 0.55 * x.EBP + 0.25 * x.AKT + 0.2 * x.ERK + 0.3 * x.ADP * x.ERK
    return State(
        IRS=6 * (1 - x.IRS) - 4 * x.IRS * (1 + p.a_fb * x.S6K),
        PI3K=8 * (0.5 * x.IRS + p.m) * (1 - x.PI3K) - 6 * p.pten * x.PI3K,
        AKT=12 * x.PI3K * (0.4 + 0.6 * x.C2) * (1 - x.AKT) - 5 * x.AKT,
        C1=6 * (0.2 + x.AKT) * (1 - x.C1) - 3 * x.C1,
        C2=3 * (0.2 + x.PI3K) * (1 - x.C2) - 1.5 * x.C2 * (1 + 0.5 * O),
        S6K=10 * C1e * (1 - x.S6K) - 3 * x.S6K,
        EBP=5 * C1e * (1 - x.EBP) - 2 * x.EBP,
        ERK=6 * (p.ras + 0.4 * (1 - x.S6K)) * (1 - x.ERK) - 5 * x.ERK,
        AUT=0.5 * (1 - C1e) * (1 - x.AUT) - 0.4 * x.AUT,
        ADP=0.002 * ((1 - C1e) - x.ADP),
        log_Vs=p.kg * (2 * drive - 0.45) - 0.0004 * (1 - 0.6 * x.AUT) * O,
        log_Vr=p.kg * (2 * drive - 0.25),
    )


model = Model(
    name="BENCH-1",
    parameters={
        "ka": "1/h", "CL": "L/h", "Vc": "L", "Q": "L/h", "Vp": "L", "K": "ng/mL", "Imax": "fraction", "kg": "1/h", "V0": "mm",
        "a_fb": "feedback", "m": "mutant PI3K input", "pten": "relative", "ras": "relative",
    },
    fixed={"ka": 4.0, "Q": 43.0, "Imax": 0.95},
    kinetics=kinetics,
    start=start,
    rates=rates,
    slow=("ADP", "log_Vs", "log_Vr"),
    observe=lambda x, C, p: Seen(jnp.exp(x.log_Vs) + jnp.exp(x.log_Vr), C, x.S6K),
)  # fmt: skip
regimen = Regimen.repeated(1e4, 168)  # ug
times = [168.0 * week for week in range(25)]
