"""When a candidate can be gone on with, and when a step begins anew. Nothing is built here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from pipeline import assembly, candidate, fingerprint
from pipeline.candidate import Candidate, Lost
from publish import edition
from publish.edition import Editions


@pytest.fixture(scope="module")
def two_landed(mbrrace_sample: Path, landed: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a state folder with two landed releases. Read-only."""
    made = Home(tmp_path_factory.mktemp("landed") / "home")
    landed(made, *sorted(mbrrace_sample.glob("*-2022-*.csv")))
    return made


@pytest.fixture
def begun(home: Home, two_landed: Home) -> Candidate:
    """Give a candidate of two landed releases whose models are said to be built."""
    shutil.copytree(two_landed.root, home.root)
    releases = LandedReleases(home.landed).in_use()
    parts = fingerprint.parts(releases, home.theme_decisions)
    found = candidate.begin(home, releases, parts, is_comparable=False, signed_by="A Person")
    found.database.touch()
    return found.now(seconds={"models": 1.5})


def test_the_next_process_finds_it_as_it_was_left(home: Home, begun: Candidate) -> None:
    assert candidate.find(home) == begun
    assert begun.done == ["models"]
    assert begun.progress.signed_by == "A Person"
    assert len(begun.releases) == 2
    assembly.require_same_inputs(home, begun)


def test_a_step_that_is_cleared_is_done_again_with_what_follows_it(begun: Candidate) -> None:
    further = begun.now(seconds={"models": 1.5, "themes": 2.0, "gate": 3.0})
    assert further.before_step("themes").done == ["models"]
    assert further.before_step("downloads").done == ["models", "themes", "gate"]


def remove(home: Home, begun: Candidate) -> None:
    shutil.rmtree(begun.folder)


def publish_another(home: Home, begun: Candidate) -> None:
    folder = home.editions / "20261128T020000-bbbbbbbb"
    folder.mkdir(parents=True)
    (folder / edition.INFO).write_text("{}")
    Editions.of(home).point_current(folder)


def remove_a_release(home: Home, begun: Candidate) -> None:
    shutil.rmtree(LandedReleases(home.landed).folder_of(begun.releases[0]))


def publish_halfway(home: Home, begun: Candidate) -> None:
    begun.database.unlink()


def write_of_another_version(home: Home, begun: Candidate) -> None:
    (begun.folder / candidate.RECORD).write_text(json.dumps({"made_by": "another version"}))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (remove, "no candidate is there"),
        (publish_another, "another edition has been published since it was begun"),
        (remove_a_release, "from which it is made, is not landed any more"),
        (publish_halfway, "it was being published"),
        (write_of_another_version, "what it says of itself cannot be read"),
    ],
)
def test_it_is_lost_and_says_why(
    home: Home, begun: Candidate, what: Callable[[Home, Candidate], None], why: str
) -> None:
    what(home, begun)
    with pytest.raises(Lost, match=why):
        candidate.find(home)


def test_what_lands_meanwhile_waits_but_after_a_failure_it_counts(home: Home, begun: Candidate) -> None:
    """Or no build would ever end; a person who withdraws what the gate has blocked wants another candidate."""
    landed = LandedReleases(home.landed)
    landed.mark_withdrawn(begun.releases[0], "A Person", "wrong file")
    assembly.require_same_inputs(home, begun)
    stopped = begun.now(stopped="gate: blocked")
    with pytest.raises(Lost, match=r"what it is made from has changed since \(releases\)"):
        assembly.require_same_inputs(home, stopped)
    landed.unmark_withdrawn(begun.releases[0])
    assembly.require_same_inputs(home, stopped)


def test_another_program_makes_another_candidate(home: Home, begun: Candidate) -> None:
    older = begun.now(parts={**begun.progress.parts, "models": "of another version"})
    with pytest.raises(Lost, match=r"has changed since \(models\)"):
        assembly.require_same_inputs(home, older)
