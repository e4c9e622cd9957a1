"""Validated settings: the resolved config becomes these immutable objects, and the science sees nothing else."""

from trialsim.schema.base import ConfigError as ConfigError
from trialsim.schema.base import Settings as Settings
