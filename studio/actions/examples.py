"""What people do with examples: import them and split them.

An import stores some thousand rows at a time, so others can write in between, and what was stored
when it is stopped or killed stays: importing the file again adds the rest. A file of more than
`LARGE` rows is never held as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from studio.analysis.example_rows import Columns, ExampleFile, ExampleRow
from studio.analysis.sampling import check_seed
from studio.analysis.splits import (
    LARGE,
    OPEN,
    Codes,
    Keys,
    Settled,
    assign_splits,
    code_of,
    group_keys,
    split_by_key,
    split_keys,
    split_of,
)
from studio.analysis.tables import TableFile, open_table
from studio.domain.correction import Origin
from studio.domain.example import Example, Split
from studio.domain.task import Task
from studio.errors import InputError
from studio.store.labels import NewLabel
from studio.workspace import Workspace

# What one transaction stores: about a tenth of a second's work, the index of words included.
CHUNK = 2_000
CHUNK_CHARACTERS = 8_000_000

# Told after each transaction: the last line that is stored, and how many lines there are.
Progress = Callable[[int, int | None], None]


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """What became of a file: examples added, known already, and rejected (line, reason).

    `notes` say which labels it calls by a former name.
    """

    task: str
    added: int = 0
    skipped: int = 0
    labeled: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "task": self.task,
            "added": self.added,
            "skipped": self.skipped,
            "labeled": self.labeled,
            "rejected": [{"line": line, "reason": reason} for line, reason in self.rejected],
            "notes": list(self.notes),
        }


def import_examples(
    ws: Workspace,
    task_id: int,
    *,
    data: bytes | BinaryIO,
    filename: str,
    columns: Columns,
    origin: Origin = Origin.IMPORTED,
    by: str,
    progress: Progress | None = None,
) -> ImportResult:
    """Read a file and store its examples, with their gold where a label column is named.

    Rows that cannot be used are reported with line and reason; the others are stored. An example
    whose id the task has already is skipped. Where splits are assigned, a text that stands in
    the task already (ignoring case and punctuation) goes to the split it has there, and so does a
    group. Up to 50,000 rows are stratified by label; of more, each text is drawn by its hash.

    Args:
        ws: The workspace.
        task_id: The task.
        data: The file's bytes, or the file itself, opened for reading bytes.
        filename: Its name; the ending says its kind.
        columns: Which column holds what.
        origin: Where its labels come from.
        by: Who imports.
        progress: Told how far it is; what it raises stops the import, and what is stored stays.

    Raises:
        InputError: If the file cannot be read or a named column is missing.
    """
    task = ws.store.tasks.get(task_id)
    file = open_table(data, filename)
    source = ExampleFile(task, file, columns, filename)
    result = ImportResult(task=task.name)
    for chunk in _with_splits(ws, task_id, source, result.rejected):
        _store(ws, task_id, chunk, result, origin, filename)
        if progress:
            progress(chunk[-1].line, file.lines)
    result.rejected.sort()
    renamed = [
        f"“{name}” was read as “{task.label(name).name}”, what it is called now."
        for name in sorted(source.renamed)
    ]
    result.notes = (*renamed, *_overlooked(task, file, columns))
    return result


def _overlooked(task: Task, file: TableFile, columns: Columns) -> list[str]:
    """Say which column holds labels although nobody named it as theirs."""
    found = "" if columns.label else file.head.guess("label", task.written)
    said = {cells.get(found, "").strip().casefold() for _, cells in file.head.rows} - {""}
    if not found or not said <= task.written.keys():
        return []
    return [
        f"The column “{found}” holds labels, but no gold was made of it: it was not named as the "
        "column of labels. `studio correct` takes them from a file with the columns id and label."
    ]


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

    Of more than 50,000 examples those without gold are drawn by a hash of their text.

    Returns:
        Split to number of examples.

    Raises:
        InputError: If a share or the seed is unusable, the group column is unknown, or there are no
            examples.
    """
    check_seed(seed)
    total = sum(ws.store.examples.counts(task_id).values())
    if not total:
        raise InputError("There are no examples to split.", next_step="Import some first.")
    if group and group not in ws.store.examples.columns(task_id):
        raise InputError(
            f"No example has a column {group!r}.",
            next_step=f"Columns are {', '.join(ws.store.examples.columns(task_id)) or '(none)'}.",
        )
    shares = (train, validation, test)
    gold = {i: g.label_id for i, g in ws.store.labels.gold(task_id).items()}
    examples = (
        ws.store.examples.all(task_id)
        if total <= LARGE
        else ws.store.examples.some(task_id, sorted(gold)[:LARGE])
    )
    splits = assign_splits(
        examples,
        labels=gold,
        groups={e.id: e.metadata.get(group, "") for e in examples} if group else {},
        shares=shares,
        seed=seed,
    )
    if total <= LARGE:
        ws.store.examples.set_splits(task_id, splits)
    else:
        _split_large(ws, task_id, splits, group, shares, seed)
    return ws.store.examples.counts(task_id)


