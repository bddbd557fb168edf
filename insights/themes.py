"""The taxonomy as data: themes, their mappings to the national frameworks, and its version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from perinatal.csv_rows import read_rows

TAXONOMY = Path(__file__).parent / "taxonomy"
FIRST_VERSION = "1.0"
THEME_COLUMNS = ("theme_id", "label", "definition", "sources", "source_note", "since")
MAPPING_COLUMNS = ("theme_id", "framework", "item_id", "item_label", "status", "source")


@dataclass(frozen=True)
class Theme:
    """One theme: a C theme names a clinical topic, an S theme a property of the system of care.

    `since` is the version of the taxonomy that brought it; ids never change and are never used again.
    """

    theme_id: str
    label: str
    definition: str
    sources: tuple[str, ...]
    source_note: str
    since: str


@dataclass(frozen=True)
class Mapping:
    """A theme's place in a national framework; `item_id` is empty where no item answers to it.

    `status` is `seen` (a publisher's own text joins the two) or `inferred` (this project's judgement).
    """

    theme_id: str
    framework: str
    item_id: str
    item_label: str
    status: str
    source: str


@cache
def load_themes() -> tuple[Theme, ...]:
    """Read the themes in the order of the file."""
    return tuple(
        Theme(r["theme_id"], r["label"], r["definition"], tuple(r["sources"].split(";")), r["source_note"], r["since"])
        for _, r in read_rows(TAXONOMY / "themes.csv", THEME_COLUMNS)
    )


@cache
def theme_ids() -> tuple[str, ...]:
    """List the themes' ids in the order of the file."""
    return tuple(theme.theme_id for theme in load_themes())


@cache
def first_themes() -> tuple[Theme, ...]:
    """List the themes of taxonomy 1.0: what texts that were coded before 1.1 can be measured on."""
    return tuple(theme for theme in load_themes() if theme.since == FIRST_VERSION)


@cache
def load_mappings() -> tuple[Mapping, ...]:
    """Read every mapping of every theme."""
    return tuple(
        Mapping(*(row[name] for name in MAPPING_COLUMNS))
        for _, row in read_rows(TAXONOMY / "mappings.csv", MAPPING_COLUMNS)
    )


def taxonomy_version() -> str:
    """Read the version that every coded edition records."""
    return (TAXONOMY / "VERSION").read_text(encoding="utf-8").strip()
