"""The plan of the house: a room imports only rooms below it, and no two modules import each other in a circle.

Every import is read: those inside functions, under TYPE_CHECKING and by `import_module` too.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from perinatal.settings import PROJECT_ROOT

# from the roof to the ground; rooms on one line stand side by side and do not import each other
FLOORS = (
    {"dags"},
    {"pipeline"},
    {"ingest", "publish", "insights"},
    {"warehouse"},
    {"expectations"},
    {"perinatal"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LONGEST_MODULE = 400  # lines


def modules(root: Path) -> dict[str, Path]:
    """Return every module of the rooms by its dotted name."""
    found = {}
    for room in FLOOR_OF:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import of a module of the rooms."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in whole]
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        for name in names:
            if name.split(".")[0] in FLOOR_OF:
                yield node.lineno, name


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def uphill(root: Path) -> list[str]:
    """Return every import that runs up or sideways, as "from -> to" with file and line."""
    known = modules(root)
    arrows = []
    for name, path in known.items():
        room = name.split(".")[0]
        for line, target in imported(path, known):
            other = target.split(".")[0]
            if other != room and FLOOR_OF[other] <= FLOOR_OF[room]:
                arrows.append(f"{room} -> {other}: {path.relative_to(root)}:{line} imports {target}")
    return arrows


def circle(root: Path) -> list[str]:
    """Return one circle of modules, or nothing."""
    known = modules(root)
    graph = {
        name: {target for _, target in imported(path, known) if target in known and target != name}
        for name, path in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_run_down() -> None:
    assert uphill(PROJECT_ROOT) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(PROJECT_ROOT) == []


def test_no_module_is_longer_than_a_reader_s_patience() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules(PROJECT_ROOT).items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "import pipeline.steps",
        "from pipeline import steps",
        "def later():\n    from publish import packs",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dags import wiring",
        "from importlib import import_module\nimport_module('insights.coding')",
        "import importlib\nimportlib.import_module('publish.packs')",
    ],
)
def test_an_arrow_up_or_sideways_is_seen(tmp_path: Path, statement: str) -> None:
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "made_up.py").write_text(statement + "\n")
    [arrow] = uphill(tmp_path)
    assert arrow.startswith("ingest -> ")
    assert "ingest/made_up.py:" in arrow


def test_a_circle_is_seen(tmp_path: Path) -> None:
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "a.py").write_text("def f():\n    from ingest import b\n")
    (tmp_path / "ingest" / "b.py").write_text("from ingest import a\n")
    assert set(circle(tmp_path)) == {"ingest.a", "ingest.b"}
