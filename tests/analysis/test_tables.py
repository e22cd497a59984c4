"""Files people bring: whatever their lines hold, rows come out or a sentence does."""

import csv
import io
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio.analysis import tables
from studio.analysis.example_rows import Columns, ExampleFile
from studio.analysis.tables import open_table, read_table
from studio.domain.task import Label, Task
from studio.errors import InputError


def rows(table):
    return [row for _, row in table.rows]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_a_line_of_json_ends_at_a_line_break_only(odd):
    text = f"one{odd}two"
    if odd < " ":
        lines = json.dumps({"text": text}) + "\n"
    else:
        lines = json.dumps({"text": text}, ensure_ascii=False) + "\n"
    table = read_table((lines * 2).encode(), "x.jsonl")
    assert rows(table) == [{"text": text}] * 2
    assert table.rejected == ()


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "1" * 5000 + "}"])
def test_a_line_json_gives_up_on_is_rejected_and_the_rest_read(line):
    table = read_table(f'{line}\n{{"text": "ok"}}\n'.encode(), "x.jsonl")
    assert rows(table) == [{"text": "ok"}]
    assert [number for number, _ in table.rejected] == [1]
    with pytest.raises(InputError):
        read_table(line.encode(), "x.json")


def test_lines_may_end_as_on_windows():
    table = read_table(b'{"text": "a"}\r\n{"text": "b"}\r\n', "x.jsonl")
    assert rows(table) == [{"text": "a"}, {"text": "b"}]


def test_columns_that_share_a_name_keep_their_cells():
    table = read_table(b"a,a_3,a\n1,2,3\n", "x.csv")
    assert list(rows(table)[0].values()) == ["1", "2", "3"]


def test_rows_without_a_column_have_no_text():
    assert read_table(b"[{}]", "x.json").guess("text") == ""


def test_a_table_file_holds_its_head_and_reads_the_rest_again_and_again(monkeypatch):
    monkeypatch.setattr(tables, "HEAD", 3)
    file = open_table(
        b"text,label\n" + b"hello,a\n" * 2 + b"x,y,z\n" + b'"two\nlines",b\n' * 5, "x.csv"
    )
    assert [line for line, _ in file.head.rows] == [2, 3, 5]
    assert file.head.rejected == ((4, "has 3 cells, the header 2"),)
    assert (file.lines, file.head.rest) == (14, 8)
    first, second = list(file.read()), list(file.read())
    assert first == second
    assert [line for line, _ in first] == [2, 3, 4, 5, 7, 9, 11, 13]


def test_a_file_that_is_all_head_has_no_rest(monkeypatch):
    monkeypatch.setattr(tables, "HEAD", 2)
    assert open_table(b"text\na\nb\n\n\n", "x.csv").head.rest == 0


def test_a_reading_given_up_leaves_the_file_open():
    data = io.BytesIO(b"text\na\nb\n")
    file = open_table(data, "x.csv")
    next(file.read())
    assert len(list(file.read())) == 2
    assert not data.closed


def test_a_key_that_only_later_lines_have_is_found(monkeypatch):
    monkeypatch.setattr(tables, "HEAD", 2)
    file = open_table(b'{"text": "a"}\n' * 5 + b'{"text": "b", "Gold": "x"}\n', "x.jsonl")
    assert file.head.columns == ("text",)
    assert file.column("gold", "label") == "Gold"
    with pytest.raises(InputError, match="no column 'silver' for the label"):
        file.column("silver", "label")


def test_a_pipe_is_read_too():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    assert len(list(open_table(Pipe(b"text\na\nb\n"), "x.csv").read())) == 2


cell = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
)


@given(
    st.lists(st.tuples(cell, cell), min_size=1, max_size=12),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.integers(1, 7),
)
def test_rows_are_those_of_the_csv_module_however_the_bytes_are_cut(rows, encoding, block):
    out = io.StringIO()
    csv.writer(out).writerows([("text", "more"), *rows])
    data = out.getvalue().encode(encoding)
    wanted = [list(row) for row in rows if any(c.strip() for c in row)]
    assume(wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK", block)
        read = list(open_table(data, "x.csv").read())
    assert [list(cells.values()) for _, cells in read] == wanted


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [b"", b"b"])
def test_lines_are_counted_whatever_ends_them(monkeypatch, end, last):
    monkeypatch.setattr(tables, "BLOCK", 4)
    file = open_table(b"text" + end + b"one" + end + b"a" + end + last, "x.csv")
    assert file.lines == 3 + len(last)
    assert len(list(file.read())) == 2 + len(last)


def test_what_is_no_utf_8_at_its_end_only_is_read_as_latin_from_its_start(monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 8)
    data = "text\n" + "Crème\n" * 3
    assert [c["text"] for _, c in open_table(data.encode("cp1252"), "x.csv").read()] == [
        "Crème"
    ] * 3


def test_parquet_is_read_in_pieces(monkeypatch):
    import pyarrow
    from pyarrow import parquet

    monkeypatch.setattr(tables, "BATCH", 2)
    out = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["a", "b", None], "n": [1, 2, 3]}), out)
    file = open_table(out.getvalue(), "x.parquet")
    wanted = [
        (1, {"text": "a", "n": "1"}),
        (2, {"text": "b", "n": "2"}),
        (3, {"text": "", "n": "3"}),
    ]
    assert (list(file.read()), file.lines) == (wanted, 3)


def test_damaged_parquet_says_where():
    import pyarrow
    from pyarrow import parquet

    out = io.BytesIO()
    rows = pyarrow.table({"text": [f"text {i}" for i in range(20_000)]})
    parquet.write_table(rows, out, row_group_size=10_000, compression="zstd", use_dictionary=False)
    place = parquet.ParquetFile(out).metadata.row_group(1).column(0).data_page_offset
    data = bytearray(out.getvalue())
    data[place : place + 3_000] = b"\xff" * 3_000
    with pytest.raises(InputError, match=r"damaged behind row [\d,]+\."):
        list(open_table(bytes(data), "x.parquet").read())


def test_a_column_of_the_labels_there_are_is_the_labels_column():
    table = read_table(b"nr,text,topic\n1,a,Spam\n2,b,\n3,c,late\n4,d,ham\n", "x.csv")
    assert table.guess("label") == ""
    assert table.guess("label", {"spam", "ham"}) == "topic"
    assert table.guess("label", {"late"}) == ""  # most of the column says something else
    assert read_table(b"label,topic\nx,ham\n", "x.csv").guess("label", {"ham"}) == "label"


def test_a_rejected_label_is_told_how_many_labels_there_are():
    names = [f"l{i}" for i in range(1, 13)]
    labels = [Label(id=i, name=name, definition="", position=i) for i, name in enumerate(names)]
    task = Task(id=1, name="t", labels=tuple(labels))
    file = open_table(io.BytesIO(b"text,label\na,late\n"), "x.csv")
    refused: list[tuple[int, str]] = []
    assert list(ExampleFile(task, file, Columns(label="label"), "x.csv").rows(refused)) == []
    known = "l1, l2, l3, l4, l5, l6, l7, l8 and 4 more"
    assert refused == [(2, f"the label 'late' is not one of {known}")]
