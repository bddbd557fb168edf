"""Advice that the command line gives for a file that is not recognised: each printed command is run, and lands it."""

import csv
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
import yaml

from ingest.inbox import collect
from ingest.registry import all_sources
from ingest.stores import FetchStores
from perinatal.home import Home
from tests.conftest import Ran

Cli = Callable[..., Ran]
WITH_SAMPLE = [source for source in all_sources().values() if (source.folder / "sample.py").exists()]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Give the smallest sample tables of each source."""
    found: dict[str, list[Path]] = {}
    for source in WITH_SAMPLE:
        folder = tmp_path_factory.mktemp(source.id)
        source.sample.generate(folder)
        tables = [path for path in folder.rglob("*") if path.suffix == ".csv"]
        found[source.id] = sorted(tables, key=lambda path: path.stat().st_size)
    return found


def commands(text: str) -> list[list[str]]:
    return [shlex.split(found)[1:] for found in re.findall(r"`(perinatal land [^`]*)`", text)]


def renamed(original: Path, target: Path) -> Path:
    target.write_bytes(original.read_bytes())
    return target


def follow(cli: Cli, refused: Ran) -> list[Ran]:
    assert refused.code == 3, refused
    found = commands(refused.err)
    assert found, refused.err
    ran = [cli(*command) for command in found]
    assert [one.code for one in ran] == [0] * len(ran), ran
    return ran


@pytest.mark.parametrize("name", ["mbrrace", "nmpa"])
def test_a_file_under_another_name_is_landed_as_the_advice_says(
    name: str, samples: dict[str, list[Path]], tmp_path: Path, home: Home, cli: Cli
) -> None:
    file = renamed(samples[name][0], tmp_path / "my down'load.csv")
    refused = cli("land", file, "--source", name)
    assert "line 1: was taken for the header (" in refused.err
    assert "--dataset measure" not in refused.err
    follow(cli, refused)


def test_valid_values_are_listed(samples: dict[str, list[Path]], tmp_path: Path, home: Home, cli: Cli) -> None:
    file = renamed(samples["nmpa"][0], tmp_path / "download.csv")
    said = cli("land", file, "--source", "nmpa").err
    assert "datasets: pph_1500ml, third_fourth_degree_tear" in said
    assert "release: year of the births, 2023 or 2018-19" in said


@pytest.mark.parametrize("name", [source.id for source in WITH_SAMPLE if source.id != "fingertips"])
def test_a_file_of_another_source_is_landed_as_the_advice_says(
    name: str, samples: dict[str, list[Path]], home: Home, cli: Cli
) -> None:
    for wrong in ("fingertips", "msds" if name != "msds" else "nnap"):
        refused = cli("land", samples[name][0], "--source", wrong)
        assert f"{name} knows it" in refused.err
        follow(cli, refused)


def test_a_wrong_dataset_or_release_is_answered_with_the_right_one(
    samples: dict[str, list[Path]], tmp_path: Path, home: Home, cli: Cli
) -> None:
    # a measure each: the rows of one never land as another
    for sample, wrong in zip(samples["nmpa"], ("measure", "pph_1500"), strict=False):
        nmpa = renamed(sample, tmp_path / "induction 2023.csv")
        refused = cli("land", nmpa, "--source", "nmpa", "--dataset", wrong)
        assert "there are: pph_1500ml," in refused.err
        follow(cli, refused)
    mbrrace = samples["mbrrace"][0]
    follow(cli, cli("land", mbrrace, "--source", "mbrrace", "--dataset", "perinatal"))
    follow(cli, cli("land", mbrrace, "--source", "mbrrace", "--release", "1999"))
    for msds in samples["msds"]:
        header = msds.read_text(encoding="utf-8-sig").splitlines()[0]
        wrong = "monthly_data" if header.lower().startswith("period,") else "annual"
        refused = cli("land", msds, "--source", "msds", "--dataset", wrong)
        assert "the header is that of" in refused.err
        follow(cli, refused)


def test_a_document_without_a_day_is_landed_as_the_advice_says(
    samples: dict[str, list[Path]], tmp_path: Path, home: Home, cli: Cli
) -> None:
    findings = next(path for path in samples["cqc"] if "document_title" in path.read_text().splitlines()[0])
    rows = list(csv.DictReader(findings.open(encoding="utf-8")))
    undated = tmp_path / "findings.csv"
    with undated.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(
            row | {"published_on": ""} for row in rows if row["document_title"] == rows[0]["document_title"]
        )
    refused = cli("land", undated, "--source", "cqc")
    assert "release: day of publication" in refused.err
    follow(cli, refused)


def test_each_sheet_that_is_offered_is_landed(
    samples: dict[str, list[Path]], tmp_path: Path, home: Home, cli: Cli
) -> None:
    with samples["nmpa"][0].open(encoding="cp1252", newline="") as handle:
        rows = list(csv.reader(handle))
    file = tmp_path / "results.xlsx"
    with xlsxwriter.Workbook(file, {"strings_to_numbers": True}) as book:
        for name, shown in (("One", 90), ("It's two", 120)):
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows[:shown]):
                sheet.write_row(number, 0, row)
    refused = cli("land", file, "--source", "nmpa", "--release", "2022")
    assert len(commands(refused.err)) == 2
    for command in commands(refused.err):
        assert cli(*command).code == 0


def test_a_note_for_the_inbox_lands_a_refused_file(samples: dict[str, list[Path]], home: Home) -> None:
    stores, sources = FetchStores.of(home), all_sources()
    folder = home.inbox / "nmpa"
    folder.mkdir(parents=True)
    renamed(samples["nmpa"][0], folder / "download.csv")
    (refused,) = collect.collect(stores, sources, quiet_seconds=0)
    found = re.search(r"drop a note '(.*?)' into inbox/nmpa/ that says `(.*?)`", refused.taken[0].message)
    assert found, refused
    said = yaml.safe_load(found[2])
    assert set(said) == {"dataset", "release", "sha256"}
    assert refused.taken[0].sha256.startswith(said["sha256"])
    (folder / found[1]).write_text(found[2])
    (landed,) = collect.collect(stores, sources, quiet_seconds=0)
    assert [one.what for one in landed.taken] == ["landed"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            "Country,Organisation name,Org id,Numerator,Denominator",
            "'measure' of nmpa: missing Organisation code, Unadjusted rate",
        ),
        ("when,what", "no source has a layout like it"),
    ],
)
def test_what_differs_from_the_nearest_layout_is_named(
    header: str, says: str, tmp_path: Path, home: Home, cli: Cli
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(f"A title\n{header}\n" + ",".join("1" for _ in header.split(",")) + "\n")
    refused = cli("land", file, "--source", "mbrrace")
    assert refused.code == 3
    assert says in refused.err
