import pytest

from insights.lexicon import default_lexicon
from insights.rules import read


def themes(text: str) -> set[str]:
    return {theme for theme, hits in read(text, default_lexicon()).hits.items() if hits.include}


@pytest.mark.parametrize(
    "text",
    [
        "Fetal monitoring was appropriate throughout.",
        "There was no delay in the birth.",
        "The CTG was normal and escalation was timely.",
        "Staffing did not contribute to the outcome.",
        "Neonatal resuscitation was carried out in line with guidance.",
        "She had no history of diabetes.",
        "The mother was a non-smoker.",
    ],
)
def test_praise_and_denial_are_no_findings(text):
    assert themes(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fetal monitoring was not appropriate.", "C01"),
        ("The Trust should ensure that fetal monitoring is in line with guidance.", "C01"),
        ("Fetal monitoring was appropriate until 03:00, after which auscultation ceased.", "C01"),
        ("There was no evidence of carbon monoxide testing.", "C04"),
        ("No interpreter was used.", "S10"),
        ("Escalation was prompt, but the CTG had been misread.", "C01"),
    ],
)
def test_a_problem_said_beside_praise_or_absence_stays(text, expected):
    assert expected in themes(text)


def test_only_the_assured_clause_is_silenced():
    found = themes("Although escalation to the consultant was timely, transfer to theatre was delayed.")
    assert "C07" in found
    assert "S02" not in found


@pytest.mark.parametrize(
    ("text", "not_expected"),
    [
        ("A locum doctor had no local induction.", "C07"),
        ("The mother lacked capacity to decide.", "S06"),
        ("Errors in interpreting the CTG.", "S10"),
        ("An intraventricular haemorrhage was seen.", "C15"),
        ("Blood cultures were not taken.", "S08"),
    ],
)
def test_words_of_two_meanings(text, not_expected):
    assert not_expected not in themes(text)


def test_effective_text_keeps_offsets():
    text = "The CTG was normal. Nobody called for help."
    reading = read(text, default_lexicon())
    assert len(reading.effective) == len(text)
    assert "ctg" not in reading.effective
    assert reading.effective.endswith("nobody called for help.")


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("The midwife followed the plan in line with NICE guidance and transferred her.", "S05"),
        ("Staff should keep records such as the partogram, the fluid chart and the drug chart.", "C01"),
        ("Women should be offered a debrief (RCOG guideline 41).", "S05"),
        ("The service must plan capacity across triage, theatres and the neonatal unit.", "S12"),
        ("Nobody read the Safer Birth Choices Guidance.", "S09"),
    ],
)
def test_background_is_no_evidence_by_itself(text, theme):
    assert theme not in themes(text)


@pytest.mark.parametrize(
    "text",
    [
        "Search terms were labour, induction and shoulder dystocia.",
        "See chapter 4 for advice on escalation and handover.",
        "Data on preterm birth were taken from hospital records.",
        "This guideline covers fetal monitoring in labour.",
        "The evidence for induction was found by a systematic review of trials.",
    ],
)
def test_what_a_document_says_of_itself_is_no_finding(text):
    assert themes(text) == set()


def test_a_document_with_a_fault_is_a_finding():
    assert "S05" in themes("The guideline is unclear about when to stop the drip.")


@pytest.mark.parametrize(
    ("text", "theme", "speaks"),
    [
        ("There were two theatres.", "S13", False),
        ("A second theatre should be available at all times.", "S13", True),
        ("Good leadership matters.", "S08", False),
        ("Leadership on the ward was weak.", "S08", True),
        ("An ambulance brought her in at noon.", "S17", False),
        ("The ambulance did not come for an hour.", "S17", True),
        ("Provide leadership on every shift.", "S08", True),
    ],
)
def test_a_topic_speaks_where_its_clause_asks_or_fails(text, theme, speaks):
    assert (theme in themes(text)) is speaks


def test_the_verb_that_opens_a_sentence_asks_but_not_elsewhere():
    assert "S08" in themes("1. Provide leadership on every shift.")
    assert "S08" not in themes("They provide leadership on every shift.")


def test_a_list_shares_its_stem():
    found = themes("Poor communication, late escalation and ineffective teamwork were common.")
    assert {"S02", "S04", "S08"} <= found


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("The sphincter injury was not recognised before she went home.", "C21"),
        ("Umbilical cord prolapse followed rupture of the membranes and was noticed late.", "C22"),
        ("She booked late and nobody followed this up.", "S15"),
        ("Children's social care was not informed about the domestic abuse.", "S16"),
        ("The ambulance was delayed by an hour.", "S17"),
        ("There was no multidisciplinary planning for her birth.", "S18"),
    ],
)
def test_subjects_that_are_new_in_1_1(text, theme):
    assert theme in themes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("For women with epilepsy, provide information about contraception.", "S09"),
        ("If the wait exceeds fifteen minutes, review how women are triaged.", "S12"),
        ("Women are told the blood pressure target. Provide information about side effects.", "S09"),
    ],
)
def test_a_verb_asks_after_the_opening_part_of_its_sentence_too(text, expected):
    assert expected in themes(text)


def test_a_verb_in_the_middle_of_a_sentence_does_not_ask():
    assert "S09" not in themes("The leaflets, which provide information on diet, were reprinted.")


def test_issues_such_as_introduces_what_failed():
    assert {"S06", "S13"} <= themes("Inspectors named problems such as low staffing levels and a poor estate.")
    assert "S06" not in themes("Units differ in size, such as those with low staffing levels.")


def test_a_clause_that_takes_up_the_one_before_says_that_it_failed():
    assert "C17" in themes("Blood pressure was due at four o'clock, but this was not done.")
    assert "C17" not in themes("Blood pressure was due at four o'clock, and tea was served.")


@pytest.mark.parametrize(
    "text",
    [
        "A total of 31 births were referred to the regional programme.",
        "Data is collected weekly from trusts; it includes data on inductions that are delayed.",
        "There is little evidence to support this test for gestational diabetes.",
        "We would like to thank the midwives who developed this guideline.",
        "Midwives should access, read, understand and follow this guideline.",
    ],
)
def test_counts_methods_and_thanks_are_no_findings(text):
    assert themes(text) == set()


def test_what_has_been_excluded_denies_nothing_after_it():
    assert "C07" in themes("Once pre-eclampsia has been excluded, induction of labour should be offered within a week.")


@pytest.mark.parametrize(
    ("text", "not_expected"),
    [
        ("A weekly review of the staff rota should be undertaken.", "S03"),
        ("Test strips and a meter should be offered.", "S13"),
        ("A mother with mastitis should be treated with oral antibiotics.", "S09"),
        ("Two women were discharged prematurely since no bed was free.", "C05"),
        ("Variation between trusts in how callers are triaged was wide.", "S05"),
        ("The divisional manager should have escalated the backlog of complaints to the executive.", "S02"),
    ],
)
def test_a_loose_phrase_is_held_to_its_object(text, not_expected):
    assert not_expected not in themes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The community staff who know her should be told about the transfer.", "S04"),
        ("Counselling and other support should be offered to midwives.", "S08"),
        ("Reviews by a senior doctor were not carried out.", "S03"),
        ("Managers withheld the truth from two families.", "C20"),
    ],
)
def test_everyday_wordings_of_a_theme(text, expected):
    assert expected in themes(text)
