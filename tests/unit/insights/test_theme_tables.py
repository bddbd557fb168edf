import hashlib
import json
import subprocess
import sys
from datetime import date

import pytest

from expectations.release import SUITES
from expectations.standards import load_standards
from insights import theme_tables as step
from insights.decisions import Decision, DecisionFile
from perinatal.home import Home
from tests.support import light_gate

CTG = "The CTG was pathological for an hour and the concerns were not escalated to the registrar."


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def breaches(candidate):
    import duckdb

    with duckdb.connect(str(candidate.path), read_only=True) as connection:
        found = light_gate.validate_tables(connection, load_standards(SUITES / "50_insights.yml"), suite="release")
    return {result.rule: result.observed for result in found if result.failed}


def content(candidate):
    tables = candidate.rows(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_name like 'theme%' order by all"
    )
    digest = hashlib.sha256()
    for (table,) in tables:
        digest.update(repr(candidate.rows(f"from {table}")).encode())
    return digest.hexdigest()


def test_findings_become_evidence_that_lies_in_their_text(candidate, home):
    candidate.finding("hsib-1", CTG, page=7)
    assert step.run(candidate.path, DecisionFile(home.theme_decisions)) == len(
        candidate.rows("from marts.theme_evidence")
    )
    rows = candidate.rows(
        "select theme_id, evidence, substring(text, evidence_start + 1, evidence_end - evidence_start), evidence.page, "
        "evidence.usage_warnings, coded_by from marts.theme_evidence as evidence "
        "join core.fct_finding using (finding_id)"
    )
    assert {"C01", "S02"} <= {row[0] for row in rows}
    for _, evidence, cut, page, warnings, coded_by in rows:
        assert evidence == cut
        assert page == 7
        assert warnings == ["machine_coded", "template_entry"]
        assert coded_by in ("rule", "model")
    assert breaches(candidate) == {}


def test_offsets_count_characters_not_bytes(candidate, home):
    candidate.finding("hsib-1", "“Naïve” – a café’s 👶 – " + CTG)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert breaches(candidate) == {}


def test_without_findings_the_tables_are_there_and_nothing_is_trained(candidate, home, monkeypatch):
    monkeypatch.setattr(step, "code", None)  # calling it would fail
    assert step.run(candidate.path, DecisionFile(home.theme_decisions)) == 0
    assert candidate.rows("from marts.theme_evidence") == []
    assert len(candidate.rows("from marts.theme")) == 40
    assert candidate.rows("select max(findings), max(n_sources) from marts.theme") == [(0, 0)]
    kinds = dict(
        candidate.rows("select column_name, data_type from information_schema.columns where table_name = 'theme'")
    )
    assert (kinds["sources"], kinds["mis_action"], kinds["usage_warnings"]) == ("VARCHAR[]",) * 3
    assert breaches(candidate) == {}


def test_a_build_imports_no_machine_learning_before_it_is_needed():
    asked = "import sys, pipeline.commands.app, pipeline.assembly; sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)


def test_the_same_findings_give_the_same_rows(candidate, home, tmp_path):
    for place in range(30):
        candidate.finding(f"hsib-{place}", f"Case {place}: {CTG}", published_on=f"20{15 + place % 5}-01-01")
    candidate.published()
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    first = content(candidate)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert content(candidate) == first


def test_decisions_of_people_win(candidate, home):
    candidate.finding("hsib-1", CTG)
    DecisionFile(home.theme_decisions).keep(
        [
            Decision("hsib-1", "C01", "reject", "A. Midwife", "2026-11-01"),
            Decision("hsib-1", "S13", "add", "A. Midwife", "2026-11-01"),
        ],
    )
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    coded = dict(candidate.rows("select theme_id, coded_by from marts.theme_evidence"))
    assert "C01" not in coded
    assert coded["S13"] == "person"
    score, warnings = candidate.rows("select score, usage_warnings from marts.theme_evidence where theme_id = 'S13'")[0]
    assert (score, warnings) == (1.0, ["template_entry"])
    assert candidate.rows("select findings_by_person from marts.theme where theme_id = 'S13'") == [(1,)]


