"""The inbox watch: named once, when it has stopped growing, and never touched."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingest.inbox.quiet_files import QuietFiles, look
from perinatal.dropped_files import Signature


def named(files: QuietFiles, seen: dict[str, Signature], now: float) -> list[str]:
    return list(files.ready(seen, now))


def test_a_file_is_named_once_when_it_has_been_quiet() -> None:
    files, whole = QuietFiles(quiet=2, remind=300), {"a/b.csv": Signature(10, 1, 1, 1)}
    assert [named(files, whole, now) for now in (0, 1, 2, 3, 60)] == [[], [], ["a/b.csv"], [], []]


def test_a_growing_file_is_named_only_when_it_has_stopped() -> None:
    files = QuietFiles(quiet=2, remind=300)
    for second in range(10):
        assert named(files, {"a": Signature(second, second, 1, 1)}, second) == []
    assert named(files, {"a": Signature(9, 9, 1, 1)}, 11) == ["a"]


def test_one_that_nobody_takes_is_named_again_and_so_is_a_changed_one() -> None:
    files = QuietFiles(quiet=2, remind=300)
    old, new = {"a": Signature(1, 1, 1, 1)}, {"a": Signature(1, 1, 2, 1)}
    assert [named(files, old, now) for now in (0, 2, 301, 302, 303)] == [[], ["a"], [], ["a"], []]
    assert [named(files, new, now) for now in (304, 306, 307)] == [[], ["a"], []]


def test_one_that_gets_other_rights_is_named_again() -> None:
    files = QuietFiles(quiet=2, remind=300)
    closed, opened = {"a": Signature(1, 1, 1, 1)}, {"a": Signature(1, 1, 1, 2)}
    assert [named(files, closed, now) for now in (0, 2, 3)] == [[], ["a"], []]
    assert [named(files, opened, now) for now in (4, 6, 7)] == [[], ["a"], []]


def test_one_that_is_gone_and_comes_again_is_named_again() -> None:
    files, whole = QuietFiles(quiet=2, remind=300), {"a": Signature(1, 1, 1, 1)}
    assert [named(files, seen, now) for now, seen in ((0, whole), (2, whole), (3, {}), (4, whole), (6, whole))] == [
        [],
        ["a"],
        [],
        [],
        ["a"],
    ]


def test_it_sees_files_and_not_what_is_called_unfinished(tmp_path: Path) -> None:
    for name in ("mbrrace/a.csv", "mbrrace/a.csv.part", "mbrrace/.hidden", "b.csv", "msds/deep/c.zip", "msds/~$d.xlsx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    os.mkfifo(tmp_path / "msds" / "pipe")
    (tmp_path / "msds" / "link").symlink_to("/etc/passwd")
    assert set(look(tmp_path)) == {"b.csv", "mbrrace/a.csv", "msds/deep/c.zip", "msds/link", "msds/pipe"}
    assert look(tmp_path / "nowhere") == {}


async def _first(events: AsyncIterator[Any], count: int) -> list[Any]:
    found = []
    async for event in events:
        found.append(event.payload)
        if len(found) == count:
            return found
    return found


def test_the_trigger_tells_each_file_and_leaves_it_alone(tmp_path: Path) -> None:
    from dags.triggers import InboxTrigger

    (tmp_path / "mbrrace").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "mbrrace" / name).write_text("text")
    before = {path: path.stat() for path in tmp_path.rglob("*.csv")}
    path, settings = InboxTrigger(inbox=str(tmp_path), interval=0.05, quiet=0.1).serialize()
    assert path == "dags.triggers.InboxTrigger"
    events = asyncio.run(asyncio.wait_for(_first(InboxTrigger(**settings).run(), 2), timeout=20))
    assert events == [{"file": "mbrrace/a.csv", "bytes": 4}, {"file": "mbrrace/b.csv", "bytes": 4}]
    assert {path: path.stat() for path in tmp_path.rglob("*.csv")} == before


def test_triggers_on_one_inbox_share_one_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.triggers.shared_stream import SharedStreamManager

    from dags import triggers

    looks = []

    def count(inbox: Path) -> dict[str, Signature]:
        looks.append(inbox)
        return look(inbox)

    monkeypatch.setattr(triggers, "look", count)
    (tmp_path / "a.csv").write_text("text")

    async def both() -> list[list[Any]]:
        manager = SharedStreamManager(log=__import__("structlog").get_logger())
        watchers = [triggers.InboxTrigger(inbox=str(tmp_path), interval=0.2, quiet=0.5) for _ in range(2)]
        streams = []
        for number, watcher in enumerate(watchers):
            stream = manager.subscribe(trigger_id=number, trigger=watcher, key=watcher.shared_stream_key())
            streams.append(watcher.filter_shared_stream(stream))
        found = await asyncio.gather(*(_first(stream, 1) for stream in streams))
        await manager.stop_all()
        return found

    found = asyncio.run(asyncio.wait_for(both(), timeout=30))
    assert found == [[{"file": "a.csv", "bytes": 4}]] * 2
    assert len(looks) <= 6  # one scan in 0.2 s for a little over half a second, not two


def test_a_folder_that_may_not_be_read_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dags import triggers

    answers: list[Any] = [PermissionError("no"), {"a": Signature(1, 1, 1, 1)}]

    def sometimes(_: Path) -> dict[str, Signature]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(triggers, "look", sometimes)
    trigger = triggers.InboxTrigger(inbox=str(tmp_path), interval=0.05, quiet=0.1)
    assert asyncio.run(asyncio.wait_for(_first(trigger.run(), 1), timeout=20)) == [{"file": "a", "bytes": 1}]
