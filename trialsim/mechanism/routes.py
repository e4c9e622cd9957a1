"""The routes by which a tumour escapes a rapalog, each a switch.

A switch acts on what treatment does and on nothing else: the untreated cell, its growth and the patient stay what they were. So a
patient with a route cut is the twin of the patient with it open, and what differs between their courses is that route's doing.

    route            open (1)                                                cut (0)
    feedback         IRS1 and GRB10 follow mTORC1, so PI3K, AKT and ERK      both stay as in the untreated cell
                     rise when it falls (O'Reilly 2006, Carracedo 2008)
    mTORC2_sparing   1 - phi_mTORC2 of mTORC2 survives (Sarbassov 2006)      mTORC2 is lost with occupancy, all of it at full
    partial_4EBP1    4E-BP1 needs both seats of the dimer taken, is held     inhibited as S6K is, and for as long
                     less, and is re-phosphorylated (Choo 2008, Kang 2013)
    autophagy        flux rises as mTORC1 lets ULK1 go (Kim 2011)            flux stays as in the untreated cell
    adaptation       dependence drifts away from the pathway (W)             it stays
    bypass           a part b of growth, and the resistant cells, never      all growth runs through mTORC1, in all cells
                     needed mTORC1 (Boylan 2001)
    stroma           free drug, a partner's too, is held back from cells     it reaches them as in a tumour without a barrier
                     (Olive 2009)

Between 0 and 1 a route is cut in part. At 1 each expression is the number it replaces, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from trialsim.mechanism.signalling import NetworkConstants

if TYPE_CHECKING:
    from trialsim.mechanism.patient import PatientParameters


class Routes(NamedTuple):
    """1 where the route is open, 0 where it is cut; numbers, or arrays (patients,)."""

    feedback: Any = 1.0
    mTORC2_sparing: Any = 1.0
    partial_4EBP1: Any = 1.0
    autophagy: Any = 1.0
    adaptation: Any = 1.0
    bypass: Any = 1.0
    stroma: Any = 1.0


OPEN = Routes()


def treated(k: NetworkConstants, r: Routes) -> NetworkConstants:
    """Constants of the network under treatment. A state of no turnover stays where it starts, at its untreated value; the
    untreated state itself is sought with ``k``."""
    return k._replace(
        k_IRS1=k.k_IRS1 * r.feedback,
        k_GRB10=k.k_GRB10 * r.feedback,
        k_flux=k.k_flux * r.autophagy,
        k_W=k.k_W * r.adaptation,
        e_4E=k.e_4E * r.partial_4EBP1 + k.e_S6K * (1.0 - r.partial_4EBP1),
        single_4E=k.single_4E * r.partial_4EBP1 + (1.0 - r.partial_4EBP1),
    )


def cut(p: PatientParameters) -> PatientParameters:
    """The patient under treatment; none of what changes acts in the untreated network, and growth is relative to untreated.
    Patients last."""
    r = p.routes
    barrier = r.stroma + (1.0 - r.stroma) / p.penetration
    return p._replace(
        cell=p.cell._replace(
            r_4E=p.cell.r_4E * r.partial_4EBP1,
            phi_mTORC2=p.cell.phi_mTORC2 + (1.0 - r.mTORC2_sparing) * (1.0 - p.cell.phi_mTORC2),
        ),
        growth=p.growth._replace(b=p.growth.b * r.bypass, b_resistant=p.growth.b_resistant * r.bypass),
        binding=p.binding._replace(partition=p.binding.partition * barrier),
        partners=p.partners and replace(p.partners, delivery=p.partners.delivery * barrier[:, None]),
    )
