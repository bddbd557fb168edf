import pytest

from insights.lexicon import normalise, sentence_spans
from insights.patterns import PatternError, compile_part, expand, parse


def found(pattern: str, text: str) -> str | None:
    (alternatives,) = parse(expand(pattern, {"fail": "not|fail*"}))
    part = compile_part(alternatives)
    for start in range(len(text)):
        match = part.match(text, start)
        if match:
            return match.group()
    return None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("delay*", "a delayed birth", "delayed"),
        ("fetal heart", "the fetal heart rate", "fetal heart"),
        ("fetal heart", "the foetal heart rate", "foetal heart"),
        ("pre eclampsia", "severe pre-eclampsia", "pre-eclampsia"),
        ("delay* ~3 birth", "delay in the birth", "delay in the birth"),
        ("delay* ~1 birth", "delay in the early birth", None),
        ("(second|only) theatre?", "the second was full", "second"),
        ("(abdominal)? palpation", "a palpation", "palpation"),
        ("baby", "the baby's heart", "baby's"),
        ("delay* ~3 birth", "delay. birth", None),
        ("<fail> ~1 act", "failed to act", "failed to act"),
        ("records ~~2 <fail>", "records were not kept", "records were not"),
        ("records ~~2 <fail>", "not all records", "not all records"),
        ("records ~~2 <fail>", "not one of all the records", None),
    ],
)
def test_pattern_language(pattern, text, expected):
    assert found(pattern, text) == expected


@pytest.mark.parametrize("pattern", ["(a|b", "", "a | ", "rx*", "a+b", "a?"])
def test_unreadable_patterns_are_refused(pattern):
    with pytest.raises(PatternError):
        [compile_part(part) for part in parse(pattern)]


def test_normalising_keeps_offsets():
    text = "The baby’s HEART İ rate"
    assert len(normalise(text)) == len(text)
    assert "baby's heart" in normalise(text)


def test_sentences_cover_the_text():
    text = "One. Two 4.5 kg! Three"
    spans = sentence_spans(text)
    assert "".join(text[a:b] for a, b in spans) == text
    assert len(spans) == 3


def test_an_unknown_word_class_is_refused():
    with pytest.raises(PatternError, match="unknown word class fial"):
        expand("<fial> ~1 act", {"fail": "not"})
