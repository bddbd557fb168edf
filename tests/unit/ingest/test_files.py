"""Incoming files: what may come in, what it is, and its table as UTF-8 CSV."""

import csv
import datetime as dt
import io
import os
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.land.csv_text import CsvInfo
from ingest.land.normalise import normalise_to_utf8_csv
from ingest.land.sniff import Kind, sniff
from ingest.land.workbooks import check_workbook
from ingest.land.zips import Limits, check_archive
from perinatal.dropped_files import Unusable, check_incoming, checked_name, stable_files

TABLE = "Code,Name,Rate\nRAA,Queen's,2.70%\nRBB,Café Royal,1.5\n"
RELEASES = Path(__file__).parents[4] / "shared/releases"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def normalise(path: Path, **options: str) -> tuple[CsvInfo, str]:
    out = path.parent / "out.csv"
    info = normalise_to_utf8_csv(path, out, **options)  # type: ignore[arg-type]
    return info, out.read_text(encoding="utf-8")


def put(folder: Path, content: bytes | str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, **options: object) -> Unusable:
    out = path.parent / "out.csv"
    with pytest.raises(Unusable) as caught:
        normalise_to_utf8_csv(path, out, **options)  # type: ignore[arg-type]
    assert not out.exists()
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(path.name) or path.suffix == ".zip"
    return caught.value


def attempt(path: Path, out: Path) -> CsvInfo | None:
    """Return what was found; None where the file was refused in the proper way."""
    try:
        return normalise_to_utf8_csv(path, out)
    except Unusable:
        return None


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


# --- may it come in? --------------------------------------------------------------------------------------


def test_files_count_as_stable_only_when_nothing_changes(tmp_path: Path) -> None:
    names = ("whole.csv", "grows.csv", "gone.csv", "a.csv.part", "b.crdownload", ".hidden", "~$open.xlsx")
    paths = [put(tmp_path, "a,b\n", name) for name in names]
    stop, writing = threading.Event(), threading.Event()

    def write() -> None:
        paths[2].unlink()
        while not stop.wait(0.02):
            with paths[1].open("a") as handle:
                handle.write("1,2\n")
            writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait()
    stable = stable_files(paths, 0.15)
    stop.set()
    writer.join()
    assert stable == [paths[0]]
    assert stable_files([], 60) == []


@pytest.mark.parametrize(
    "name",
    ["../x.csv", "a/../../x.csv", "/etc/passwd", "..", "", "C:\\x.csv", "\\\\host\\x.csv", "a\\..\\b", "a\nb.csv",
     "a\0b", "\u202egpj.csv", "\udcff.csv", "x" * 300],
)  # fmt: skip
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(Unusable) as caught:
        checked_name(name)
    assert caught.value.reason == "unsafe_name"
    assert str(caught.value).isprintable()


def test_names_of_publishers_are_kept() -> None:
    for name in ("hosp-epis-stat-mat-msdscsv-2019-20.csv", "Café (final) v1..2.csv", "a/b.csv", "[Content_Types].xml"):
        assert checked_name(name) == name


def test_only_plain_files_come_in(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "folder").mkdir(parents=True)
    check_incoming(put(inbox, TABLE), inbox)
    (inbox / "link.csv").symlink_to("/etc/passwd")
    os.mkfifo(inbox / "pipe.csv")
    put(tmp_path, TABLE, "outside.csv")
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "elsewhere", TABLE)
    (inbox / "linked").symlink_to(tmp_path / "elsewhere")
    refused = {}
    for name in ("link.csv", "pipe.csv", "folder", "../outside.csv", "linked/data.csv"):
        with pytest.raises(Unusable) as caught:
            check_incoming(inbox / name, inbox)
        refused[name] = caught.value.reason
    with pytest.raises(Unusable) as caught:
        check_incoming(tmp_path / "outside.csv", inbox)
    assert list(refused.values()) == ["link", "not_a_file", "not_a_file", "unsafe_name", "link"]
    assert caught.value.reason == "outside"


