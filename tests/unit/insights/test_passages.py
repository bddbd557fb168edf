import io
import json
from pathlib import Path

import pytest

from insights.coding import train
from insights.evaluate import main
from insights.passages import evaluate_passages, load_passages
from perinatal.errors import PerinatalError

HEADER = "finding_id,source,text,themes_a,themes_b\n"
REAL = Path(__file__).parents[4] / "shared/findings/real_dev.csv"


def write(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def coder():
    return train()


def test_either_coder_counts_as_right_and_no_miss(tmp_path, coder):
    """One coder alone gave S10, which is found, and C18, which is not."""
    path = write(tmp_path / "p.csv", "1,s,No interpreter was booked.,S10,C18", "2,s,She was 32 years old.,,")
    report = evaluate_passages(load_passages(path), coder)
    value = {name: (way.micro_precision.value, way.micro_recall.value) for name, way in report.ways.items()}
    assert value["either coder"] == (1, 1)
    assert value["coder a"] == (1, 1)
    assert value["coder b"] == (0, 0)
    assert (report.passages, report.empty, report.empty_with_theme) == (2, 1, 0)


def test_newer_themes_are_counted_and_not_measured(tmp_path, coder):
    path = write(tmp_path / "p.csv", "1,s,Domestic abuse was not asked about.,,")
    report = evaluate_passages(load_passages(path), coder)
    assert report.new_themes["S16"] == 1
    assert report.empty_with_theme == 0
    assert "S16" not in {theme.theme_id for theme in report.themes}


def test_macro_is_over_themes_with_four_passages(tmp_path, coder):
    rows = [f'{n},s,"No interpreter was booked in case {n}.",S10,S10' for n in range(4)]
    path = write(tmp_path / "p.csv", *rows, "9,s,The ward was closed.,C12,C12")
    report = evaluate_passages(load_passages(path), coder)
    assert report.macro_themes == 1
    assert report.ways["either coder"].macro_f1.value == 1
    assert report.ways["either coder"].micro_f1.value < 1


def test_printed_and_json(tmp_path):
    path = write(tmp_path / "p.csv", "1,s,No interpreter was booked.,S10,S10", "2,s,She was 32 years old.,,")
    out = io.StringIO()
    main(out, labels=path)
    assert "S10 Language and interpreter" in out.getvalue()
    assert "Passages without a theme that got one: 0 of 1 (0%)." in out.getvalue()
    out = io.StringIO()
    main(out, json=True, labels=path)
    document = json.loads(out.getvalue())
    assert document["ways"]["either coder"]["micro_f1"]["value"] == 1
    assert set(document["ways"]) == {"either coder", "coder a", "coder b", "rules only"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,s,t,C77,"], "line 2: unknown theme C77"),
        (["1,s,t,,", "1,s,u,,"], "line 3: finding_id '1' comes twice"),
        ([], "no passage"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path, rows, message):
    with pytest.raises(PerinatalError, match=message):
        load_passages(write(tmp_path / "p.csv", *rows))


def test_target_on_real_passages(coder):
    if not REAL.is_file():
        pytest.skip(f"{REAL} is not here: passages are their publishers' and never part of the project")
    report = evaluate_passages(load_passages(REAL), coder)
    assert report.ways["either coder"].micro_f1.value >= 0.78
    assert report.empty_with_theme <= 0.1 * report.empty
