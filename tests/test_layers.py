"""No import runs upward, and training and evaluating models do without each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import deeptf

ROOT = Path(deeptf.__file__).parent
LAYERS = (  # each may import itself and those before it
    {"cores", "config", "files", "input_keys", "input_file", "properties"},
    {"tf", "process"},
    {"lammps", "progress"},
    {"ops"},
    {"data"},
    {"model"},
    {"exchange"},
    {"loss", "infer", "train"},
    {"commands", "__main__"},
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
SEPARATE = ({"infer", "train"}, {"infer", "loss"})


def imports(path: Path) -> Iterator[str]:
    """Yield the parts of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        parts = {module.split(".")[1] for module in modules if module.startswith("deeptf.")}
        yield from parts & RANK.keys()


def test_no_import_runs_upward() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for other in imports(path) if part != "__init__" else ():
            if RANK[other] > RANK[part] or {part, other} in SEPARATE:
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert not wrong