# --- what is it? ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (TABLE, Kind.CSV),
        ("\ufeff" + TABLE, Kind.CSV),
        (TABLE.encode("utf-16"), Kind.CSV),
        (b"Organisation\xa0name,x\n1,2\n", Kind.CSV),
        ("", Kind.EMPTY),
        ("\ufeff \r\n\r\n", Kind.EMPTY),
        ("<!DOCTYPE html><p>", Kind.HTML),
        ("\ufeff\n<?xml version='1.0'?>\n<!-- c --><HTML>", Kind.HTML),
        ("<!---->" * 5000 + "<x>", Kind.XML),
        ("<?xml version='1.0'?><feed/>", Kind.XML),
        ('{"a": 1}', Kind.JSON),
        ('[{"a": 1}]', Kind.JSON),
        ("%PDF-1.7", Kind.PDF),
        (b"\x1f\x8b\x08", Kind.GZIP),
        (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
        (b"\x89PNG\r\n", Kind.IMAGE),
        (b"\x7fELF\x02", Kind.PROGRAM),
        (bytes(range(256)) * 4, Kind.BINARY),
        (OLE + "Workbook".encode("utf-16-le"), Kind.XLS),
        (OLE + "EncryptedPackage".encode("utf-16-le"), Kind.ENCRYPTED),
        (OLE + "WordDocument".encode("utf-16-le"), Kind.BINARY),
        (b"PK\x03\x04 broken", Kind.ZIP),
    ],
)
def test_kinds_are_told_by_bytes(tmp_path: Path, content: bytes | str, kind: Kind) -> None:
    assert sniff(put(tmp_path, content, "name.csv")) is kind


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        ("", "empty", "is empty"),
        (" \n\n", "empty", "is empty"),
        ("<html><head><title> Sign\n in </title></head></html>", "html", "a web page titled 'Sign in'"),
        ("<html><body>", "html", "a web page, not a table"),
        ("%PDF-1.7", "not_a_table", "a PDF document"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "without a password"),
        ('a,b\n1,"2\n3,4\n', "truncated", "line 3: the file ends inside quotes"),
        ("a,b,c\n1,2,3\n4,5", "truncated", "line 3: the file breaks off"),
        ('a,b\n1,"2"3\n', "bad_quotes", "line 2: quotes are not well formed"),
        ("a,b\n1," + "x" * 200_000 + "\n", "huge_cell", "line 2: a cell is longer than 131,072"),
        ("a,b\n" + "1,2\n" * 40_000 + "\0,2\n", "binary", "line 40002: holds a NUL"),
        (TABLE.encode("utf-16") + b"\x00", "damaged_text", "is not utf-16"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, content: bytes | str, reason: str, words: str) -> None:
    error = refusal(put(tmp_path, content))
    assert (error.reason, words in str(error)) == (reason, True), str(error)


# --- CSV --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, codec: str, ends: str) -> None:
    info, text = normalise(put(tmp_path, TABLE.replace("\n", ends).encode(codec)))
    assert text == TABLE
    assert (info.kind, info.rows, info.columns) == (Kind.CSV, 2, ("Code", "Name", "Rate"))
    assert info.encoding == ("utf-8 with windows-1252 bytes" if codec == "cp1252" else codec.removesuffix("-sig"))
    assert info.odd_bytes == (codec == "cp1252")


def test_bare_bytes_amid_utf8_are_read_as_windows_1252(tmp_path: Path) -> None:
    info, text = normalise(put(tmp_path, b"n,r\nSt\xa0Mary,\xc2\xa31\nCaf\xc3\xa9 \x93x\x94 \x81,2\n"))
    assert text == "n,r\nSt\u00a0Mary,£1\nCafé “x” \x81,2\n"
    assert info.odd_bytes == 4


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters(tmp_path: Path, delimiter: str) -> None:
    info, text = normalise(put(tmp_path, f'"a,1"{delimiter}b\n1{delimiter}"2{delimiter}3"\n'))
    assert info.columns == ("a,1", "b")
    assert next(csv.reader(text.splitlines()[1:])) == ["1", f"2{delimiter}3"]


