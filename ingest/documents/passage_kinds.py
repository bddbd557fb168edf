"""Which passages of a report are findings, recommendations or themes: the rules of `passages.yml`."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator

from ingest.documents.passages import Passage
from ingest.registry import TEMPLATES_DIR
from perinatal.records import Record
from perinatal.yaml_records import read_yaml

RULES: Final = TEMPLATES_DIR / "findings" / "passages.yml"


def _pattern(text: object) -> re.Pattern[str]:
    """Return a regular expression that does not mind case. Raises ValueError where it is none."""
    try:
        return re.compile(str(text), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"expected a regular expression ({error})") from None


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]


class Rule(Record):
    """One rule of passages.yml: `words` are looked for in the text, `headings` in each heading."""

    kind: Literal["finding", "recommendation", "theme", "none"]
    words: Pattern | None = None
    headings: Pattern | None = None


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules, the first that fits decides."""
    return tuple(read_yaml(RULES, list[Rule]))


def kind_of(passage: Passage) -> str | None:
    """Return theme, recommendation or finding; None for a passage that is none. Lead-ins are none."""
    if passage.text.endswith(":"):
        return None
    for rule in rules():
        if rule.words and rule.words.search(passage.text):
            return rule.kind
    for heading in reversed(passage.headings):
        for rule in rules():
            if rule.headings and rule.headings.search(heading):
                return None if rule.kind == "none" else rule.kind
    return None
