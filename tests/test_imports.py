"""The folder tree's promise: one direction, no cycles, Hydra in one file, light when imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "trialsim"

# From the biology to the command line; a part may import what stands before it or beside it, never what stands after.
RANKS = (
    ("_paths", "provenance", "schema", "units"),
    ("engine",),
    ("streams",),
    ("cohort",),
    ("protocol",),
    ("mechanism",),
    ("assays", "endpoints"),
    ("conduct",),
    ("designs",),
    ("simulation",),
    ("bank", "evidence"),
    ("inference", "laboratory"),
    ("artefacts", "beforehand", "calibration", "console", "summary"),
    ("analyses", "biomarkers", "combinations", "options", "saving", "sbc", "sbml", "sensitivity", "sweeps"),
    ("exchange", "report"),
    ("study",),
    ("benchmark", "parts"),
    ("cli", "commands"),  # the command line starts a command, and some commands start a run
    ("__main__",),
)
RANK = {part: number for number, parts in enumerate(RANKS) for part in parts}
LIGHT = {"engine", "mechanism", "units"}  # jax, numpy and the standard library only
LIGHT_MAY_IMPORT = {"jax", "numpy", "trialsim"} | set(sys.stdlib_module_names)
EXCEPT = {
    ("trialsim.engine.reference", "diffrax"),  # the adaptive solver that the fast scheme is checked against
    ("trialsim.mechanism.individual", "scipy"),  # quantiles of a beta distribution, which JAX lacks
}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if "conf" not in path.parts}


def part(module: str) -> str | None:
    """The part of trialsim that a module belongs to, or None for trialsim itself and for others."""
    pieces = module.split(".")
    return pieces[1] if pieces[0] == "trialsim" and len(pieces) > 1 else None


def imports(name: str) -> list[tuple[str, int, bool]]:
    """What a module imports: (module, line, only for the type checker)."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    found: list[tuple[str, int, bool]] = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]
        found += [(imported, node.lineno, id(node) in typing_only) for imported in names]
    return found


@pytest.mark.parametrize("name", [name for name in MODULES if name != "trialsim"])
def test_no_module_imports_upwards(name: str) -> None:
    own = part(name)
    assert own in RANK, f"{name}: give trialsim/{own} a rank in this test"
    for imported, line, typing_only in imports(name):
        other = part(imported)
        if other is None or other == own or (typing_only and other == "schema"):
            continue
        assert other in RANK, f"{name}:{line} imports {imported}, which has no rank"
        assert RANK[other] <= RANK[own], f"{name}:{line} imports {imported}, which stands to its right"


def test_no_import_cycle_between_modules() -> None:
    graph = {
        name: {target for target, _, typing_only in imports(name) if target in MODULES and not typing_only}
        for name in MODULES
        if name != "trialsim"
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, "import cycle: " + " -> ".join((*path, name))
        if name not in done:
            for target in graph.get(name, ()):
                if target != name:
                    visit(target, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_only_the_command_line_imports_hydra() -> None:
    for name in MODULES:
        for imported, line, _ in imports(name):
            if imported.split(".")[0] in ("hydra", "omegaconf"):
                assert name.startswith("trialsim.cli"), f"{name}:{line} imports {imported}"


@pytest.mark.parametrize("name", [name for name in MODULES if part(name) in LIGHT])
def test_biology_and_engine_need_only_jax_and_numpy(name: str) -> None:
    for imported, line, typing_only in imports(name):
        top = imported.split(".")[0]
        allowed = typing_only or top in LIGHT_MAY_IMPORT or (name, top) in EXCEPT
        assert allowed, f"{name}:{line} imports {imported}"


def run_python(code: str) -> str:
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_importing_trialsim_loads_nothing_heavy() -> None:
    code = (
        "import sys, trialsim; print([m for m in ('pandas', 'hydra', 'jax', 'numpy', 'pydantic') if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


def test_every_public_name_exists() -> None:
    assert (
        run_python("import trialsim\nfor n in trialsim.__all__: getattr(trialsim, n)\nprint('all there')").strip()
        == "all there"
    )


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import trialsim

    with pytest.raises(AttributeError, match="simulat"):
        _ = trialsim.simulat  # type: ignore[attr-defined]
