"""How it is computed. Knows nothing of biology."""

from trialsim.engine.kinetics import Compartments
from trialsim.engine.model import Model, ModelError, Regimen
from trialsim.engine.plan import Plan
from trialsim.engine.simulate import simulate

__all__ = ["Compartments", "Model", "ModelError", "Plan", "Regimen", "simulate"]
