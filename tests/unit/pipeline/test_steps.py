"""One list of steps: the command line and the DAGs call it, and the docs name each step in one line."""

import ast
import re
from pathlib import Path

import pytest

from ingest.archive import quarantine
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from pipeline import steps
from pipeline.outcome import Outcome

NAMES = [step.__name__ for step in steps.STEPS]
DOCS = PROJECT_ROOT / "docs" / "architecture.md"


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called(tree: ast.AST) -> set[str]:
    """Return the steps that a file or a function calls."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "steps"
    }


def test_every_public_function_is_in_the_list() -> None:
    defined = {
        name
        for name, value in vars(steps).items()
        if callable(value) and getattr(value, "__module__", "") == steps.__name__
    }
    assert defined == set(NAMES)
    assert all(step.__doc__ and step.__doc__.count("\n") == 0 for step in steps.STEPS)


def test_every_step_is_called_by_a_dag_or_a_command_and_by_its_name_alone() -> None:
    dags = set().union(*(called(parsed(path)) for path in (PROJECT_ROOT / "dags").glob("*.py")))
    commands = called(parsed(PROJECT_ROOT / "pipeline" / "commands" / "app.py"))
    assert dags | commands == set(NAMES)
    assert dags & commands >= {"fetch", "land_inbox", "notify", "verify"}
    assert dags >= {step.__name__ for step in steps.ASSEMBLY}
    assert "build" in commands


def test_every_command_ends_as_its_step_came_out() -> None:
    """A step's problems decide the exit code; those of `fetch` are warnings (its two callers print them)."""
    functions = [
        function
        for path in (PROJECT_ROOT / "pipeline" / "commands").glob("*.py")
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
    ]
    calling = {one.name for one in functions if called(one)}
    concluding = {one.name for one in functions if "conclude(" in ast.unparse(one)}
    assert calling >= {"build", "land", "notify", "refresh", "restore", "verify"}
    assert calling - concluding == {"_fetch"}


def test_a_step_whose_candidate_is_gone_begins_anew_and_says_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    came_to = steps.gate(home)
    assert (came_to.changed, came_to.what) == (False, "nothing_landed")
    assert "gate: the candidate is lost, so the build begins anew: no candidate is there" in capsys.readouterr().err


def test_the_docs_have_one_line_for_each_step() -> None:
    found = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {step.__name__: step.__doc__ for step in steps.STEPS}.items() <= found.items()


def test_nothing_landed_publishes_nothing(home: Home) -> None:
    built = steps.build(home)
    assert (built.changed, built.what, built.edition) == (False, "nothing_landed", None)
    assert not home.editions.exists()


def test_where_everything_was_refused_a_build_says_so(home: Home, tmp_path: Path) -> None:
    page = tmp_path / "page.csv"
    page.write_text("<html><body>Sign in</body></html>")
    report = quarantine.Report("mbrrace", "ab" * 32, "page.csv", None, None, "2026-01-01T00:00:00+00:00", False, [])
    quarantine.Quarantine(home.quarantine).put(page, report)
    with pytest.raises(RefusedAtArrival, match=r"1 file\(s\) were refused at arrival; `perinatal quarantine list`"):
        steps.build(home)


def test_verify_opens_an_alert_and_closes_it(home: Home) -> None:
    from expectations.alerts import AlertLog

    damaged = home.archive / "ab" / ("ab" * 32)
    damaged.parent.mkdir(parents=True)
    damaged.write_text("other bytes")
    found = steps.verify(home)
    assert isinstance(found, Outcome)
    assert len(found.problems) == 1
    assert [alert.breach.rule for alert in AlertLog(home.alerts).open()] == ["archive_is_whole"]
    damaged.unlink()
    assert steps.verify(home).changed
    assert AlertLog(home.alerts).open() == []
