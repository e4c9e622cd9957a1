"""How it is computed. Knows nothing of biology."""

from trialsim.engine.xla import request_options

request_options()

from trialsim.engine.kinetics import Compartments  # noqa: E402
from trialsim.engine.model import Model, ModelError, Regimen  # noqa: E402
from trialsim.engine.plan import Plan  # noqa: E402
from trialsim.engine.simulate import simulate  # noqa: E402

__all__ = ["Compartments", "Model", "ModelError", "Plan", "Regimen", "simulate"]