def _split_large(
    ws: Workspace,
    task_id: int,
    settled: dict[int, Split],
    group: str,
    shares: tuple[float, float, float],
    seed: int,
) -> None:
    """Draw the splits of all examples that do not belong together with a settled one."""
    stored = _stored(ws, task_id, group)
    fixed = np.array([code_of(settled.get(i)) for i in stored.ids.tolist()], dtype=np.int8)
    codes = split_by_key(stored.texts, stored.groups, settled=fixed, shares=shares, seed=seed)
    moved = np.flatnonzero(codes != stored.codes)
    # All at once: splits that are half anew share texts.
    with ws.store.transaction():
        for start in range(0, len(moved), CHUNK):
            some = moved[start : start + CHUNK]
            pairs = zip(stored.ids[some].tolist(), codes[some].tolist(), strict=True)
            ws.store.examples.set_splits(task_id, {i: split_of(code) for i, code in pairs})


def _store(
    ws: Workspace,
    task_id: int,
    rows: Sequence[ExampleRow],
    result: ImportResult,
    origin: Origin,
    filename: str,
) -> None:
    """Store some rows with their gold in one transaction, and count what became of them."""
    with ws.store.transaction():
        at = ws.now()
        ids = ws.store.examples.add(
            task_id,
            [(row.external_id, row.text, row.split or Split.TRAIN, row.metadata) for row in rows],
            at,
        )
        gold = [
            NewLabel(example_id=i, label_id=row.label_id, person=f"file {filename}", origin=origin)
            for row, i in zip(rows, ids, strict=True)
            if i is not None and row.label_id is not None
        ]
        labeled = ws.store.labels.append(task_id, gold, at) if gold else 0
    added = sum(i is not None for i in ids)
    result.added += added
    result.skipped += len(ids) - added
    result.labeled += labeled


def _chunks(rows: Iterator[ExampleRow]) -> Iterator[list[ExampleRow]]:
    """Yield rows as one transaction stores them."""
    chunk: list[ExampleRow] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        characters += len(row.text)
        if len(chunk) >= CHUNK or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _with_splits(
    ws: Workspace, task_id: int, source: ExampleFile, rejected: list[tuple[int, str]]
) -> Iterator[list[ExampleRow]]:
    """Yield the usable rows in chunks, each with a split."""
    if source.fixed:
        yield from _chunks(source.rows(rejected))
        return
    rows = list(islice(source.rows(rejected), LARGE + 1))
    if len(rows) <= LARGE:
        _assign(ws, task_id, rows, source.group)
        yield from _chunks(iter(rows))
        return
    rows.clear()
    rejected.clear()
    assign = _large_assigner(ws, task_id, source)
    for chunk in _chunks(source.rows(rejected)):
        assign(chunk)
        yield chunk


def _assign(ws: Workspace, task_id: int, rows: Sequence[ExampleRow], group: str) -> None:
    """Give a split to the rows that the file gives none: all rows, or those of an empty cell."""
    if all(row.split for row in rows):
        return
    texts, groups, own = _keys(rows, group)
    known, hints = _stored(ws, task_id, group).settle(texts, groups, own)
    splits = assign_splits(
        [
            Example(id=i, external_id="", text=row.text, split=Split.TRAIN)
            for i, row in enumerate(rows)
        ],
        labels={i: row.label_id for i, row in enumerate(rows) if row.label_id is not None},
        groups={i: row.group for i, row in enumerate(rows)} if group else {},
        settled={i: split_of(code) for i, code in enumerate(hints.tolist()) if code != OPEN},
    )
    drawn = np.array([code_of(splits[i]) for i in range(len(rows))], dtype=np.int8)
    _give(rows, np.where(known == OPEN, drawn, known))


