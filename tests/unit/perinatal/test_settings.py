"""Settings are typed; a wrong one is one clear line."""

import os
from pathlib import Path

import pytest

from perinatal import home as homes
from perinatal import settings
from perinatal.errors import PerinatalError
from perinatal.printable import redacted


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    found = settings.get()
    assert (found.home, found.mode, found.keep_editions, found.threads) == (Path("var"), "inbox", 5, 0)


def test_every_setting_says_what_it_does() -> None:
    assert all(info.description for info in settings.Settings.model_fields.values())


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "perinatal.toml").write_text('keep_editions = 3\nthreads = 2\nmode = "sample"\n')
    monkeypatch.setenv("PERINATAL_THREADS", "7")
    found = settings.get()
    assert (found.keep_editions, found.threads, found.mode) == (3, 7, "sample")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERINATAL_THREADS", "many"),
        ("PERINATAL_THREADS", "-1"),
        ("PERINATAL_KEEP_EDITIONS", "0"),
        ("PERINATAL_MODE", "sampel"),
        ("PERINATAL_MEMORY_LIMIT", "lots"),
        ("PERINATAL_LANDING_MEMORY_LIMIT", "300"),
        ("PERINATAL_ALERT_URLS", "mailto://somebody"),
        ("PERINATAL_ENGINE", "sparc"),
        ("PERINATAL_SPARK_MEMORY", "lots"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PerinatalError) as error:
        settings.get()
    assert name in str(error.value)
    assert "perinatal settings" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["keep_editions = 0", "kep_editions = 3", "keep_editions ="])
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "perinatal.toml").write_text(text)
    with pytest.raises(PerinatalError) as error:
        settings.get()
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("value", ["70%", "4GB", "512MB", "1.5GiB"])
def test_memory_limits_are_shares_or_sizes(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PERINATAL_MEMORY_LIMIT", value)
    assert settings.get().memory_limit == value


def test_an_option_of_a_command_wins_and_reaches_processes_that_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERINATAL_ENGINE", "duckdb")
    assert settings.get().engine == "duckdb"
    settings.choose(engine="spark")
    assert settings.get().engine == os.environ["PERINATAL_ENGINE"] == "spark"


def test_home_is_absolute_whatever_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert homes.get().root == tmp_path / "var"
    settings.get.cache_clear()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PERINATAL_HOME", "~/état d'Ann")
    assert homes.get().root == tmp_path / "état d'Ann"


def test_nothing_is_created_by_looking(tmp_path: Path) -> None:
    root = homes.get()
    assert not root.root.exists()
    with pytest.raises(PerinatalError, match=r"no edition is published in .*var: run `perinatal refresh --sample`"):
        _ = root.database
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERINATAL_ALERT_URLS", '["hooks.example.org/services/TOKEN-123"]'),
        ("PERINATAL_LMS_ALERT_URLS", '{"QOP": ["TOKEN-123"]}'),
    ],
)
def test_an_address_without_its_kind_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PerinatalError, match="lacks its kind") as error:
        settings.get()
    assert name in str(error.value)
    assert "TOKEN" not in str(error.value)


def test_what_a_library_says_of_a_store_is_shown_without_its_credentials() -> None:
    """botocore names what it takes for the bucket, without the `s3://` that an address has."""
    address = "s3://user:TOKEN-123@store.example.org/bucket"
    said = f'{address}: Invalid bucket name "user:TOKEN-123@store.example.org" (TOKEN-123)'
    shown = redacted(said, address)
    assert shown == 's3://***@store.example.org/bucket: Invalid bucket name "***@store.example.org" (***)'
    assert redacted("s3://bucket is empty: nothing at it", "s3://bucket") == "s3://bucket is empty: nothing at it"


def test_the_store_is_shown_without_its_credentials() -> None:
    shown = settings.shown("storage_url", "s3://user:TOKEN-123@store.example.org/bucket?secret_key=TOKEN-456&region=x")
    assert shown == "s3://***@store.example.org/bucket?secret_key=***&region=x"