def test_cells_stay_as_they_are(tmp_path: Path) -> None:
    content = 'a,b\n" x ","say ""hi"""\n007,2.70%\n=1+1,"two\r\nlines"\n\n,\n'
    info, text = normalise(put(tmp_path, content))
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b"], [" x ", 'say "hi"'], ["007", "2.70%"], ["=1+1", "two\nlines"], [], ["", ""],
    ]  # fmt: skip
    assert info.rows == 3


def test_ragged_rows_are_kept_and_counted(tmp_path: Path) -> None:
    info, text = normalise(put(tmp_path, "a,b\n1\n1,2,3\n1,2\n1"))
    assert (info.rows, info.short_rows, info.long_rows) == (4, 2, 1)
    assert text == "a,b\n1\n1,2,3\n1,2\n1\n"


def test_the_hash_is_of_the_content_not_of_its_encoding(tmp_path: Path) -> None:
    first, _ = normalise(put(tmp_path, TABLE))
    second, _ = normalise(put(tmp_path, TABLE.replace("\n", "\r\n").encode("utf-16")))
    assert first.sha256 == second.sha256


def test_large_csv_takes_little_memory(tmp_path: Path) -> None:
    path = put(tmp_path, "a,b\n" + "some text,1234.5\n" * 600_000)
    tracemalloc.start()
    info, _ = normalise_to_utf8_csv(path, tmp_path / "out.csv"), None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert info.rows == 600_000
    assert peak < 4 << 20


def test_a_line_without_end_is_refused_before_it_fills_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.land.csv_text.LINE_LIMIT", 1000)
    assert refusal(put(tmp_path, "a," * 2000)).reason == "huge_line"


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=12)
tables = st.lists(st.lists(cells, min_size=2, max_size=5), min_size=1, max_size=8)


@QUICK
@given(tables, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), st.sampled_from(["\n", "\r\n"]))
def test_any_table_comes_through(tmp_path: Path, rows: list[list[str]], codec: str, ends: str) -> None:
    rows = [["Code", "Name"], *rows]
    made = io.StringIO()
    csv.writer(made, lineterminator=ends, quoting=csv.QUOTE_ALL).writerows(rows)
    _, text = normalise(put(tmp_path, made.getvalue().encode(codec)))
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@QUICK
@given(st.data())
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((TABLE * 30).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        junk = data.draw(st.binary(max_size=8) | st.sampled_from([b'"', b'""', b"\0", b"\xa0", b",,,", b"\r"]))
        content[place : place + data.draw(st.integers(0, 40))] = junk
    del content[data.draw(st.integers(1, len(content))) :]
    path, out = put(tmp_path, bytes(content)), tmp_path / "out.csv"
    info = attempt(path, out)
    if info is None:
        assert not out.exists()
        return
    written = [row for row in csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline="")) if any(row)]
    assert len(written) == info.rows + 1


@QUICK
@given(st.binary(max_size=300))
def test_noise_is_read_or_refused(tmp_path: Path, noise: bytes) -> None:
    info, out = attempt(put(tmp_path, noise), tmp_path / "noise.csv"), tmp_path / "noise.csv"
    assert out.exists() == (info is not None)
    out.unlink(missing_ok=True)


@pytest.mark.parametrize("path", sorted(RELEASES.glob("*/*.csv")) or [None], ids=lambda path: path and path.name)
def test_real_releases_are_read(path: Path | None, tmp_path: Path) -> None:
    if path is None:
        pytest.skip("the real releases are not beside the project")
    if path.stat().st_size > 3 << 20:
        pytest.skip("large; read by the acceptance tests")
    info = normalise_to_utf8_csv(path, tmp_path / "out.csv")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        assert info.rows == sum(any(row) for row in csv.reader(handle)) - 1
    assert (info.short_rows > 0) == ("ragged" in path.name)


