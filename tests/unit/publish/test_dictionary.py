"""The data dictionary is dbt's own YAML: anchors resolved, grains as keys, builder's tables too."""

from pathlib import Path

import pytest

from perinatal.errors import PerinatalError
from publish import dictionary


def test_anchored_columns_have_their_meaning() -> None:
    table = dictionary.table("trust_indicator")
    assert table.meaning("usage_warnings").startswith("What to mind")
    assert table.key == (
        "source_id",
        "indicator_id",
        "period_start",
        "period_end",
        "breakdown",
        "breakdown_value",
        "trust_code",
    )


def test_quoted_columns_are_named_plainly() -> None:
    assert "group" in dictionary.table("inequality").key
    assert dictionary.table("inequality").meaning("group")


def test_tables_of_the_builder_and_seeds_are_there() -> None:
    assert dictionary.table("edition_change").meaning("reason")
    assert dictionary.table("usage_warning").description
    assert dictionary.table("dim_release").key == ("release_key",)


def test_what_nobody_described_is_empty_not_an_error() -> None:
    assert dictionary.table("nothing") == dictionary.Table("nothing", "")


def test_a_file_of_another_shape_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.yml").write_text("models: [{description: it has no name}]\n")
    monkeypatch.setattr(dictionary, "FOLDERS", (tmp_path,))
    with pytest.raises(PerinatalError, match=r"wrong\.yml: models\.0\.name: Field required"):
        dictionary.tables.__wrapped__()
