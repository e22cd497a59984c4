"""Reads the files people bring: CSV, TSV, JSON lines and Parquet, as rows of text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from studio.errors import InputError

MAX_CELL = 131_072
_TEXT_NAMES = ("text", "sentence", "message", "comment", "content", "body", "description", "prompt")
_LABEL_NAMES = ("label", "gold", "class", "category", "target", "completion")
_UNREADABLE = (ValueError, RecursionError)
_ID_NAMES = ("id", "external_id", "uuid", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file as rows of text.

    Attributes:
        columns: Their names, in order; unnamed ones are called column_1, column_2, …
        rows: (line number in the file, {column: cell}); a missing cell is "".
        rejected: (line number, reason) of rows that could not be read.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    rejected: tuple[tuple[int, str], ...] = ()

    def column(self, name: str, what: str) -> str:
        """Return the column of this name, case ignored.

        Raises:
            InputError: If there is none; `what` says what it was to hold.
        """
        for column in self.columns:
            if column.casefold() == name.casefold():
                return column
        raise InputError(
            f"The file has no column {name!r} for the {what}.",
            next_step=f"Its columns are {', '.join(map(repr, self.columns[:12]))}.",
        )

    def guess(self, what: str) -> str:
        """Return the column that probably holds the text, label or id; "" when none does."""
        wanted = {"text": _TEXT_NAMES, "label": _LABEL_NAMES, "id": _ID_NAMES}[what]
        by_name = {column.casefold(): column for column in self.columns}
        for name in wanted:
            if name in by_name:
                return by_name[name]
        if what == "text" and self.rows and self.columns:
            sample = self.rows[:50]
            return max(self.columns, key=lambda c: sum(len(row.get(c, "")) for _, row in sample))
        return ""


def read_table(data: bytes, filename: str) -> Table:
    r"""Read a file by its name's ending: .csv, .tsv, .txt, .jsonl, .json or .parquet.

    Raises:
        InputError: If it is empty, of another kind, or cannot be read at all.

    >>> read_table(b"text,label\nhello,a\n", "x.csv").rows
    ((2, {'text': 'hello', 'label': 'a'}),)
    """
    kind = PurePath(filename).suffix.lower()
    if not data.strip():
        raise InputError(
            f"The file {filename} is empty.", next_step="Choose a file with a header and rows."
        )
    if kind == ".parquet":
        table = _read_parquet(data, filename)
    elif kind in (".jsonl", ".ndjson", ".json"):
        table = _read_json(_decode(data), filename, lines=kind != ".json")
    elif kind in (".csv", ".tsv", ".txt"):
        table = _read_csv(_decode(data), filename, "\t" if kind == ".tsv" else None)
    else:
        raise InputError(
            f"Files of the kind {kind or 'without ending'!r} cannot be read.",
            next_step="Use .csv, .tsv, .jsonl, .json or .parquet.",
        )
    if not table.rows:
        raise InputError(
            f"The file {filename} has no rows below its header.", next_step="Choose another file."
        )
    return table


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace")


def _read_csv(text: str, filename: str, delimiter: str | None) -> Table:
    if "\0" in text:
        raise InputError(
            f"The file {filename} is not text (it holds null bytes).",
            next_step="Export it as CSV again.",
        )
    head = text[: text.find("\n") + 1] or text
    delimiter = delimiter or max(",;\t|", key=head.count)
    csv.field_size_limit(max(len(text), MAX_CELL))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = _column_names(next(reader, []))
    rows: list[tuple[int, dict[str, str]]] = []
    rejected: list[tuple[int, str]] = []
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            if len(cells) > len(columns) and any(c.strip() for c in cells[len(columns) :]):
                rejected.append((line, f"has {len(cells)} cells, the header {len(columns)}"))
            else:
                rows.append(
                    (line, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False)))
                )
        line = reader.line_num + 1
    return Table(columns=columns, rows=tuple(rows), rejected=tuple(rejected))


def _read_json(text: str, filename: str, *, lines: bool) -> Table:
    rejected: list[tuple[int, str]] = []
    items: list[tuple[int, Any]] = []
    if lines:
        # Not splitlines: JSON strings may hold other line ends, such as U+2028, as they are.
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
            if line.strip():
                try:
                    items.append((number, json.loads(line)))
                except json.JSONDecodeError as error:
                    rejected.append((number, f"is not JSON: {error.msg}"))
                except _UNREADABLE:
                    rejected.append((number, "is too deep or holds too long a number"))
    else:
        try:
            whole = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(
                f"The file {filename} is not JSON: {error.msg} in line {error.lineno}.",
                next_step="If it has one object a line, name it .jsonl.",
            ) from None
        except _UNREADABLE:
            raise InputError(
                f"The file {filename} is too deep or holds too long a number.",
                next_step="Write it as a list of flat objects.",
            ) from None
        items = list(enumerate(whole if isinstance(whole, list) else [whole], 1))
    columns: dict[str, None] = {}
    rows: list[tuple[int, dict[str, str]]] = []
    for number, item in items:
        if isinstance(item, dict):
            columns |= dict.fromkeys(map(str, item))
            rows.append((number, {str(key): _as_text(value) for key, value in item.items()}))
        else:
            rejected.append((number, "is not an object with named values"))
    return Table(columns=tuple(columns), rows=tuple(rows), rejected=tuple(rejected))


def _read_parquet(data: bytes, filename: str) -> Table:
    from pyarrow import ArrowException, parquet

    try:
        frame = parquet.read_table(io.BytesIO(data))
    except (ArrowException, OSError) as error:
        raise InputError(
            f"The file {filename} is not Parquet.", next_step="Export it again."
        ) from error
    rows = enumerate(frame.to_pylist(), 1)
    return Table(
        columns=tuple(frame.column_names),
        rows=tuple((n, {k: _as_text(v) for k, v in row.items()}) for n, row in rows),
    )


def _column_names(header: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for i, cell in enumerate(header, 1):
        name = cell.strip() or f"column_{i}"
        while name in names:
            name = f"{name}_{i}"
        names.append(name)
    return tuple(names)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def write_csv(
    rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]], columns: Sequence[str]
) -> str:
    r"""Return rows as CSV whose cells no spreadsheet takes for formulas.

    >>> write_csv([{"a": "=1+1", "b": 2}], ["a", "b"])
    "a,b\r\n'=1+1,2\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(row.get(column, "")) for column in columns])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return cell
