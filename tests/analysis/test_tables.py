"""Files people bring: whatever their lines hold, rows come out or a sentence does."""

import json

import pytest

from studio.analysis.tables import read_table
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
