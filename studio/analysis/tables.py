"""Reads the files people bring: CSV, TSV, JSON lines and Parquet, as rows of text.

A file may hold a million rows: `open_table` reads it as a stream, as often as wished, and holds
its first rows only. `read_table` holds all, for files that are known to be small.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Any, BinaryIO

from studio.errors import InputError

MAX_CELL = 131_072
HEAD = 10_000
BLOCK = 1 << 20
BATCH = 5_000
_TEXT_NAMES = ("text", "sentence", "message", "comment", "content", "body", "description", "prompt")
_LABEL_NAMES = ("label", "gold", "class", "category", "target", "completion")
_UNREADABLE = (ValueError, RecursionError)
_ID_NAMES = ("id", "external_id", "uuid", "key")

# A line's number, and its cells or the reason why it could not be read.
Line = tuple[int, dict[str, str] | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file, or its first rows, as rows of text.

    Attributes:
        columns: Their names, in order; unnamed ones are called column_1, column_2, …
        rows: (line number in the file, {column: cell}); a missing cell is "".
        rejected: (line number, reason) of rows that could not be read.
        rest: About how many lines the file has beyond these; 0 when this is all of it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    rejected: tuple[tuple[int, str], ...] = ()
    rest: int = 0

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

    def guess(self, what: str, known: Collection[str] = ()) -> str:
        r"""Return the column that probably holds the text, label or id; "" when none does.

        Args:
            what: "text", "label" or "id".
            known: The labels there are, in small letters: a column of these is one of labels,
                whatever its name.

        >>> read_table(b"what,topic\nHi,Spam\n", "x.csv").guess("label", {"spam"})
        'topic'
        """
        wanted = {"text": _TEXT_NAMES, "label": _LABEL_NAMES, "id": _ID_NAMES}[what]
        by_name = {column.casefold(): column for column in self.columns}
        for name in wanted:
            if name in by_name:
                return by_name[name]
        if what == "text" and self.rows and self.columns:
            sample = self.rows[:50]
            return max(self.columns, key=lambda c: sum(len(row.get(c, "")) for _, row in sample))
        for column in self.columns if what == "label" and known else ():
            said = [cells[column].strip() for _, cells in self.rows if cells.get(column)]
            if 2 * sum(one.casefold() in known for one in said) > len(said):
                return column
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file that is read as a stream; one reading at a time.

    Attributes:
        head: Its first 10,000 rows; columns are guessed from these.
        lines: How many lines it has; of JSON and Parquet, how many rows.
        read: Starts a reading: yields every line's number with its cells or why it has none.
    """

    head: Table
    lines: int
    read: Callable[[], Iterator[Line]]

    def column(self, name: str, what: str) -> str:
        """Return the column of this name, case ignored, also one that only later rows have.

        Raises:
            InputError: If there is none; `what` says what it was to hold.
        """
        try:
            return self.head.column(name, what)
        except InputError:
            for _, cells in self.read() if self.head.rest else ():
                if isinstance(cells, dict):
                    for column in cells:
                        if column.casefold() == name.casefold():
                            return column
            raise


@dataclass(frozen=True, slots=True)
class _Source:
    """A file before anything was read: `columns` as far as its own head names them."""

    columns: tuple[str, ...]
    lines: int
    read: Callable[[], Iterator[Line]]


def read_table(data: bytes, filename: str) -> Table:
    r"""Read a whole file by its name's ending: .csv, .tsv, .txt, .jsonl, .json or .parquet.

    Raises:
        InputError: If it is empty, of another kind, or cannot be read at all.

    >>> read_table(b"text,label\nhello,a\n", "x.csv").rows
    ((2, {'text': 'hello', 'label': 'a'}),)
    """
    source = _open(data, filename)
    return _collect(source, filename, most=None)


def open_table(data: bytes | BinaryIO, filename: str) -> TableFile:
    r"""Open a file of any size by its name's ending, as `read_table` does.

    The bytes are not copied. Text is looked through once, to know how it is encoded and how many
    lines it has; a .json file is one value and must be held as a whole.

    Args:
        data: The file's bytes, or the file itself, opened for reading bytes.
        filename: Its name.

    Raises:
        InputError: If it is empty, of another kind, or cannot be read at all.

    >>> file = open_table(b"text,label\nhello,a\nworld,b,c\n", "x.csv")
    >>> list(file.read())
    [(2, {'text': 'hello', 'label': 'a'}), (3, 'has 3 cells, the header 2')]
    """
    source = _open(data, filename)
    return TableFile(
        head=_collect(source, filename, most=HEAD), lines=source.lines, read=source.read
    )


def _open(data: bytes | BinaryIO, filename: str) -> _Source:
    kind = PurePath(filename).suffix.lower()
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    if not file.seekable():  # a pipe
        file = io.BytesIO(file.read())
    if not any(block.strip() for block in _blocks(file)):
        raise InputError(
            f"The file {filename} is empty.", next_step="Choose a file with a header and rows."
        )
    if kind == ".parquet":
        return _open_parquet(file, filename)
    if kind in (".jsonl", ".ndjson"):
        return _open_json_lines(file)
    if kind == ".json":
        return _open_json(file, filename)
    if kind in (".csv", ".tsv", ".txt"):
        return _open_csv(file, filename, "\t" if kind == ".tsv" else None)
    raise InputError(
        f"Files of the kind {kind or 'without ending'!r} cannot be read.",
        next_step="Use .csv, .tsv, .jsonl, .json or .parquet.",
    )