def test_several_people_are_counted_and_not_named(candidate, home):
    candidate.finding("hsib-1", CTG)
    candidate.finding("hsib-2", "Nobody looked at the placenta.")
    DecisionFile(home.theme_decisions).keep(
        [
            Decision("hsib-1", "C01", "confirm", "Zebediah Quillfeather", "2026-11-01"),
            Decision("hsib-1", "C01", "confirm", "B. Midwife", "2026-11-02"),
            Decision("hsib-2", "C19", "reject", "Zebediah Quillfeather", "2026-11-01"),
            Decision("hsib-2", "C19", "add", "B. Midwife", "2026-11-03"),
        ],
    )
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    said = candidate.rows(
        "select theme_id, finding_id, reviewers, decided_on::varchar, is_disputed from marts.theme_evidence "
        "where coded_by = 'person' order by all"
    )
    assert said == [("C01", "hsib-1", 2, "2026-11-02", False), ("C19", "hsib-2", 2, "2026-11-03", True)]
    agreed = "select theme_id, by_several, disputed, kappa, reviewers from marts.theme_review order by theme_id"
    assert candidate.rows(agreed) == [("C01", 1, 0, 1.0, 2), ("C19", 1, 1, 0.0, 2)]
    assert b"Quillfeather" not in candidate.path.read_bytes()


def test_published_figures_stand_as_published_and_are_never_counted(candidate, home):
    candidate.published()
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    (figures, findings, share, of), *_ = candidate.rows(
        "select published_figures, findings, published_share_max, published_share_of from marts.theme "
        "where theme_id = 'C01'"
    )
    assert findings == 0
    assert (share, of) == (49.0, "HSIB/MNSI to 2022-06")
    told = {(f["publisher"], f["statement"]): f for f in json.loads(figures)}
    report = told["MNSI", "intermittent auscultation not in line with national guidance"]
    assert (report["published_value"], report["published_unit"]) == ("49", "%")
    assert report["published_denominator"] == "92 investigations"
    assert report["url"].startswith("https://rcog.org.uk/")
    assert candidate.rows("select count(*) from marts.theme_evidence") == [(0,)]
    assert breaches(candidate) == {}


def test_what_nobody_has_seen_in_the_source_is_kept_and_counts_for_nothing(candidate, home):
    candidate.published()
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    unseen = "select theme_id, statement, status from marts.theme_figure where not is_seen order by theme_id"
    assert candidate.rows(unseen) == [
        (
            "C13",
            "Group B streptococcus",
            "excerpt cut off; topic confirmed by HSIB report I2020/003 (Jul 2020)",
        ),
        ("S11", "Cultural considerations", "from memory, unverified"),
    ]
    told = (
        "select sources, n_sources, published_sources, bodies, n_bodies, published_figures, emphasis_score, reasoning "
        "from marts.theme where theme_id in ('C13', 'S11')"
    )
    for *counted, reasoning in candidate.rows(told):
        assert counted == [[], 0, [], [], 0, None, 0.0]
        assert reasoning.startswith("no source speaks of it")


def test_a_body_has_one_name_wherever_it_is_shown(candidate, home):
    candidate.published()
    candidate.finding("hsib-1", "Fetal monitoring with CTG was a leading factor.", kind="theme", share=70.0)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    names = "select distinct body from marts.theme_figure where source_id = 'hsib' or publisher in ('HSIB', 'MNSI')"
    assert candidate.rows(names) == [("HSIB/MNSI",)]
    known = "select body from marts.theme_figure where body not in (select body from reference.theme_source_body)"
    assert candidate.rows(known) == []


def test_a_share_that_the_machine_has_placed_is_shown_but_does_not_rank(candidate, home):
    text = "Fetal monitoring with CTG was a leading contributory factor."
    candidate.finding("ens-1", text, source_id="ens", kind="theme", share=97.0, denominator=96)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    carried = "select linked_by, value, finding_id from marts.theme_figure where theme_id = 'C01'"
    assert candidate.rows(carried)[0][1:] == (97.0, "ens-1")
    assert candidate.rows("select published_share_max from marts.theme where theme_id = 'C01'") == [(None,)]
    DecisionFile(home.theme_decisions).keep([Decision("ens-1", "C01", "confirm", "A. Midwife", "2026-11-01")])
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert candidate.rows("select published_share_max from marts.theme where theme_id = 'C01'") == [(97.0,)]


def test_a_source_speaks_of_a_theme_when_more_than_a_slip_says_so(candidate, home):
    candidate.finding("hsib-1", CTG)
    candidate.finding("ebc-1", CTG, source_id="ebc")
    for place in range(150):
        candidate.finding(f"ebc-x{place}", f"Table {place} lists the hospitals that took part.", source_id="ebc")
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert candidate.rows("select sources, n_sources, findings from marts.theme where theme_id = 'C01'") == [
        (["hsib"], 1, 2)
    ]


def test_trend_is_asked_within_sources(candidate, home):
    for year in range(2015, 2020):
        for place in range(20):
            speaks = place < 4 * (year - 2014)
            candidate.finding(
                f"a{year}-{place}", CTG if speaks else "The report lists all units.", published_on=f"{year}-06-01"
            )
            candidate.finding(
                f"b{year}-{place}", "Induction of labour was delayed.", source_id="ens", published_on=f"{year}-06-01"
            )
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    trends = dict(candidate.rows("select theme_id, trend from marts.theme"))
    assert trends["C01"] == "increasing"
    assert trends["C07"] == "cannot be calculated"  # every finding of every year: there is nothing to compare
    assert trends["C12"] == "cannot be calculated"


