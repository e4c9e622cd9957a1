"""How it is computed. Knows nothing of biology."""

from trialsim.engine.accuracy import Choice, check, choose
from trialsim.engine.derivatives import gradient, sensitivities
from trialsim.engine.kinetics import Compartments
from trialsim.engine.model import Model, ModelError, Regimen, Upstream
from trialsim.engine.plan import Plan
from trialsim.engine.simulate import simulate

__all__ = [
    "Choice", "Compartments", "Model", "ModelError", "Plan", "Regimen", "Upstream", "check", "choose", "gradient", "sensitivities",
    "simulate",
]  # fmt: skip
