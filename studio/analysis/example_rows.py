"""Tells which rows of a file are examples, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from studio.analysis.tables import TableFile
from studio.domain.amounts import some_of
from studio.domain.example import SPLIT_ALIASES, Split
from studio.domain.task import Task

MAX_TEXT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of a file holds what.

    Attributes:
        text: The text; guessed when empty.
        label: Gold labels; none when empty.
        split: A column, or the name of one split for all; assigned at random when empty.
        id: The examples' own ids; line numbers when empty.
        group: Examples of one group never stand in two splits; only with assigned splits.
    """

    text: str = ""
    label: str = ""
    split: str = ""
    id: str = ""
    group: str = ""


@dataclass(slots=True)
class ExampleRow:
    """A usable row: an example to be; `split` is None where the file gives none."""

    line: int
    external_id: str
    text: str
    label_id: int | None
    split: Split | None
    group: str
    metadata: dict[str, str]


class ExampleFile:
    """A file with the meaning of its columns; its rows can be read more than once.

    Attributes:
        fixed: The split of all rows, if the columns name one.
        split: The column of the splits, or "".
        group: The column of the groups, or "".
        renamed: Names that labels had before, met in the rows read so far.
    """

    def __init__(self, task: Task, file: TableFile, columns: Columns, filename: str) -> None:
        head = file.head
        self._file, self._task, self._filename = file, task, filename
        self._text = file.column(columns.text or head.guess("text"), "text")
        self._label = file.column(columns.label, "label") if columns.label else ""
        self._id = file.column(columns.id, "id") if columns.id else head.guess("id")
        self.fixed = SPLIT_ALIASES.get(columns.split.casefold())
        by_column = columns.split and not self.fixed
        self.split = file.column(columns.split, "split") if by_column else ""
        self.group = file.column(columns.group, "group") if columns.group else ""
        self._labels = {name: label.id for name, label in task.written.items()}
        self._former = {former.name.casefold(): former.name for former in task.former}
        self.renamed: set[str] = set()

    def rows(self, rejected: list[tuple[int, str]]) -> Iterator[ExampleRow]:
        """Yield the usable rows; the others go to `rejected`."""
        used = {self._text, self._label, self._id, self.split} - {""}
        seen: set[str] = set()
        for line, cells in self._file.read():
            reason = cells if isinstance(cells, str) else self._unusable(cells)
            external_id = ""
            if not reason and not isinstance(cells, str):
                external_id = _cell(cells, self._id) or f"{self._filename}:{line}"
                if external_id in seen:
                    reason = f"the id {external_id[:40]!r} stands twice in the file"
            if reason or isinstance(cells, str):
                rejected.append((line, reason))
                continue
            if self._id:  # lines differ by themselves
                seen.add(external_id)
            said = _cell(cells, self.split).casefold()
            labeled = _cell(cells, self._label).casefold()
            if labeled in self._former:
                self.renamed.add(self._former[labeled])
            yield ExampleRow(
                line,
                external_id,
                cells[self._text].strip(),
                self._labels.get(labeled),
                self.fixed or (SPLIT_ALIASES[said] if said else None),
                cells.get(self.group, "") if self.group else "",
                {k: v for k, v in cells.items() if v and k not in used},
            )

    def _unusable(self, cells: dict[str, str]) -> str:
        """Return why a row cannot be used, or ""."""
        text = _cell(cells, self._text)
        label = _cell(cells, self._label)
        said = _cell(cells, self.split)
        if not any(c.isprintable() and not c.isspace() for c in text):
            return "the text is empty"
        if not all(map(_is_whole, chain(cells, cells.values()))):
            return "it holds half a character (a lone UTF-16 surrogate)"
        if len(text) > MAX_TEXT:
            return f"the text has {len(text)} characters, more than {MAX_TEXT}"
        if label and label.casefold() not in self._labels:
            return f"the label {label[:40]!r} is not one of {some_of(self._task.label_names)}"
        if said and said.casefold() not in SPLIT_ALIASES:
            return f"the split {said[:40]!r} is not train, validation or test"
        return ""


def _cell(cells: dict[str, str], column: str) -> str:
    return cells.get(column, "").strip() if column else ""


def _is_whole(cell: str) -> bool:
    """Return whether a cell can be stored: JSON may carry halves of characters."""
    return cell.isascii() or not any("\ud800" <= c <= "\udfff" for c in cell)