def _collect(source: _Source, filename: str, *, most: int | None) -> Table:
    """Return the first rows of a file as a table, or all of them.

    Raises:
        InputError: If it has none at all.
    """
    columns = dict.fromkeys(source.columns)
    rows: list[tuple[int, dict[str, str]]] = []
    rejected: list[tuple[int, str]] = []
    rest = 0
    for line, cells in source.read():
        if len(rows) == most:
            rest = max(1, source.lines - line + 1)
            break
        if isinstance(cells, str):
            rejected.append((line, cells))
        else:
            columns |= dict.fromkeys(cells)
            rows.append((line, cells))
    if not rows:
        raise InputError(
            f"The file {filename} has no rows below its header.", next_step="Choose another file."
        )
    return Table(columns=tuple(columns), rows=tuple(rows), rejected=tuple(rejected), rest=rest)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(BLOCK):
        yield block


def _look_through(file: BinaryIO) -> tuple[str, int, bool]:
    """Return a text's encoding, its number of lines, and whether it holds null characters."""
    file.seek(0)
    utf16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-8-sig", *(["utf-16"] if utf16 else [])):
        try:
            return encoding, *_count_lines(file, codecs.getincrementaldecoder(encoding)())
        except UnicodeDecodeError:
            continue
    return "cp1252", *_count_lines(file, codecs.getincrementaldecoder("cp1252")("replace"))


def _count_lines(file: BinaryIO, decoder: codecs.IncrementalDecoder) -> tuple[int, bool]:
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    lines, null, last = 0, False, "\n"
    for block in chain(_blocks(file), (b"",)):
        text = newlines.decode(block, final=not block)
        lines += text.count("\n")
        null = null or "\0" in text
        last = text[-1:] or last
    return lines + (last != "\n"), null


@contextmanager
def _text_of(file: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Read a file as text whose line ends are left as they are; it stays open."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        yield text
    finally:
        text.detach()


def _open_csv(file: BinaryIO, filename: str, delimiter: str | None) -> _Source:
    encoding, lines, null = _look_through(file)
    if null:
        raise InputError(
            f"The file {filename} is not text (it holds null bytes).",
            next_step="Export it as CSV again.",
        )
    csv.field_size_limit(max(file.seek(0, io.SEEK_END), MAX_CELL))
    with _text_of(file, encoding) as text:
        head = text.readline()
        chosen = delimiter or max(",;\t|", key=head.count)
    with _text_of(file, encoding) as text:
        columns = _column_names(next(csv.reader(text, delimiter=chosen), []))

    def read() -> Iterator[Line]:
        with _text_of(file, encoding) as text:
            reader = csv.reader(text, delimiter=chosen)
            next(reader, [])
            yield from _csv_rows(reader, columns)

    return _Source(columns, lines, read)


def _csv_rows(reader: Any, columns: tuple[str, ...]) -> Iterator[Line]:
    wanted = len(columns)
    line = reader.line_num + 1
    for cells in reader:
        if any(map(str.strip, cells)):
            if len(cells) == wanted:
                yield line, dict(zip(columns, cells, strict=True))
            elif any(map(str.strip, cells[wanted:])):
                yield line, f"has {len(cells)} cells, the header {wanted}"
            else:
                yield line, dict(zip(columns, [*cells, *[""] * wanted], strict=False))
        line = reader.line_num + 1


def _open_json_lines(file: BinaryIO) -> _Source:
    encoding, lines, _ = _look_through(file)

    def read() -> Iterator[Line]:
        # Not splitlines: JSON strings may hold other line ends, such as U+2028, as they are.
        with _text_of(file, encoding) as text:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield number, _json_line(line)

    return _Source((), lines, read)


def _json_line(line: str) -> dict[str, str] | str:
    try:
        return _json_row(json.loads(line))
    except json.JSONDecodeError as error:
        return f"is not JSON: {error.msg}"
    except _UNREADABLE:
        return "is too deep or holds too long a number"


def _open_json(file: BinaryIO, filename: str) -> _Source:
    encoding, _, _ = _look_through(file)
    try:
        with _text_of(file, encoding) as text:
            whole = json.loads(text.read())
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
    items = whole if isinstance(whole, list) else [whole]

    def read() -> Iterator[Line]:
        for number, item in enumerate(items, 1):
            yield number, _json_row(item)

    return _Source((), len(items), read)


def _json_row(item: Any) -> dict[str, str] | str:
    if not isinstance(item, dict):
        return "is not an object with named values"
    return {str(key): _as_text(value) for key, value in item.items()}


def _open_parquet(file: BinaryIO, filename: str) -> _Source:
    from pyarrow import ArrowException, parquet

    try:
        found = parquet.ParquetFile(file)
        columns, rows = tuple(found.schema_arrow.names), found.metadata.num_rows
    except (ArrowException, OSError) as error:
        raise InputError(
            f"The file {filename} is not Parquet.", next_step="Export it again."
        ) from error

    def read() -> Iterator[Line]:
        number = 0
        try:
            for batch in found.iter_batches(batch_size=BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {key: _as_text(value) for key, value in row.items()}
        except (ArrowException, OSError) as error:
            raise InputError(
                f"The file {filename} is damaged behind row {number:,}.",
                next_step="Export it again, and import it again to add the rest.",
            ) from error

    return _Source(columns, rows, read)


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
