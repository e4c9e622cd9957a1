"""OmegaConf's YAML loader on the parser of libyaml, which is ten times as fast as PyYAML's own: a study is some fifty files."""

from __future__ import annotations

from typing import Any

import yaml


def quick_loader(loader: Any) -> Any:
    """A loader that is read by libyaml and is the same otherwise; itself where PyYAML was built without libyaml."""
    if not hasattr(yaml, "CSafeLoader"):
        return loader

    class Quick(yaml.cyaml.CParser, loader):  # type: ignore[misc]
        def __init__(self, stream: Any):
            yaml.cyaml.CParser.__init__(self, stream)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)

    return Quick


def read_quickly() -> None:
    """Have OmegaConf, and Hydra with it, read files by that. Where it asks for its loader in another way it goes on as before."""
    try:
        from omegaconf import _utils

        quick = quick_loader(_utils.get_yaml_loader())
    except (ImportError, AttributeError):  # what is private may be otherwise in another version
        return
    _utils.get_yaml_loader = lambda: quick
