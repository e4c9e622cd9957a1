"""The README's Python is run as it is printed."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_model_of_the_readme_runs_and_states_its_error(capsys):
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "Model(" in block)
    assert len(code.splitlines()) < 40
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    sizes = names["simulate"](*names["study"], names["choice"].plan).size
    assert names["choice"].error <= 1e-4
    assert sizes.shape == (2, 3) and (0 < sizes).all() and sizes[0, -1] < sizes[1, -1]  # lower clearance, smaller tumour
