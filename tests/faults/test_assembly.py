"""The assembly step by step, as Airflow runs it: each in a process of its own, over one candidate folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from perinatal.errors import BlockedByGate
from perinatal.home import Home
from pipeline import candidate, steps
from publish import edition
from publish.edition import Editions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Shell = Callable[..., object]
STEP = "from perinatal import home; from pipeline import steps; print(steps.{}(home.get()).message)"
HASHES = """
select string_agg(hash(cells)::varchar, ' ' order by cells)
from (select row_to_json(one)::varchar as cells from marts.trust_indicator as one)
"""


def make_outdated(home: Home) -> Path:
    """Let the edition that stands be one of another program, so that the same releases are built again."""
    standing = Editions.of(home).current()
    facts = (standing / edition.INFO).read_text().replace('"fingerprint": "', '"fingerprint": "old')
    (standing / edition.INFO).write_text(facts)
    return standing


def done(home: Home) -> list[str]:
    return candidate.find(home).done


def run(shell: Shell, home: Home, step: str, **environment: str) -> tuple[str, str]:
    process = shell(code=STEP.format(step), at=home, **environment)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out.strip(), err


def changed(home: Home, sql: str) -> None:
    with duckdb.connect(str(candidate.find(home).database)) as connection:
        connection.execute(sql)


def inputs(events: Path) -> dict[str, set[str]]:
    """Return which tables each table was made from, by the OpenLineage events of a file."""
    found: dict[str, set[str]] = {}
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["eventType"] == "COMPLETE":
            for made in event["outputs"]:
                found.setdefault(made["name"], set()).update(one["name"] for one in event["inputs"])
    return found


def test_six_processes_make_what_one_makes(copied: Home, shell: Shell, tmp_path: Path) -> None:
    """With a candidate lost on the way, and a gate that blocks: only the steps that are missing are done again."""
    last = make_outdated(copied)
    lineage = tmp_path / "lineage.jsonl"
    _, log = run(shell, copied, "models", PERINATAL_LINEAGE_URL=lineage.as_uri(), PERINATAL_LOG_FORMAT="json")
    assert done(copied) == ["models"]
    lines = [json.loads(line) for line in log.splitlines()]
    assert next(line["message"] for line in lines if line.get("step") == "Models") == "Models …"
    assert {line["candidate"] for line in lines if "step" in line} == {candidate.find(copied).folder.name}
    made_from = inputs(lineage)
    assert "perinatal.core.fct_observation" in made_from["perinatal.marts.trust_indicator"]
    run(shell, copied, "themes")
    assert done(copied) == ["models", "themes"]

    # blocked: nothing behind it is done, and its retry does the gate alone, on what was corrected
    built = candidate.find(copied).progress.seconds
    changed(copied, "update core.fct_observation set numerator = -5 where numerator > 100")
    with pytest.raises(BlockedByGate, match=r"blocked by the release gate \(\w+\): "):
        steps.gate(copied)
    with pytest.raises(BlockedByGate):
        steps.gate(copied)
    assert done(copied) == ["models", "themes"]
    assert candidate.find(copied).progress.stopped.startswith("gate: blocked by the release gate")
    assert Editions.of(copied).current() == last

    # lost: another process has removed it
    shutil.rmtree(candidate.find(copied).folder)
    said, log = run(shell, copied, "gate")
    assert "gate: the candidate is lost, so the build begins anew: no candidate is there" in log
    assert [line for line in ("Models …", "Themes …", "Gate …") if line not in log] == []
    assert "none blocks" in said
    again = candidate.find(copied).progress.seconds
    assert list(again) == ["models", "themes", "gate"]
    assert built.keys() < again.keys()

    _, log = run(shell, copied, "downloads")
    assert "Models" not in log
    assert "Gate" not in log
    run(shell, copied, "pages")
    said, _ = run(shell, copied, "publish")
    assert said.startswith("published ")
    new = Editions.of(copied).current()
    assert new != last
    assert not list(copied.build.iterdir())
    assert list(edition.info(new)["seconds"]) == ["models", "themes", "gate", "downloads", "pages"]
    marts = []
    for made in (last, new):
        with duckdb.connect(str(made / edition.DATABASE), read_only=True) as connection:
            marts.append(connection.execute(HASHES).fetchall())
    assert marts[0] == marts[1]

    # somebody clears a task of a run that has published: nothing is new, nothing is done
    assert steps.pages(copied).what == "nothing_new"
