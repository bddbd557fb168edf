"""What only DuckDB understands stands in one file of the dbt project, behind macros."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse import dbt

DIALECT = dbt.PROJECT / "macros" / "dialect.sql"
FILES = sorted(path for room in ("models", "macros", "tests") for path in (dbt.PROJECT / room).rglob("*.sql"))

DUCKDB_ONLY = {
    "a lambda": r"\blambda\b",
    "a function of lists": r"\b(list|list_\w+|array_(?!agg\b)\w+|flatten|string_split|len|struct_pack)\(",
    "rows out of a list": r"\b(unnest|generate_subscripts|generate_series)\(|(?<!in )\brange\(",
    "a pattern": r"\bregexp_\w+\(|\bsimilar to\b|\bilike\b",
    "a part of a text": r"\b(contains|starts_with|ends_with|prefix|suffix|string_agg)\(",
    "a date": r"\b(make_date|make_timestamp|to_(months|years|days)|(try_)?str[fp]time|date_(diff|sub|add|part))\(",
    "an interval": r"\binterval '?[0-9]",
    "a part of a date": r"(?<!\bfrom )\b(year|month|day)\(",
    "an aggregate": r"\b(fsum|favg|kahan_sum|quantile_(cont|disc)|arg_(min|max)|lgamma)\(",
    "an ordered aggregate": r"\b(sum|avg|any_value)\([^()]*\border by\b",
    "a hint": r"\bas (not )?materialized\b",
}
LITERAL = re.compile(r"[\[{]")  # of a list, a struct, a slice, or a type of lists


def blank(pattern: str, text: str) -> str:
    """Put spaces where the pattern matches; lines stay where they are."""
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def duckdb_only(sql: str) -> Iterator[tuple[int, str]]:
    """Give line and kind of everything that only DuckDB understands; comments do not count."""
    code = blank(r"\{#.*?#\}|--[^\n]*", sql)
    for kind, pattern in DUCKDB_ONLY.items():
        for found in re.finditer(pattern, code):
            yield code.count("\n", 0, found.start()) + 1, kind
    for found in LITERAL.finditer(blank(r"\{\{.*?\}\}|\{%.*?%\}|'[^'\n]*'", code)):
        yield code.count("\n", 0, found.start()) + 1, "a literal of a list or struct"


def named(path: Path) -> str:
    return path.relative_to(dbt.PROJECT).as_posix()


@pytest.mark.parametrize("path", [path for path in FILES if path != DIALECT], ids=named)
def test_only_the_dialect_file_is_duckdbs(path: Path) -> None:
    found = [f"{named(path)}:{line}: {kind}" for line, kind in duckdb_only(path.read_text(encoding="utf-8"))]
    assert found == [], "give it a macro in macros/dialect.sql, or write it as every engine does"


@pytest.mark.parametrize(
    "sql",
    [
        "list_filter(words, lambda word: true)",
        "list(word)",
        "['a', 'b'] as words",
        "[]::varchar[] as words",
        "{'level': 'lms'} as area",
        "label[1:2]",
        "unnest(words)",
        '{{ spc("(select regexp_extract(label, pattern) as label)") }}',
        "make_date(year, 4, 1)",
        "period_end + interval 2 year",
        "year(period_end)",
        "sum(numerator order by trust_code)",
        "numbered as materialized(select 1)",
    ],
)
def test_the_rule_sees(sql: str) -> None:
    assert {line for line, _ in duckdb_only(f"select\n    {sql}\n")} == {2}


def test_the_rule_passes_what_engines_share() -> None:
    shared = """
    {% for i in range(1, 6) %} {% set words = ["a"] %} {% endfor %} -- list_filter
    select array_agg(word order by word), extract(year from day), replace(label, '[', '{'), {{ date_of("year", 4, 1) }}
    """
    assert list(duckdb_only(shared)) == []


def test_every_macro_of_the_dialect_is_listed() -> None:
    macros = re.findall(r"macro (\w+)\(", DIALECT.read_text(encoding="utf-8"))
    guide = (dbt.PROJECT.parent / "docs" / "scale.md").read_text(encoding="utf-8")
    assert len(macros) >= 19
    assert [name for name in macros if f"| `{name}` |" not in guide] == []
