import csv
from pathlib import Path

import pytest

from insights.lexicon import default_lexicon, load_lexicon
from insights.themes import TAXONOMY, first_themes, load_mappings, load_themes, taxonomy_version, theme_ids
from perinatal.errors import PerinatalError

SEEDS = Path(__file__).parents[3] / "dbt_project/seeds/reference"


def test_forty_themes_with_definitions():
    themes = load_themes()
    assert len(themes) == len({t.theme_id for t in themes}) == 40
    assert all(len(t.definition) > 40 and t.sources and t.source_note for t in themes)
    assert taxonomy_version().count(".") == 2


def test_ids_of_the_first_version_are_never_changed_or_used_again():
    """Decisions, labels and coded editions name these ids."""
    first = [*(f"C{n:02}" for n in range(1, 21)), *(f"S{n:02}" for n in range(1, 15))]
    assert [theme.theme_id for theme in first_themes()] == first
    newer = {theme.theme_id for theme in load_themes() if theme.since == "1.1"}
    assert newer == {"C21", "C22", "S15", "S16", "S17", "S18"}
    assert newer | set(first) == set(theme_ids())


@pytest.mark.parametrize(
    ("one", "other"),
    [("S02", "S03"), ("S14", "C20"), ("S05", "S07"), ("S06", "S13"), ("C10", "C13"), ("C07", "S01"), ("S04", "S09")],
)
def test_definitions_of_themes_that_coders_confused_name_each_other(one, other):
    definitions = {theme.theme_id: theme.definition for theme in load_themes()}
    assert other in definitions[one] or one in definitions[other]


def test_mappings_are_marked_and_complete():
    mappings = load_mappings()
    assert {m.status for m in mappings} == {"seen", "inferred"}
    assert {m.framework for m in mappings} == {
        "matneosip_driver",
        "matneosip_enabler",
        "sbl_element",
        "mis_safety_action",
    }
    assert all(m.source for m in mappings)
    assert {m.theme_id for m in mappings if m.framework == "matneosip_driver"} == set(theme_ids())
    assert {m.item_id for m in mappings if m.framework == "mis_safety_action"} == {f"SA{n}" for n in range(1, 11)}


def test_no_clinical_driver_is_an_answer():
    without = [m for m in load_mappings() if m.framework == "matneosip_driver" and not m.item_id]
    assert {m.item_label for m in without} == {"no clinical driver"}


def test_every_theme_has_strong_phrases():
    entries = default_lexicon().entries
    assert {e.theme_id for e in entries if e.kind == "include"} == set(theme_ids())
    assert len(entries) == len({(e.theme_id, e.kind, e.pattern) for e in entries})


@pytest.mark.parametrize(
    ("row", "message"),
    [("C99,include,word", "line 2: theme 'C99'"), ("C01,include,(a", "line 2: "), ("*,include,word", "theme '*'")],
)
def test_a_faulty_lexicon_names_its_line(tmp_path, row, message):
    path = tmp_path / "lexicon.csv"
    path.write_text(f"theme_id,kind,pattern\n{row}\n")
    with pytest.raises(PerinatalError) as error:
        load_lexicon(path)
    assert message in str(error.value)


def rows(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_links_to_indicators_are_known_and_marked():
    """A link to an indicator that no source can give would never show."""
    links = rows(TAXONOMY / "indicator_links.csv")
    seeds = ("indicator", "indicator_source_map", "indicator_source_map_fingertips")
    known = {row["indicator_id"] for seed in seeds for row in rows(SEEDS / f"{seed}.csv")}
    assert {row["indicator_id"] for row in links} - known == set()
    assert {row["theme_id"] for row in links} <= set(theme_ids())
    assert {row["link"] for row in links} <= {"outcome", "process", "context"}
    assert {row["status"] for row in links} <= {"seen", "inferred"}
    assert len({(row["theme_id"], row["indicator_id"]) for row in links}) == len(links)


def test_links_to_published_statements_meet_exactly_one_and_are_marked():
    links = rows(TAXONOMY / "published_links.csv")
    published = [(row["source"], row["period"], row["theme_or_measure"]) for row in rows(SEEDS / "published_theme.csv")]
    keys = [(row["publisher"], row["period_label"], row["statement"]) for row in links]
    assert all(published.count(key) == 1 for key in keys)
    assert {row["theme_id"] for row in links} <= set(theme_ids())
    assert {row["status"] for row in links} <= {"seen", "inferred"}
    assert len({(*key, row["theme_id"]) for key, row in zip(keys, links, strict=True)}) == len(links)


def test_no_theme_statement_of_a_publisher_is_forgotten():
    """What publishers call a theme is joined to one, or named here as too broad for any."""
    linked = {row["statement"] for row in rows(TAXONOMY / "published_links.csv")}
    themes = {
        row["theme_or_measure"] for row in rows(SEEDS / "published_theme.csv") if row["unit"] in ("theme", "rank")
    }
    assert themes - linked == {"Safety of intrapartum care"}
