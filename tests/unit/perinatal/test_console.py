"""Lines of progress, as text and as JSON with what they are about."""

import json
from datetime import datetime

import pytest

from perinatal import settings
from perinatal.console import about, detailed, say, say_detail, step


@pytest.fixture
def as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERINATAL_LOG_FORMAT", "json")
    settings.get.cache_clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    with about(source="msds"):
        say("  msds: 3 landed", source="msds")
    assert capsys.readouterr().err == "  msds: 3 landed\n"


@pytest.mark.usefixtures("as_json")
def test_json_says_what_a_line_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    with about(run="build-1", edition=None), about(source="msds"):
        say("  landed from https://me:secret@host/x", level="warning")
    say("after")
    first, second = lines(capsys)
    assert datetime.fromisoformat(str(first.pop("at"))).tzinfo
    assert first == {
        "level": "warning",
        "message": "landed from https://***@host/x",
        "run": "build-1",
        "source": "msds",
    }
    assert second["message"] == "after"
    assert "source" not in second


@pytest.mark.usefixtures("as_json")
def test_a_step_says_when_it_starts_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with step("Gate"):
        pass
    start, end = lines(capsys)
    assert (start["message"], start["step"]) == ("Gate …", "Gate")
    assert end["seconds"] == 0.0


def test_what_only_a_log_wants_is_printed_only_there(capsys: pytest.CaptureFixture[str]) -> None:
    say_detail("dbt 1 of 2 OK created")
    with detailed():
        say_detail("dbt 2 of 2 OK created")
    assert capsys.readouterr().err == "dbt 2 of 2 OK created\n"
