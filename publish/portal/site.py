"""Make the pages: templates over the model, each written once, with its CSV beside it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from markupsafe import Markup, escape

from publish import dictionary, policy
from publish.edition import formula_safe
from publish.partition import KEY, write_parts
from publish.portal import charts, feeds, national, prose
from publish.portal import wording as words
from publish.portal.funnels import Funnel
from publish.portal.indicators import IndicatorViews
from publish.portal.lookup import ENGLAND, OLD_AFTER_YEARS, Lookup
from publish.portal.model import Edition, Record
from publish.portal.organisations import OrganisationViews
from publish.portal.reader import CHANGES_SHOWN, EVIDENCE_SHOWN, Reader

HERE = Path(__file__).parent
STATIC = ("portal.css", "portal.js", "icon.svg")
NAVIGATION = (
    ("lms/index.html", "Local maternity systems"),
    ("indicator/index.html", "Indicators"),
    ("theme/index.html", "Themes"),
    ("quality.html", "Data quality"),
    ("release/index.html", "Releases"),
    ("change.html", "Changes"),
    ("downloads.html", "Downloads"),
    ("about.html", "About"),
)
LATE_AFTER = 0.25  # of the publisher's cadence, as `perinatal status` says it


class Site:
    """Writes the pages of one edition into a folder."""

    def __init__(self, edition: Edition, funnels: dict[tuple[str, str], Funnel], folder: Path) -> None:
        self.edition = edition
        self.look_up = Lookup(edition)
        self.views = OrganisationViews(self.look_up, funnels)
        self.indicators = IndicatorViews(self.look_up, funnels, self.views)
        self.folder = folder
        self.pages = 0
        self.environment = _environment()
        self.environment.globals |= {
            "edition": edition,
            "facts": edition.facts,
            "look_up": self.look_up,
            "navigation": NAVIGATION,
            "csp": policy.PAGES,
            "sample": charts.key,
            "keys": charts.KEYS,
            "standings": national.STANDINGS,
            "old_after": OLD_AFTER_YEARS,
            "trend_words": words.TREND_WORDS,
            "position_words": words.POSITION_WORDS,
        }

    def page(self, path: str, template: str, section: str = "", **context: Any) -> None:
        """Write one page; `path` is from the root of the portal."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = self.environment.get_template(template).render(
            root="../" * path.count("/"), page=target.stem, section=section, **context
        )
        target.write_text(text, encoding="utf-8")
        self.pages += 1

    def write(self) -> None:
        """Write every page, the search index, the feeds and the static files."""
        self._statics()
        self._national()
        self._organisations()
        self._indicators()
        self._themes()
        self._releases()
        self._quality()
        self._changes()
        self._words()
        self._search()

    def _statics(self) -> None:
        (self.folder / "static").mkdir(parents=True)
        for name in STATIC:
            (self.folder / "static" / name).write_bytes((HERE / "static" / name).read_bytes())
        (self.folder / "feed").mkdir()
        (self.folder / "feed" / "editions.xml").write_bytes(feeds.editions(self.edition.facts))
        (self.folder / "feed" / "alerts.xml").write_bytes(feeds.alerts(self.edition))

    def _national(self) -> None:
        self.page(
            "index.html",
            "index.html",
            ambitions=national.ambitions(self.look_up),
            open_alerts=sum(alert["state"] == "open" for alert in self.edition.alerts),
            changed=sum(row["rows"] for row in self.edition.change_counts),
        )

    def _organisations(self) -> None:
        section = "lms/index.html"
        self.page("lms/index.html", "lms_list.html", section, regions=national.regions(self.look_up))
        for lms in self.edition.lms:
            name = words.slug(lms["lms_code"])
            context = self.views.lms(lms)
            self.page(
                f"lms/{name}.html",
                "lms.html",
                section,
                pack=f"../../downloads/lms/{name}/",
                warnings_shown=_warnings(context["tables"]),
                **context,
            )
        for trust in self.edition.trusts.values():
            context = self.views.trust(trust)
            self.page(
                f"trust/{words.slug(trust['code'])}.html",
                "trust.html",
                section,
                warnings_shown=_warnings(context["tables"]),
                **context,
            )

    def _indicators(self) -> None:
        section = "indicator/index.html"
        names = {row["ambition_id"]: row["ambition_name"] for row in self.edition.ambitions}
        rows: list[Record] = []
        for about in self.edition.indicators.values():
            sources = self.indicators.sources.get(about["indicator_id"], [])
            england = [
                self.look_up.one[(*ENGLAND, about["indicator_id"], source)]
                for source in sources
                if (*ENGLAND, about["indicator_id"], source) in self.look_up.one
            ]
            rows.append(
                {
                    "about": about,
                    "sources": sources,
                    "england": england[0] if england else None,
                    "ambition": names.get(about["ambition_id"]),
                }
            )
            self.page(
                self.look_up.indicator_page(about["indicator_id"]),
                "indicator.html",
                section,
                **self.indicators.page(about),
            )
        rows.sort(key=lambda row: (not row["sources"], row["ambition"] is None, row["about"]["indicator_name"] or ""))
        self.page("indicator/index.html", "indicator_list.html", section, rows=rows)

    def _themes(self) -> None:
        section = "theme/index.html"
        found = national.themes(self.look_up)
        self.page("theme/index.html", "theme_list.html", section, **found)
        for theme in found["themes"]:
            self.page(
                f"theme/{words.slug(theme['theme_id'])}.html",
                "theme.html",
                section,
                theme=theme,
                figures=self.edition.theme_figures.get(theme["theme_id"], []),
                indicators=self.edition.theme_indicators.get(theme["theme_id"], []),
                evidence=self.edition.evidence.get(theme["theme_id"], []),
                evidence_shown=EVIDENCE_SHOWN,
            )

    def _releases(self) -> None:
        section = "release/index.html"
        fed: dict[str, set[str]] = {}
        for value in self.edition.values:
            fed.setdefault(value.release_key, set()).add(value.indicator_id)
        checks: dict[str, list[Record]] = {}
        for check in self.edition.checks:
            checks.setdefault(check["release_key"], []).append(check)
        self.page("release/index.html", "release_list.html", section)
        for key, release in self.edition.releases.items():
            self.page(
                f"release/{release['page']}.html",
                "release.html",
                section,
                release=release,
                fed=sorted(fed.get(key, ())),
                checks=checks.get(key, []),
            )

    def _quality(self) -> None:
        suites = Counter(check["suite"] for check in self.edition.checks)
        met = Counter(check["suite"] for check in self.edition.checks if check["success"])
        missing = self.views.missing
        self.page(
            "quality.html",
            "quality.html",
            "quality.html",
            newest=_newest_releases(self.edition),
            missing=missing,
            gaps=self.views.all_gaps(),
            open_alerts=self._by_rule(alert for alert in self.edition.alerts if alert["state"] == "open"),
            failed=self._by_rule(check for check in self.edition.checks if not check["success"]),
            suites=[{"name": name, "checks": count, "met": met[name]} for name, count in sorted(suites.items())],
            lms_names={row["lms_code"]: row["lms_name"] for row in self.edition.lms},
            by_lms=[self._completeness_of(lms, missing) for lms in self.edition.lms],
        )

    def _by_rule(self, found: Iterable[Record]) -> list[Record]:
        """Return alerts or checks by their rule, each with the releases that it speaks of."""
        groups: dict[tuple[str, str], list[Record]] = {}
        for row in found:
            groups.setdefault((row["rule"], row["severity"]), []).append(row)
        return [
            {"any": rows[0], "rows": rows, "releases": sorted({key for row in rows for key in self._releases_of(row)})}
            for rows in groups.values()
        ]

    def _releases_of(self, row: Record) -> list[str]:
        """Return the release that an alert or check names: by its key, or an arrival's by source, dataset, release."""
        if row["release_key"]:
            return [row["release_key"]] if row["release_key"] in self.edition.releases else []
        named = str(row.get("scope") or "").removeprefix("arrival/") + "/"
        return [key for key in self.edition.releases if key.startswith(named)]

    def _completeness_of(self, lms: Record, missing: list[Record]) -> Record:
        values = [value for value in self.look_up.by_organisation["lms", lms["lms_code"]] if value.is_current]
        return {
            "lms_code": lms["lms_code"],
            "lms_name": lms["lms_name"],
            "values": len(values),
            "incomplete": sum(value.is_complete is False for value in values),
            "missing": len({row["trust_code"] for row in missing if row["lms_code"] == lms["lms_code"]}),
        }

    def _changes(self) -> None:
        by_indicator: Counter[tuple[str, str, str]] = Counter()
        by_lms: dict[str, Counter[str]] = {}
        for row in self.edition.change_counts:
            by_indicator[row["indicator_id"], row["change"], row["reason"]] += row["rows"]
            kind = row["change"] if row["change"] in ("added", "changed") else "other"
            by_lms.setdefault(row["lms_code"], Counter())[kind] += row["rows"]
        self.page(
            "change.html",
            "change.html",
            "change.html",
            total=sum(by_indicator.values()),
            by_indicator=sorted(by_indicator.items()),
            by_lms=[(lms, by_lms[lms["lms_code"]]) for lms in self.edition.lms if lms["lms_code"] in by_lms],
            changes_shown=CHANGES_SHOWN,
            reasons=words.REASONS,
        )

    def _words(self) -> None:
        schemas = self._dictionary()
        queries = prose.queries()
        (self.folder / "queries").mkdir()
        for query in queries:
            (self.folder / "queries" / query["name"]).write_text(query["text"], encoding="utf-8")
        self.page("downloads.html", "downloads.html", "downloads.html", marts=schemas.get("marts", []), queries=queries)
        self.page("dictionary.html", "dictionary.html", "downloads.html", schemas=schemas)
        self.page("about.html", "about.html", "about.html")
        for name, path in prose.PAGES.items():
            title, body = prose.document(name)
            self.page(path, "document.html", "about.html", title=title, body=body)

    def _dictionary(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for table, columns in sorted(self.edition.tables.items()):
            schema, name = table.split(".")
            about = dictionary.table(name)
            found.setdefault(schema, []).append(
                {
                    "name": name,
                    "description": about.description,
                    "rows": self.edition.row_counts.get(table, 0),
                    "columns": [
                        {"name": column, "type": kind, "description": about.says(column)}
                        for column, kind in columns.items()
                    ],
                }
            )
        with (self.folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["schema", "table", "column", "type", "description"])
            writer.writerows(
                [schema, table["name"], *column.values()]
                for schema, tables in found.items()
                for table in tables
                for column in table["columns"]
            )
        return {schema: found[schema] for schema in ("marts", "core", "quality", "reference") if schema in found}

    def _search(self) -> None:
        self.page("search.html", "search.html")
        found = [
            {
                "kind": "LMS",
                "name": row["lms_name"],
                "code": row["lms_code"],
                "page": f"lms/{words.slug(row['lms_code'])}.html",
            }
            for row in self.edition.lms
        ]
        found += [
            {"kind": "trust", "name": row["name"], "code": row["code"], "page": f"trust/{words.slug(row['code'])}.html"}
            for row in self.edition.trusts.values()
        ]
        found += [
            {"kind": "indicator", "name": row["indicator_name"], "code": key, "page": self.look_up.indicator_page(key)}
            for key, row in self.edition.indicators.items()
        ]
        found += [
            {
                "kind": "theme",
                "name": row["label"],
                "code": row["theme_id"],
                "page": f"theme/{words.slug(row['theme_id'])}.html",
            }
            for row in self.edition.themes
        ]
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        (self.folder / "search.json").write_text(text, encoding="utf-8")


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the CSV that stands beside each page: values of an LMS, a trust, an indicator; releases, checks."""
    headline = connection.table("headline")
    columns = formula_safe(headline)
    parts = {
        "lms": ("lms_code", "level in ('lms', 'trust') and lms_code is not null"),
        "trust": ("code", "level = 'trust'"),
        "indicator": ("indicator_id", "true"),
    }
    for name, (key, condition) in parts.items():
        order = "source_id, indicator_id, level, code, period_start, period_end"
        write_parts(
            connection,
            f"select {columns}, {key} as {KEY} from headline where {condition} order by {KEY}, {order}",
            lambda part, name=name: folder / name / f"{words.slug(part)}.csv",  # type: ignore[misc]
        )
    whole = {
        "indicators": "core.dim_indicator",
        "releases": "core.dim_release",
        "quality-alerts": "quality.alert",
        "quality-releases": "quality.source_health",
        "quality-checks": "quality.check_result",
        "quality-completeness": "quality.org_completeness",
    }
    reader = Reader(connection)
    for name, table in whole.items():
        if reader.has(table):
            relation = connection.table(table)
            relation.project(formula_safe(relation)).write_csv(str(folder / f"{name}.csv"))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= {
        "number": words.number,
        "counted": words.counted,
        "with_unit": words.with_unit,
        "shown": words.shown,
        "interval": words.interval,
        "row_interval": _row_interval,
        "why_no_value": words.why_no_value,
        "comparator": words.comparator,
        "label": words.label,
        "tag_look": words.tag_look,
        "day": words.day,
        "short_day": words.short_day,
        "cadence": words.cadence,
        "what_changed": words.what_changed,
        "geography": words.geography,
        "uncapitalised": words.uncapitalised,
        "day_and_time": words.day_and_time,
        "plural": words.plural,
        "slug": words.slug,
        "short_publisher": words.short_publisher,
        "without_nhs": words.without_nhs,
        "linked": _linked,
        "tally": _tally,
        "evidence_text": _evidence_text,
    }
    return environment


def _linked(text: str) -> Markup:
    """Make a link of the first web address in a text; any other address is text."""
    start = text.find("http")
    if start < 0 or not text[start:].startswith(("https://", "http://")):
        return escape(text)
    address, _, rest = text[start:].partition(" ")
    shown = address.removeprefix("https://").removeprefix("http://")
    return Markup('{}<a href="{}" rel="noopener noreferrer">{}</a> {}').format(text[:start], address, shown, rest)


def _row_interval(row: Record) -> str:
    if "denominator_withheld" in row["usage_warnings"]:
        return f"{row['lower_95']:.1f} to {row['upper_95']:.1f}"
    return f"{words.number(row['lower_95'], row['unit'])} to {words.number(row['upper_95'], row['unit'])}"


def _evidence_text(row: Record) -> Markup:
    """Return a finding's text with the passage marked that it was coded by."""
    text, passage = row.get("text") or "", row["evidence"] or ""
    start = row["evidence_start"] or 0
    if not passage or text[start : start + len(passage)] != passage:
        return escape(passage or text)
    return Markup("{}<mark>{}</mark>{}").format(text[:start], passage, text[start + len(passage) :])


def _tally(rows: Iterable[Record]) -> list[tuple[str, str, int]]:
    """Count changed rows by kind and reason."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found[row["change"], row["reason"]] += row["rows"]
    return [(change, reason, count) for (change, reason), count in sorted(found.items())]


def _warnings(tables: list[dict[str, Any]]) -> list[str]:
    return sorted({word for table in tables for word in table["warnings"]})


def _newest_releases(edition: Edition) -> list[Record]:
    """Return the newest release of each dataset, with whether the next one is late on the day of the edition."""
    newest: dict[tuple[str, str], Record] = {}
    for release in edition.releases.values():
        if not release["health"] or release["is_superseded"]:
            continue
        key = (release["source_id"], release["dataset"])
        if key not in newest or _age(newest[key]) < _age(release):
            newest[key] = release
    today = date.fromisoformat(edition.facts.published_at[:10])
    return [release | {"late": _lateness(release, today)} for _, release in sorted(newest.items())]


def _age(release: Record) -> tuple[date, str]:
    return (release["health"]["latest_period_end"] or date.min, release["release"])


def _lateness(release: Record, today: date) -> tuple[str, str]:
    due = release["health"]["next_due"]
    since = release["published_on"] or release["fetched_at"].date()
    if due is None or today <= due:
        return ("Not due yet", "tag-grey")
    late_from = due + timedelta(days=LATE_AFTER * (due - since).days)
    return ("Late", "tag-amber") if today > late_from else ("Due", "tag-grey")
