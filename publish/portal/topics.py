"""What an indicator is about: an outcome, a part of care, how well it is recorded, or who the women and babies are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

OUTCOME, PROCESS, SETTING, RECORDING = "outcome", "process", "setting", "recording"


@dataclass(frozen=True)
class Topic:
    """A kind of indicator and its topic in the words of a maternity service."""

    kind: str
    name: str


# the first pattern that fits an indicator's whole id; pages show topics in this order within a kind
TOPICS: tuple[tuple[Topic, str], ...] = (
    (
        Topic(RECORDING, "Recording"),
        r"msds_(cqimdq|coc_dq)\d*|msds_(bmi|setting)_dq|msds_bmi_not_recorded|msds_setting_unknown",
    ),
    (
        Topic(OUTCOME, "Deaths"),
        r"(stillbirth|neonatal_mortality|extended_perinatal|infant_mortality|maternal_death).*|nnap_mortality"
        r"|ebc_\w*(deaths|stillbirths)",
    ),
    (Topic(OUTCOME, "Harm to mothers"), r"pph_.*|third_fourth.*|.*readmissions.*"),
    (
        Topic(OUTCOME, "Harm to babies"),
        r".*apgar.*|(term|neonatal)_admission.*|.*brain_injur.*|nnap_(bloodstream|bpd|necrotising).*|ebc_.*",
    ),
    (
        Topic(OUTCOME, "Preterm and small babies"),
        r"preterm.*|low_birth_weight.*|sga_born.*|msds_(birthweight|gestation)_.*|msds_sbl_element[25]_outcome.*",
    ),
    (Topic(OUTCOME, "Feeding"), r".*breast_?(milk|feeding).*"),
    (Topic(PROCESS, "Stopping smoking"), r"msds_smokefree.*|msds_sbl_element1_process.*|msds_co_.*"),
    (Topic(OUTCOME, "Smoking"), r".*smoking.*"),
    (Topic(OUTCOME, "What women say"), r"cqc_.*"),
    (Topic(PROCESS, "First hour after birth"), r".*skin_to_skin.*"),
    (Topic(PROCESS, "Fetal growth and movements"), r"msds_sbl_element[23]_process.*"),
    (
        Topic(PROCESS, "How babies are born"),
        r"induction.*|.*caesarean.*|msds_mode_.*|.*robson.*|.*vbac|vaginal_birth.*|instrumental.*|episiotomy"
        r"|msds_spontaneous_birth.*|.*onset_of_labour.*|msds_(delivery_)?method.*",
    ),
    (Topic(PROCESS, "Where babies are born"), r"msds_(setting|transfer|place)_.*"),
    (
        Topic(PROCESS, "Continuity of Carer and personal care plans"),
        r".*continuity_of_carer.*|msds_(coc|ccp|pcp)_.*|one_to_one_care.*",
    ),
    (Topic(PROCESS, "Neonatal care"), r"nnap_.*"),
    (
        Topic(SETTING, "Women and babies cared for"),
        r"msds_(total|age|bmi|safeguarding|complex|previous|ethnic|deprivation|folic|employment)_.*",
    ),
    (Topic(SETTING, "Children in the area"), r"fingertips_\d+"),
    (Topic(PROCESS, "Care in pregnancy"), r"msds_.*"),
    (Topic(PROCESS, "Safety, reviews and staffing"), r".*"),
)
ORDER = {topic: place for place, (topic, _) in enumerate(TOPICS)}
_PATTERNS = tuple((topic, re.compile(pattern)) for topic, pattern in TOPICS)


@cache
def topic_of(indicator_id: str) -> Topic:
    """Return what an indicator is about."""
    return next(topic for topic, pattern in _PATTERNS if pattern.fullmatch(indicator_id))