# --- zips -------------------------------------------------------------------------------------------------


def test_a_zip_with_one_table(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", folder__data_dot_csv=TABLE.encode())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._data.csv", b"junk")
    info, text = normalise(path, member=r"folder/data\.csv")
    assert (info.member, info.kind, text) == ("folder/data.csv", Kind.CSV, TABLE)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out.csv", "x.zip"]


def test_several_members_must_be_chosen_from(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", a_dot_csv=TABLE.encode(), b_dot_csv=TABLE.encode())
    error = refusal(path)
    assert error.reason == "which_member"
    assert str(error).endswith("it is not said which of 2; there are: a.csv, b.csv")
    assert refusal(path, member="c.*").reason == "which_member"
    assert normalise(path, member=r"b\.csv")[0].member == "b.csv"


def test_dangerous_zips_are_refused(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", a_dot_csv=bytes(64 << 20))
    assert refusal(bomb).reason == "zip_bomb"
    assert refusal(zipped(tmp_path / "s.zip", a=b"1,2\n"), limits=Limits(expanded=3)).reason == "zip_bomb"
    many = zipped(tmp_path / "many.zip", **{f"m{i}": b"" for i in range(20)})
    assert refusal(many, limits=Limits(members=10)).reason == "zip_bomb"
    inner = zipped(tmp_path / "inner.zip", a_dot_csv=TABLE.encode()).read_bytes()
    assert refusal(zipped(tmp_path / "outer.zip", inner_dot_zip=inner)).reason == "nested_archive"
    assert refusal(zipped(tmp_path / "up.zip", **{"..__up_dot_csv": b"1"})).reason == "unsafe_name"
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(tmp_path / "link.zip").reason == "link"


def test_damaged_and_encrypted_zips_are_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", a_dot_csv=TABLE.encode() * 50).read_bytes()
    assert refusal(put(tmp_path, whole[:-30], "cut.zip")).reason == "damaged"
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    assert refusal(put(tmp_path, bytes(flipped), "flipped.zip")).reason == "damaged"
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(put(tmp_path, bytes(locked), "locked.zip")).reason == "encrypted"
    lying = bytearray(whole)
    place = whole.index(b"PK\x01\x02") + 24
    lying[place : place + 4] = (10).to_bytes(4, "little")  # declares 10 bytes: no more may come out
    assert refusal(put(tmp_path, bytes(lying), "lying.zip")).reason == "damaged"
    twice = zipped(tmp_path / "two.zip", a=b"1", b=b"2").read_bytes()
    put(tmp_path, twice.replace(b"b", b"a"), "two.zip")
    with pytest.raises(Unusable, match="two files of the same name"):
        check_archive(tmp_path / "two.zip")


# --- workbooks --------------------------------------------------------------------------------------------


def test_workbook_cells_read_as_people_see_them(tmp_path: Path) -> None:
    moment = dt.datetime(2025, 2, 28, 1, 2, 3)
    rows: list[list[object]] = [
        ["code", "n", "x"],
        ["RAA", 37425.0, 0.1 + 0.2],
        [dt.date(2025, 2, 28), moment.replace(hour=0, minute=0, second=0), True],
        ["07-Oct", "a\r\nb", -0.5],
    ]
    info, text = normalise(workbook(tmp_path / "x.xlsx", Data=rows, Empty=[]))
    assert (info.kind, info.sheet, info.rows) == (Kind.XLSX, "Data", 3)
    assert list(csv.reader(io.StringIO(text))) == [
        ["code", "n", "x"],
        ["RAA", "37425", "0.3"],
        ["2025-02-28", "2025-02-28", "TRUE"],
        ["07-Oct", "a\nb", "-0.5"],
    ]


def test_sheets_must_be_chosen_from(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", Cover=[["Notes"]], Table=[["a"], [1]])
    error = refusal(path)
    assert error.reason == "which_sheet"
    assert "there are: Cover, Table" in str(error)
    assert normalise(path, sheet="table")[1] == "a\n1\n"
    assert refusal(path, sheet="None").reason == "which_sheet"
    assert refusal(workbook(tmp_path / "empty.xlsx", Only=[])).reason == "empty"


def test_a_workbook_in_a_zip_under_any_name(tmp_path: Path) -> None:
    inner = workbook(tmp_path / "x.xlsx", Data=[["a"], [1]]).read_bytes()
    path = zipped(tmp_path / "x.zip", data_dot_csv=inner)
    info, text = normalise(path)
    assert (info.kind, info.member, info.sheet, text) == (Kind.XLSX, "data.csv", "Data", "a\n1\n")


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>h</text:p>'
    '</table:table-cell></table:table-row><table:table-row><table:table-cell office:value-type="float" '
    'office:value="12"><text:p>12</text:p></table:table-cell></table:table-row></table:table>{extra}'
    "</office:spreadsheet></office:body></office:document-content>"
)


def ods(path: Path, extra: str = "", **members: bytes) -> Path:
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    manifest = b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    content = ODS.format(extra=extra).encode()
    return zipped(path, mimetype=kind, content_dot_xml=content, **{"META-INF__manifest_dot_xml": manifest}, **members)


def test_an_ods_is_read_and_its_dangers_refused(tmp_path: Path) -> None:
    info, text = normalise(ods(tmp_path / "x.ods"))
    assert (info.kind, text) == (Kind.ODS, "h\n12\n")
    far = " " * (1 << 17) + "<table:table-source/>"
    assert refusal(ods(tmp_path / "linked.ods", far)).reason == "external_links"
    assert refusal(ods(tmp_path / "macro.ods", Basic__script_dot_xml=b"x")).reason == "macros"


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("xl/externalLinks/externalLink1.xml", "external_links"),
        ("xl/connections.xml", "external_links"),
        ("xl/vbaProject.bin", "macros"),
        ("xl/macrosheets/sheet1.xml", "macros"),
    ],
)
def test_workbooks_with_macros_or_links_are_refused(tmp_path: Path, member: str, reason: str) -> None:
    path = workbook(tmp_path / "x.xlsx", Data=[["a"], [1]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, "x")
    assert refusal(path).reason == reason


def test_old_workbooks_with_macros_or_links_are_refused(tmp_path: Path) -> None:
    start = OLE + "Workbook".encode("utf-16-le") + bytes(500)
    check_workbook(put(tmp_path, start, "plain.xls"), Kind.XLS)
    supbook = b"\xae\x01\x20\x00\x01\x00\x0c\x00\x00\x01\x05C:\\other.xls"
    assert refusal(put(tmp_path, start + supbook, "linked.xls")).reason == "external_links"
    wide = b"\xae\x01\x20\x00\x01\x00\x0c\x00\x01\x01\x00" + "other.xls".encode("utf-16-le")
    assert refusal(put(tmp_path, start + wide, "wide.xls")).reason == "external_links"
    macros = "_VBA_PROJECT".encode("utf-16-le")
    assert refusal(put(tmp_path, start + macros, "macros.xls")).reason == "macros"
    assert refusal(put(tmp_path, start, "damaged.xls")).reason == "damaged"


def test_a_workbook_that_would_fill_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, 1)
        sheet.write(1_048_575, 16_383, 1)
    assert refusal(path).reason == "too_large"


def test_a_workbook_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", Data=[["a"]])
    assert refusal(path, limits=Limits(sheet_seconds=0)).reason == "too_large"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_workbooks_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(workbook(tmp_path / "x.xlsx", Data=[["a", "b"], [1, "x"]]).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(len(content) // 2, len(content))) :]
    info = attempt(put(tmp_path, bytes(content), "x.xlsx"), tmp_path / "out.csv")
    assert info is None or info.rows <= 1