def test_a_source_that_begins_makes_no_trend(candidate, home):
    for year in range(2015, 2020):
        candidate.finding(f"a{year}", "The report lists all units.", published_on=f"{year}-06-01")
    for place in range(20):
        candidate.finding(f"b{place}", CTG, source_id="ens", published_on="2019-06-01")
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert candidate.rows("select trend from marts.theme where theme_id = 'C01'") == [("cannot be calculated",)]


def test_indicators_stand_beside_themes(candidate, home):
    candidate.insert(
        "core.dim_indicator", indicator_id="apgar_below_7", indicator_name="Apgar", polarity="low", unit="%"
    )
    for place, verdict in enumerate(["worse", "worse", "similar", None]):
        for end, said in ((date(2022, 12, 31), "better"), (date(2023, 12, 31), verdict)):
            candidate.insert(
                "marts.trust_indicator",
                indicator_id="apgar_below_7",
                source_id="nmpa",
                breakdown="all",
                period_label=str(end.year),
                period_start=end.replace(month=1, day=1),
                period_end=end,
                trust_code=f"R{place}",
                value=1.0,
                verdict=said,
            )
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    candidate_said = candidate.rows(
        "select trusts_compared, trusts_worse, round(trusts_worse_share, 1), signal_indicator_id, verdict_score "
        "from marts.theme where theme_id = 'C01'"
    )
    assert candidate_said == [(3, 2, 66.7, "apgar_below_7", 0.0)]


def test_indicators_beside_themes_say_what_months_they_cover_and_whether_they_are_invented(candidate, home):
    candidate.insert("core.dim_indicator", indicator_id="apgar_below_7", indicator_name="Apgar", unit="%")
    candidate.insert(
        "marts.england_indicator",
        indicator_id="apgar_below_7",
        source_id="msds",
        breakdown="all",
        period_label="2025-04",
        period_start=date(2025, 4, 1),
        period_end=date(2025, 4, 30),
        months_covered=3,
        is_synthetic=True,
    )
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert candidate.rows("select distinct months_covered, is_synthetic from marts.theme_indicator") == [(3, True)]
    [(linked,)] = candidate.rows("select linked_indicators from marts.theme where theme_id = 'C01'")
    assert [(row["period"], row["months_covered"]) for row in json.loads(linked)] == [("2025-04", 3)]


def test_rank_follows_the_score_that_its_visible_parts_add_up_to(candidate, home):
    candidate.published()
    for source in ("hsib", "ens", "ebc", "pmrt"):
        candidate.finding(f"{source}-1", CTG, source_id=source)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    rows = candidate.rows(
        "select convergence_rank, convergence_score, rank_best, rank_worst, emphasis_score, recency_score, "
        "published_score, verdict_score from marts.theme order by convergence_rank"
    )
    assert [row[0] for row in rows] == list(range(1, 41))
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    ((emphasis, recency, published, verdict),) = candidate.rows(
        "select emphasis, recency, published, verdict from reference.theme_rank_weight where view = 'stated'"
    )
    assert emphasis + recency + published + verdict == 100
    for place, score, best, worst, *parts in rows:
        assert 1 <= best <= place <= worst <= 40
        assert all(0 <= part <= 1 for part in parts if part is not None)
        top = emphasis * parts[0] + recency * parts[1] + published * parts[2] + verdict * (parts[3] or 0)
        asked = 100 - (verdict if parts[3] is None else 0)
        assert score == pytest.approx(100 * top / asked, abs=0.01)


def stressed(candidate):
    return dict(candidate.rows("select theme_id, bodies from marts.theme"))


def say(candidate, source, **findings):
    """Let a source say each of two things so often, and much that is about nothing."""
    texts = {"ctg": CTG, "induction": "Induction of labour was delayed for two days."}
    for what, times in findings.items():
        for place in range(times):
            text = texts.get(what, "The report lists the units that took part in the year.")
            candidate.finding(f"{source}-{what}-{place}", f"Case {place}. {text}", source_id=source)


def test_a_body_stresses_what_it_speaks_of_more_than_of_other_themes(candidate, home):
    say(candidate, "ebc", ctg=30, induction=3, nothing=30)
    say(candidate, "cqc", ctg=1, induction=12, nothing=30)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert stressed(candidate)["C01"] == ["RCOG"]
    assert stressed(candidate)["C07"] == ["CQC"]
    assert candidate.rows("select sources from marts.theme where theme_id = 'C01'") == [(["cqc", "ebc"],)]
    ((z, share, is_stressed),) = candidate.rows(
        "select emphasis_z, share, is_stressed from marts.theme_body where theme_id = 'C07' and body = 'RCOG'"
    )
    assert (z < 1, round(share, 1), is_stressed) == (True, 4.8, False)


