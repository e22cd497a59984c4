"""What people do with examples: import them and split them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from studio.analysis.splits import assign_splits
from studio.analysis.tables import Table, read_table
from studio.domain.correction import Origin
from studio.domain.example import SPLIT_ALIASES, Example, Split, normalise
from studio.domain.task import Task
from studio.errors import InputError
from studio.store.labels import NewLabel
from studio.workspace import Workspace

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


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """What became of a file: examples added, known already, and rejected (line, reason)."""

    task: str
    added: int = 0
    skipped: int = 0
    labeled: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "task": self.task,
            "added": self.added,
            "skipped": self.skipped,
            "labeled": self.labeled,
            "rejected": [{"line": line, "reason": reason} for line, reason in self.rejected],
        }


@dataclass(slots=True)
class _Row:
    line: int
    external_id: str
    text: str
    label_id: int | None
    split: Split | None
    metadata: dict[str, str]


def import_examples(
    ws: Workspace,
    task_id: int,
    *,
    data: bytes,
    filename: str,
    columns: Columns,
    origin: Origin = Origin.IMPORTED,
    by: str,
) -> ImportResult:
    """Read a file and store its examples, with their gold where a label column is named.

    Rows that cannot be used are reported with line and reason; the others are stored. An example
    whose id the task has already is skipped. Where splits are assigned, a text that stands in
    the task already (ignoring case and punctuation) goes to the split it has there.

    Raises:
        InputError: If the file cannot be read or a named column is missing.
    """
    task = ws.store.tasks.get(task_id)
    table = read_table(data, filename)
    result = ImportResult(task=task.name, rejected=list(table.rejected))
    rows = _rows(task, table, columns, filename, result)
    known = {normalise(text): Split(split) for _, split, text in ws.store.examples.texts(task_id)}
    _assign(rows, table, columns, known, seed=0)
    with ws.store.transaction():
        ids = ws.store.examples.add(
            task_id,
            [(row.external_id, row.text, row.split or Split.TRAIN, row.metadata) for row in rows],
            ws.now(),
        )
        gold = [
            NewLabel(example_id=i, label_id=row.label_id, person=f"file {filename}", origin=origin)
            for row, i in zip(rows, ids, strict=True)
            if i is not None and row.label_id is not None
        ]
        result.labeled = ws.store.labels.append(task_id, gold, ws.now())
    result.added = sum(i is not None for i in ids)
    result.skipped = len(ids) - result.added
    result.rejected.sort()
    return result


def split_examples(
    ws: Workspace,
    task_id: int,
    *,
    train: float = 0.6,
    validation: float = 0.2,
    test: float = 0.2,
    group: str = "",
    seed: int = 0,
) -> dict[str, int]:
    """Assign all examples to splits anew, stratified by gold, groups and duplicates kept together.

    Returns:
        Split to number of examples.

    Raises:
        InputError: If a share is unusable, the group column is unknown, or there are no examples.
    """
    examples = ws.store.examples.all(task_id)
    if not examples:
        raise InputError("There are no examples to split.", next_step="Import some first.")
    if group and group not in ws.store.examples.columns(task_id):
        raise InputError(
            f"No example has a column {group!r}.",
            next_step=f"Columns are {', '.join(ws.store.examples.columns(task_id)) or '(none)'}.",
        )
    gold = ws.store.labels.gold(task_id)
    splits = assign_splits(
        examples,
        labels={i: g.label_id for i, g in gold.items()},
        groups={e.id: e.metadata.get(group, "") for e in examples} if group else {},
        shares=(train, validation, test),
        seed=seed,
    )
    ws.store.examples.set_splits(task_id, splits)
    return ws.store.examples.counts(task_id)


def _rows(
    task: Task, table: Table, columns: Columns, filename: str, result: ImportResult
) -> list[_Row]:
    """Return the usable rows; the others go to `result.rejected`."""
    text_column = table.column(columns.text or table.guess("text"), "text")
    label_column = table.column(columns.label, "label") if columns.label else ""
    id_column = table.column(columns.id, "id") if columns.id else table.guess("id")
    fixed = SPLIT_ALIASES.get(columns.split.casefold())
    split_column = "" if fixed or not columns.split else table.column(columns.split, "split")
    if columns.group:
        table.column(columns.group, "group")
    used = {text_column, label_column, id_column, split_column}
    by_name = {label.name.casefold(): label.id for label in task.labels}
    seen: set[str] = set()
    rows = []
    for line, cells in table.rows:
        text = cells.get(text_column, "").strip()
        label = cells.get(label_column, "").strip() if label_column else ""
        said = cells.get(split_column, "").strip() if split_column else ""
        external_id = cells.get(id_column, "").strip() or f"{filename}:{line}"
        reason = ""
        if not any(c.isprintable() and not c.isspace() for c in text):
            reason = "the text is empty"
        elif not all(map(_is_whole, cells.values())):
            reason = "it holds half a character (a lone UTF-16 surrogate)"
        elif len(text) > MAX_TEXT:
            reason = f"the text has {len(text)} characters, more than {MAX_TEXT}"
        elif label and label.casefold() not in by_name:
            reason = f"the label {label[:40]!r} is not one of {', '.join(task.label_names[:8])}"
        elif said and said.casefold() not in SPLIT_ALIASES:
            reason = f"the split {said[:40]!r} is not train, validation or test"
        elif external_id in seen:
            reason = f"the id {external_id[:40]!r} stands twice in the file"
        if reason:
            result.rejected.append((line, reason))
            continue
        seen.add(external_id)
        metadata = {k: v for k, v in cells.items() if k not in used and v}
        split = fixed or (SPLIT_ALIASES[said.casefold()] if said else None)
        rows.append(_Row(line, external_id, text, by_name.get(label.casefold()), split, metadata))
    return rows


def _is_whole(cell: str) -> bool:
    """Return whether a cell can be stored: JSON may carry halves of characters."""
    return cell.isascii() or not any("\ud800" <= c <= "\udfff" for c in cell)


def _assign(
    rows: list[_Row], table: Table, columns: Columns, known: dict[str, Split], *, seed: int
) -> None:
    """Give a split to the rows the file gives none: all rows, or those of an empty cell."""
    for row in rows:
        if row.split is None:
            row.split = known.get(normalise(row.text) or f" {row.text}")
    open_rows = [i for i, row in enumerate(rows) if row.split is None]
    if not open_rows:
        return
    group = table.column(columns.group, "group") if columns.group else ""
    splits = assign_splits(
        [Example(id=i, external_id="", text=rows[i].text, split=Split.TRAIN) for i in open_rows],
        labels={i: label for i in open_rows if (label := rows[i].label_id) is not None},
        groups={i: rows[i].metadata.get(group, "") for i in open_rows} if group else {},
        seed=seed,
    )
    for i in open_rows:
        rows[i].split = splits[i]
