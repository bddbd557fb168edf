"""Make the pages: templates over the model, each written once, with its CSV beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from perinatal import charts
from perinatal.console import say_detail
from perinatal.made_files import MadeFile, MadeFiles, Since
from publish import dictionary, policy
from publish.portal import csv_tables, feeds, kept, national, prose, quality, search, templating
from publish.portal import wording as words
from publish.portal.alerts import Alerts, page_of
from publish.portal.answers import Answers
from publish.portal.board import Boards
from publish.portal.compare import Comparison
from publish.portal.funnels import Funnel
from publish.portal.gaps import Gaps
from publish.portal.indicators import IndicatorViews
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Edition, Record
from publish.portal.organisations import OrganisationViews
from publish.portal.origins import Origins
from publish.portal.page_queries import CHANGES_SHOWN, EVIDENCE_SHOWN
from publish.portal.pictures import Pictures
from publish.portal.regions import Regions
from publish.portal.shown import Organisation, Shown
from publish.portal.spc_matrix import ICON_WORDS
from publish.portal.tile_map import TileMaps

HERE = Path(__file__).parent
STATIC = (
    "portal.css",
    "print.css",
    "board.css",
    "portal.js",
    "filter.js",
    "search.js",
    "charts.js",
    "compare.js",
    "icon.svg",
)
NAVIGATION = (
    ("lms/index.html", "Local maternity systems"),
    ("trust/index.html", "Trusts"),
    ("indicator/index.html", "Indicators"),
    ("theme/index.html", "Themes"),
    ("quality.html", "Data quality"),
    ("release/index.html", "Releases"),
    ("change.html", "Changes"),
    ("downloads.html", "Downloads"),
    ("about.html", "About"),
)


class Site:
    """Writes the pages of one edition into a folder."""

    def __init__(self, edition: Edition, funnels: dict[tuple[str, str], Funnel], made: MadeFiles) -> None:
        self.edition = edition
        self.made = made
        self.look_up = Lookup(edition)
        self.gaps = Gaps(self.look_up)
        pictures = Pictures(self.look_up, funnels)
        self.views = OrganisationViews(self.look_up, pictures, self.gaps)
        self.answers = Answers(edition.annotations)
        self.boards = Boards(self.views, self.answers)
        self.regions = Regions(self.look_up, self.views, self.gaps)
        self.maps = TileMaps(self.look_up, self.views.overview)
        self.indicators = IndicatorViews(self.look_up, pictures, self.answers)
        self.alerts = Alerts(self.look_up)
        self.origins = Origins(self.look_up)
        self.shown = Shown(self.look_up, self.origins, self.answers)
        self.pages = 0
        self.environment = templating.environment()
        self.environment.globals |= {
            "edition": self.shown.common,
            "facts": self.shown.common,
            "look_up": self.shown.look_up,
            "answers": self.shown.answers,
            "navigation": NAVIGATION,
            "csp": policy.PAGES,
            "sample": charts.key,
            "icon": charts.icon,
            "sprite": charts.sprite,
            "icon_words": ICON_WORDS,
            "keys": charts.KEYS,
            "standings": national.STANDINGS,
            "alert_page": page_of,
            "origins": self.shown.origins,
            "position_short": words.POSITION_SHORT,
            "trend_words": words.TREND_WORDS,
        }

    def page(
        self,
        path: str,
        template: str,
        section: str = "",
        organisation: Organisation | None = None,
        /,
        **context: Any,
    ) -> None:
        """Write one page, unless it can be taken over; `path` is from the root of the portal.

        `organisation` is whose page it is, if it shows answers.
        """
        root = "../" * path.count("/")

        def make(target: Path, since: Since) -> None:
            text = self.text(template, root, target.stem, since, section, **context)
            target.write_text(text, encoding="utf-8")

        self.made.write(path, self.made.key(self.shown.key(template, section, organisation, context)), make)
        if self.shown.held.beyond:
            say_detail(f"{path} is made in each edition, since it shows {', '.join(self.shown.held.beyond[:3])}")
            self.made.forget(path)
        self.pages += 1

    def text(self, template: str, root: str, page: str, since: Since, section: str = "", **context: Any) -> str:
        """Return a page.

        `root` leads from it to the root of the portal, `page` is its name; since `since` it reads as it does.
        """
        chosen = self.environment.get_template(template)
        return chosen.render(root=root, page=page, section=section, since=since, **context)

    def write(self) -> None:
        """Write every page but that of changes, the search index, the feeds and the static files."""
        self._statics()
        self._national()
        self._organisations()
        self._overviews()
        self._comparison()
        self._indicators()
        self._themes()
        self._releases()
        self._quality()
        self._explanations()
        self._search()

    def _statics(self) -> None:
        for name in STATIC:
            more = charts.STYLE.read_text(encoding="utf-8") if name == "portal.css" else ""
            self._file(f"static/{name}", (HERE / "static" / name).read_text(encoding="utf-8") + more)
        facts = self.edition.facts
        self._file("feed/editions.xml", feeds.editions(facts))
        self._file("feed/alerts.xml", feeds.alerts(self.edition, self.alerts.paged))
        for lms in self.edition.lms:
            name = words.slug(lms["lms_code"])
            self._file(f"feed/care-{name}.xml", feeds.care(facts, lms["lms_code"], lms["lms_name"]))

    def _file(self, name: str, text: str) -> None:
        self.made.text(name, lambda _: text)

    def _national(self) -> None:
        self.page(
            "index.html",
            "index.html",
            ambitions=national.ambitions(self.look_up),
            open_alerts=sum(alert["state"] == "open" for alert in self.edition.alerts),
            changed=sum(row["rows"] for row in self.edition.change_counts),
            is_first=len(self.edition.facts.editions) <= 1,
        )

    def _organisations(self) -> None:
        section = "lms/index.html"
        self.page("lms/index.html", "lms_list.html", section, regions=self.regions.listed(), maps=self.maps.listed())
        columns = self.views.overview.columns
        for code in self.regions.names:
            page = self.regions.page_of(code)
            self.page(page, "region.html", section, columns=columns, **self.regions.region(code))
        for lms in self.edition.lms:
            name = words.slug(lms["lms_code"])
            self.page(
                f"lms/{name}.html",
                "lms.html",
                section,
                ("lms", lms["lms_code"]),
                columns=columns,
                pack=f"../../downloads/lms/{name}/",
                region_page=self.regions.page_of(lms["region_code"] or ""),
                alerts=self.alerts.about(lms["lms_code"]),
                **self.views.lms(lms),
            )
            recording = self.views.recording_of(lms)
            if recording["checks"]:
                self.page(f"recording/{name}.html", "recording.html", section, **recording)
        section = "trust/index.html"
        self.page("trust/index.html", "trust_list.html", section, **self.regions.trusts())
        for trust in self.edition.trusts.values():
            page = f"trust/{words.slug(trust['code'])}.html"
            self.page(page, "trust.html", section, ("trust", trust["code"]), **self.views.trust(trust))
        for trust in self.boards.trusts():
            self.page(f"board/{words.slug(trust['code'])}.html", "board.html", section, **self.boards.page(trust))

    def _overviews(self) -> None:
        overview, maps = self.views.overview, self.maps.listed()
        self.page(
            "overview/lms.html",
            "overview.html",
            "lms/index.html",
            heading="Local maternity systems on the key indicators",
            head="Local maternity system",
            grouped="Region",
            csv="../../downloads/lms_indicator.csv",
            rows=overview.lms(),
            maps=maps,
            columns=overview.columns,
        )
        self.page(
            "overview/trusts.html",
            "overview.html",
            "trust/index.html",
            heading="Trusts on the key indicators",
            head="Trust",
            grouped="",
            csv="../../downloads/trust_indicator.csv",
            rows=overview.trusts(self.regions.trusts()["standing"]),
            maps=maps,
            columns=overview.columns,
        )
        for column, path in maps:
            self.page(path, "map.html", "lms/index.html", **self.maps.page(column))

    def _comparison(self) -> None:
        self.page("compare.html", "compare.html", "indicator/index.html")
        Comparison(self.look_up, self.views.members, self.views.rows).write(self.made)

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
            figures = self.edition.theme_figures.get(theme["theme_id"], [])
            seen = [row for row in figures if row["is_seen"]]
            self.page(
                f"theme/{words.slug(theme['theme_id'])}.html",
                "theme.html",
                section,
                theme=theme,
                review=self.edition.theme_reviews.get(theme["theme_id"]),
                bodies=self.edition.theme_bodies.get(theme["theme_id"], []),
                figures=seen,
                unseen=len(figures) - len(seen),
                indicators=self.edition.theme_indicators.get(theme["theme_id"], []),
                evidence=self.edition.evidence.get(theme["theme_id"], []),
                evidence_shown=EVIDENCE_SHOWN,
            )

    def _releases(self) -> None:
        section = "release/index.html"
        checks: dict[str, list[Record]] = {}
        for check in self.edition.checks:
            checks.setdefault(check["release_key"], []).append(check)
        self.page("release/index.html", "release_list.html", section, releases=list(self.edition.releases.values()))
        for key, release in self.edition.releases.items():
            self.page(
                f"release/{release['page']}.html",
                "release.html",
                section,
                release=release,
                listings=self.origins.of_release(key),
                checks=checks.get(key, []),
            )
        for listing in self.origins.listings.values():
            csv = f"{listing.stem.rpartition('/')[2]}.csv"
            release = self.edition.releases[listing.release_key]
            self.page(listing.page, "origin.html", section, listing=listing, release=release, csv=csv)

    def _quality(self) -> None:
        self.page(
            "quality.html",
            "quality.html",
            "quality.html",
            made_on=self.edition.facts.published_at,
            checks=self.edition.checks,
            has_alerts=self.edition.has("quality.alert"),
            has_completeness=self.edition.has("quality.org_completeness"),
            gaps=self.gaps.all(),
            closed_alerts=self.alerts.closed,
            **quality.context(self.look_up, self.gaps.missing),
        )
        for alert in self.alerts.paged:
            self.page(page_of(alert), "alert.html", "quality.html", **self.alerts.page(alert))

    def write_changes(self, downloads: dict[str, MadeFile]) -> None:
        """Write the page of changes, last: it counts which files of the portal, and which downloads, are the same."""
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
            files=kept.counts(self.made.now, downloads, self.made.files),
            counts=self.edition.change_counts,
            changes=self.edition.changes,
            judgements=self.edition.judgements,
            signed_by=self.edition.facts.signed_by,
            editions=self.edition.facts.editions,
        )

    def _explanations(self) -> None:
        schemas = self._dictionary()
        queries = prose.queries()
        for query in queries:
            self._file(f"queries/{query['name']}", query["text"])
        self.page("downloads.html", "downloads.html", "downloads.html", marts=schemas.get("marts", []), queries=queries)
        self.page("dictionary.html", "dictionary.html", "downloads.html", schemas=schemas)
        self.page("about.html", "about.html", "about.html")
        self.page("answers.html", "answers.html", "quality.html", rows=self.answers.rows)
        self.page("accessibility.html", "accessibility.html", "about.html")
        self.page("official-statistics.html", "official_statistics.html", "about.html")
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
                        {"name": column, "type": kind, "description": about.meaning(column)}
                        for column, kind in columns.items()
                    ],
                }
            )
        self._file("dictionary.csv", csv_tables.dictionary_text(found))
        return {schema: found[schema] for schema in ("marts", "core", "quality", "reference") if schema in found}

    def _search(self) -> None:
        sections = search.sections(self.look_up)
        self.page("search.html", "search.html", sections=sections)
        self._file("search.json", search.index(sections, is_synthetic=self.edition.facts.is_synthetic))
