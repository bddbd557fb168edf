"""Alerts while a candidate is held back: people still read the last edition, and its alerts stay as they are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from expectations.alerts import AlertLog, Scope
from perinatal.home import Home
from publish.edition import Editions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

RELEASE = Scope.of("release")
OF_EDITION = ("release", "daily", "judgement")
SWAPPED = "excluding_anomalies_is_the_smaller_count"


def open_blocks(home: Home) -> set[tuple[str, str]]:
    return {(str(one.scope), one.breach.rule) for one in AlertLog(home.alerts).open() if one.breach.severity == "block"}


def of_edition(home: Home) -> set[tuple[str, str, str, str]]:
    """Return the alerts about the edition that people read."""
    found = AlertLog(home.alerts).all()
    return {(one.key, one.state, one.opened_at, one.last_seen_at) for one in found if one.scope.kind in OF_EDITION}


def land_swapped(home: Home, files: tuple[Path, Path], folder: Path, landed: Callable[..., list[object]]) -> None:
    """Land both files of 2023 as those of 2025, each under the other's name: the gate blocks them."""
    for original, named in zip(files, reversed(files), strict=True):
        (folder / named.name).write_bytes(original.read_bytes().replace(b"2023,", b"2025,"))
        landed(home, folder / named.name)


def test_an_edition_and_the_log_have_the_same_alerts(published: Home) -> None:
    """What the gate found is in the edition, and in the log from the moment that the edition is read."""
    with duckdb.connect(str(published.database), read_only=True) as connection:
        rows = connection.execute(
            "select scope || '#' || rule, state, opened_at, last_seen_at from quality.alert "
            "where split_part(scope, '/', 1) in ('release', 'daily', 'judgement')"
        ).fetchall()
    shipped = {(key, state, *(f"{at.isoformat()}+00:00" for at in moments)) for key, state, *moments in rows}
    assert {key for key, *_ in shipped} >= {"daily#sources_are_on_time"}
    assert shipped == of_edition(published)


def test_a_block_closes_when_its_release_is_withdrawn_and_acceptances_stay(
    copied: Home,
    mbrrace_files: tuple[Path, Path],
    tmp_path: Path,
    landed: Callable[..., list[object]],
    cli: Callable[..., object],
) -> None:
    log, last = AlertLog(copied.alerts), Editions.of(copied).current()
    until = datetime.now(UTC).date() + timedelta(days=7)
    for alert in log.open():
        log.accept(alert, "Ann", "The publisher knows", until)
    before = of_edition(copied)
    assert {state for _, state, *_ in before} == {"accepted"}

    land_swapped(copied, mbrrace_files, tmp_path, landed)
    assert cli("build", at=copied).code == 3
    assert ("candidate", SWAPPED) in open_blocks(copied)
    assert {scope for scope, _ in open_blocks(copied)} == {"candidate"}
    assert of_edition(copied) == before

    for dataset in ("perinatal_mortality", "perinatal_mortality_excluding_congenital_anomalies"):
        assert cli("withdraw", f"mbrrace/{dataset}/2025", "--why", "swapped", at=copied).code == 0
    assert cli("build", at=copied).out.startswith("nothing new")
    assert Editions.of(copied).current() == last
    assert open_blocks(copied) == set()
    assert 'perinatal_alerts_open{severity="block"} 0.0' in copied.metrics.read_text()
    assert of_edition(copied) == before

    # a log that missed the end of the publication, because the build was killed, is brought to the edition
    known = {alert.key: alert.opened_at for alert in log.all() if alert.scope == RELEASE}
    log.reconcile(RELEASE, [])
    assert cli("build", at=copied).out.startswith("nothing new")
    assert {alert.key: alert.opened_at for alert in log.open() if alert.scope == RELEASE} == known != {}