def test_sources_of_one_body_are_one_voice(candidate, home):
    for source in ("pmrt", "ukoss", "mbrrace"):
        say(candidate, source, ctg=10, nothing=10)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    assert stressed(candidate)["C01"] == ["MBRRACE-UK/NPEU"]
    assert candidate.rows("select n_sources, n_bodies from marts.theme where theme_id = 'C01'") == [(3, 1)]


def test_what_one_body_passes_on_from_another_counts_once(candidate, home):
    words = "the CTG was pathological for an hour and nobody escalated the concerns to the registrar on call"
    candidate.finding("hsib-1", f"We found that {words}.", published_on="2021-05-01")
    candidate.finding("cqc-1", f"It was found that {words}.", source_id="cqc", published_on="2022-05-01")
    candidate.finding("cqc-2", f"MNSI reported that {CTG}", source_id="cqc", published_on="2022-05-01")
    candidate.finding("cqc-3", f"MBRRACE-UK reported that {CTG}", source_id="cqc", published_on="2022-05-01")
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    said = dict(
        (finding, (quoted, counts_for))
        for finding, quoted, counts_for in candidate.rows(
            "select finding_id, quoted_body, counts_for from marts.theme_evidence where theme_id = 'C01'"
        )
    )
    assert said == {
        "hsib-1": (None, "HSIB/MNSI"),
        "cqc-1": ("HSIB/MNSI", None),
        "cqc-2": ("HSIB/MNSI", None),
        "cqc-3": ("MBRRACE-UK/NPEU", "MBRRACE-UK/NPEU"),  # it does not speak for itself in this edition
    }
    assert candidate.rows("select findings from marts.theme where theme_id = 'C01'") == [(4,)]
    bodies = candidate.rows("select body, findings from marts.theme_body where theme_id = 'C01' order by body")
    assert bodies == [("HSIB/MNSI", 1), ("MBRRACE-UK/NPEU", 1)]


def test_old_words_weigh_less(candidate, home):
    say(candidate, "hsib", ctg=10, nothing=30)
    candidate.finding("new", "The report lists the units.", source_id="ens", published_on="2027-05-01")
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    ((recency,),) = candidate.rows("select recency_score from marts.theme where theme_id = 'C01'")
    assert recency == pytest.approx(0.5, abs=0.001)  # five years


def test_a_share_keeps_its_definition_and_interval(candidate, home):
    candidate.published()
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    share = candidate.rows(
        "select published_share_max, published_share_lower_95, published_share_upper_95, published_share_definition, "
        "published_share_denominator, published_score from marts.theme where theme_id = 'C01'"
    )[0]
    assert share[0] == 49.0
    assert [round(end, 2) for end in share[1:3]] == [38.95, 58.96]  # Wilson, 45 of 92
    assert share[3:5] == ("intermittent auscultation not in line with national guidance", "92 investigations")
    assert share[5] == pytest.approx(share[1] / 100, abs=1e-4)


def test_trusts_that_stand_out_on_a_linked_indicator_count_once(candidate, home):
    for name in ("apgar_below_7", "ebc_severe_brain_injuries", "induction"):
        candidate.insert("core.dim_indicator", indicator_id=name, indicator_name=name, concept_id=name)
        for place in range(8):
            candidate.insert(
                "marts.trust_indicator", indicator_id=name, source_id="nmpa", breakdown="all", verdict="similar",
                trust_code=f"R{place}", period_start=date(2023, 1, 1), period_end=date(2023, 12, 31),
            )  # fmt: skip
        candidate.insert("marts.attention", level="trust", organisation_code="R1", concept_id=name)
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    found = dict(
        (theme, (trusts, score))
        for theme, trusts, score in candidate.rows(
            "select theme_id, trusts_standing_out, verdict_score from marts.theme"
        )
    )
    assert found["C01"] == (1, 0.5)
    assert found["S04"] == (0, None)  # nothing to ask


def test_no_clinical_driver_is_an_answer(candidate, home):
    step.run(candidate.path, DecisionFile(home.theme_decisions))
    answers = dict(candidate.rows("select theme_id, driver from marts.theme"))
    assert answers["S06"] == "no clinical driver"
    assert answers["C04"] == "D1 Increasing the proportion of smoke free pregnancies"
    assert candidate.rows("select sbl_element, mis_action, mis_status from marts.theme where theme_id = 'C18'") == [
        (None, [], [])
    ]
