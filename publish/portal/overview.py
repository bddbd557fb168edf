"""The overview grid: organisations × key indicators, each cell a value and the shape of its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.members import Members
from publish.portal.model import Record, Value
from publish.portal.topics import topic_of

# the key indicators in the order of the columns, with the head of the column; one that no source gives is left out
KEY_INDICATORS = {
    "stillbirth_rate": "Stillbirth",
    "neonatal_mortality_rate": "Neonatal death",
    "pph_1500ml": "Bleeding 1,500 ml+",
    "third_fourth_degree_tear": "Severe tear",
    "apgar_below_7": "Apgar below 7",
    "term_admission_to_neonatal_unit": "Term admission",
    "msds_cqim_readmissions": "Read\u00admission",
    "preterm_birth": "Preterm birth",
    "low_birth_weight_term_msds": "Low birth weight",
    "smoking_at_delivery": "Smoking at delivery",
    "msds_cqim_breastfeeding": "Breast milk",
    "induction": "Induc\u00adtion",
    "caesarean_planned": "Planned caesa\u00adrean",
    "caesarean_unplanned": "Unplan\u00adned caesa\u00adrean",
}
LOOKS = {"better": "better", "worse": "worse", "similar": "similar", "higher": "differs", "lower": "differs"}


@dataclass(frozen=True)
class Column:
    """A key indicator of one source."""

    indicator_id: str
    source_id: str
    head: str
    name: str
    unit: str
    period_words: str
    is_judged_by_trust: bool

    @property
    def plain_head(self) -> str:
        """Return the head without the places where it may be broken."""
        return self.head.replace("\u00ad", "")


@dataclass(frozen=True)
class Cell:
    """What a cell shows: the value in words, the look of its verdict, the verdict in words.

    Where the verdict rests on the adjusted rate, `text` is that rate and `crude` the one as counted.
    """

    text: str
    look: str
    says: str
    is_old: bool = False
    crude: str = ""


@dataclass(frozen=True)
class GridRow:
    """An organisation with its cells; `page` is from the root, `group` the region or LMS that it is listed under."""

    name: str
    code: str
    page: str
    group: str
    cells: tuple[Cell, ...]


NOTHING = Cell("–", "none", "no value")


class Overview:
    """Makes the grids of one edition."""

    def __init__(self, lookup: Lookup, members: Members) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.members = members
        self.columns = list(self._columns())

    def _columns(self) -> Iterable[Column]:
        for indicator_id, head in KEY_INDICATORS.items():
            for level, indicator, source in sorted(self.lookup.by_indicator):
                if level != "trust" or indicator != indicator_id:
                    continue
                newest = max(self.lookup.by_indicator[level, indicator, source], key=lambda value: value.period_end)
                deaths = topic_of(indicator_id).name == "Deaths"
                yield Column(
                    indicator, source, head, newest.indicator_name, newest.unit, words.short_period(newest), deaths
                )

    def lms(self, rows: Sequence[Record] | None = None) -> list[GridRow]:
        """Return the grid of the LMSs, or of some of them."""
        return [
            GridRow(
                name=row["lms_name"],
                code=row["lms_code"],
                page=f"lms/{words.slug(row['lms_code'])}.html",
                group=row["region_name"] or "",
                cells=tuple(self.lms_cell(row["lms_code"], column) for column in self.columns),
            )
            for row in (self.edition.lms if rows is None else rows)
        ]

    def trusts(self, rows: Iterable[Record]) -> list[GridRow]:
        """Return the grid of trusts."""
        names = {row["lms_code"]: row["lms_name"] for row in self.edition.lms}
        return [
            GridRow(
                name=words.without_nhs(row["name"]),
                code=row["code"],
                page=f"trust/{words.slug(row['code'])}.html",
                group=names.get(row["lms_code"], ""),
                cells=tuple(self._cell(self._value("trust", row["code"], column)) for column in self.columns),
            )
            for row in rows
        ]

    def lms_cell(self, code: str, column: Column) -> Cell:
        """Return the cell of an LMS; deaths are judged by trust alone, so there it counts the trusts that are worse."""
        cell = self._cell(self._value("lms", code, column))
        if not column.is_judged_by_trust:
            return cell
        values = [self._value("trust", trust["code"], column) for trust in self.members.of(code)]
        verdicts = [value.verdict for value in values if value and value.is_current and value.verdict]
        if not verdicts:
            return cell
        worse, better = verdicts.count("worse"), verdicts.count("better")
        look = "worse" if worse else "better" if better == len(verdicts) else "similar"
        says = f"{worse} of {words.plural(len(verdicts), 'trust')} worse" if worse else "no trust worse"
        return Cell(f"{worse} of {len(verdicts)} worse" if worse else cell.text, look, says, cell.is_old)

    def _value(self, level: str, code: str, column: Column) -> Value | None:
        return self.lookup.one.get((level, code, column.indicator_id, column.source_id))

    def _cell(self, value: Value | None) -> Cell:
        if value is None or not (value.is_current or value.verdict):
            return NOTHING
        if self.edition.is_doubted(value):
            return Cell(_short(value), "fault", "not compared: data warning", not value.is_current)
        verdict = value.conclusion or ("similar" if value.comparison == "similar" else "")
        look, says = LOOKS.get(verdict, "none"), verdict or "not compared"
        if words.rests_on_adjusted(value):
            adjusted = words.number(value.adjusted_value, value.unit)
            return Cell(adjusted, look, f"adjusted, {says}", not value.is_current, _short(value))
        return Cell(_short(value), look, says, not value.is_current)


def _short(value: Value) -> str:
    if value.value is not None:
        return words.number(value.value, value.unit)
    if value.adjusted_value is not None and value.is_suppressed:
        return "masked"
    if value.value_min is not None and value.value_max is not None:
        return f"{words.number(value.value_min, value.unit)} to {words.number(value.value_max, value.unit)}"
    return "masked" if value.is_suppressed else "–"