def _large_assigner(
    ws: Workspace, task_id: int, source: ExampleFile
) -> Callable[[Sequence[ExampleRow]], None]:
    """Return what gives splits to the chunks of a large file, called with each in turn.

    A text alone says where it goes. Groups, and texts that the file itself puts somewhere, can
    settle rows that stand before them: then the keys of the file are gathered beforehand.
    """
    if source.split and all(row.split for row in source.rows([])):
        return lambda _: None
    stored = _stored(ws, task_id, source.group)

    def draw(texts: Keys, groups: Keys, own: Codes) -> Codes:
        known, hints = stored.settle(texts, groups, own)
        drawn = split_by_key(texts, groups, settled=hints)
        return np.where(known == OPEN, drawn, known)

    if not source.split and not source.group:
        return lambda rows: _give(rows, draw(*_keys(rows, "")))
    keys = [_keys(chunk, source.group) for chunk in _chunks(source.rows([]))]
    ends = np.cumsum([len(texts) for texts, _, _ in keys])
    texts, groups, own = (np.concatenate(part) for part in zip(*keys, strict=True))
    codes = iter(np.split(draw(texts, groups, own), ends))
    return lambda rows: _give(rows, next(codes))


def _give(rows: Sequence[ExampleRow], codes: Codes) -> None:
    for row, code in zip(rows, codes.tolist(), strict=True):
        row.split = split_of(code)


def _keys(rows: Sequence[ExampleRow], group: str) -> tuple[Keys, Keys, Codes]:
    """Return the keys of texts and groups (none without a group column), and the file's splits."""
    texts = split_keys(row.text for row in rows)
    groups = group_keys(row.group for row in rows) if group else np.zeros_like(texts)
    return texts, groups, np.array([code_of(row.split) for row in rows], dtype=np.int8)


@dataclass(frozen=True)
class _Stored:
    """The examples a task has, as keys: 25 bytes each."""

    ids: NDArray[np.int64]
    texts: Keys
    groups: Keys
    codes: Codes

    @cached_property
    def _by_text(self) -> Settled:
        return Settled(self.texts, self.codes)

    @cached_property
    def _by_group(self) -> Settled:
        return Settled(self.groups, self.codes)

    def settle(self, texts: Keys, groups: Keys, own: Codes) -> tuple[Codes, Codes]:
        """Return what is settled of new examples, some of which a file gives a split of their own.

        Returns:
            Where their texts stand already, here or in that file; and this with the places of
            their groups added, which count only where the texts of the group leave it open.
        """
        given = own != OPEN
        known = own
        for found in (self._by_text, Settled(texts[given], own[given])):
            known = np.where(known == OPEN, found.find(texts), known)
        return known, np.where(known == OPEN, self._by_group.find(groups), known)


def _stored(ws: Workspace, task_id: int, group: str) -> _Stored:
    """Read the keys of all examples of a task, a few thousand at a time."""
    ids = [np.zeros(0, dtype=np.int64)]
    texts, groups = [split_keys([])], [group_keys([])]
    codes = [np.zeros(0, dtype=np.int8)]
    for rows in ws.store.examples.scan(task_id):
        ids.append(np.array([row["id"] for row in rows], dtype=np.int64))
        texts.append(split_keys(row["text"] for row in rows))
        names = [json.loads(row["metadata"]).get(group, "") if group else "" for row in rows]
        groups.append(group_keys(names))
        codes.append(np.array([code_of(Split(row["split"])) for row in rows], dtype=np.int8))
    return _Stored(
        ids=np.concatenate(ids),
        texts=np.concatenate(texts),
        groups=np.concatenate(groups),
        codes=np.concatenate(codes),
    )
