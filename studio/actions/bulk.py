"""Labeling many examples at once: first what it would do, then, once confirmed, as one deed."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.domain.correction import Mode, Origin
from studio.domain.example import Split
from studio.errors import InputError
from studio.store.grid import GridFilter
from studio.store.labels import NewLabel
from studio.workspace import Workspace

MOST = 20_000
"""So many at once take less than two seconds, in which nobody else can write."""

Target = Sequence[int] | GridFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCount:
    """What labeling many at once would do.

    Attributes:
        n: Decisions it would store; what has to be confirmed.
        same: Examples this person labeled so already; they stay as they are.
        own_changed: Of `n`, those on which this person's own label changes.
        contradicted: Of `n`, those of train and validation on which somebody else's label differs.
        test_left_out: Test examples it would leave alone: they are labeled one by one, blind.
        unlabeled: Examples left alone because the run gives them no label.
        settled: Examples left alone because this person ended a dispute on them, one by one.
    """

    n: int
    same: int = 0
    own_changed: int = 0
    contradicted: int = 0
    test_left_out: int = 0
    unlabeled: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Bulk:
    """What was labeled at once.

    Attributes:
        n: Decisions stored.
        deed: What they have in common; one undo takes all of them back.
    """

    n: int
    deed: str


def bulk_count(
    ws: Workspace, task_id: int, target: Target, *, label: str | None, run_id: int | None, by: str
) -> BulkCount:
    """Return what `bulk_label` would do; nothing is stored.

    Args:
        ws: The workspace.
        task_id: The task.
        target: The examples, or a filter for all that fit it.
        label: The label's name; None accepts what the run says of each.
        run_id: The run whose labels are in sight.
        by: Who would decide.

    Raises:
        InputError: If the label or run is unknown, or more than `MOST` examples are meant.
    """
    return _plan(ws, task_id, target, label=label, run_id=run_id, by=by)[0]


def bulk_label(
    ws: Workspace,
    task_id: int,
    target: Target,
    *,
    label: str | None,
    run_id: int | None,
    expect: int,
    by: str,
) -> Bulk:
    """Give many examples a label at once, or accept a run's; one undo takes all of it back.

    Nobody looks at each example that fits a filter: such labels count as assisted, and test
    examples are left out. So are they where a run's labels are accepted.

    Args:
        ws: The workspace.
        task_id: The task.
        target: The examples, or a filter for all that fit it.
        label: The label's name; None accepts what the run says of each.
        run_id: The run whose labels are in sight.
        expect: The count that was confirmed, `BulkCount.n`.
        by: Who decides.

    Raises:
        InputError: As `bulk_count`, and if the count is another one by now; nothing is stored.
    """
    with ws.store.transaction():
        count, rows = _plan(ws, task_id, target, label=label, run_id=run_id, by=by)
        if count.n != expect:
            raise InputError(
                f"{count.n:,} examples would be labeled now, not the {expect:,} that were "
                "confirmed; nothing was stored.",
                next_step="Look at the count again, then confirm it.",
            )
        if rows:
            ws.store.labels.append(task_id, rows, ws.now())
    return Bulk(n=len(rows), deed=rows[0].deed or "" if rows else "")


def _plan(
    ws: Workspace, task_id: int, target: Target, *, label: str | None, run_id: int | None, by: str
) -> tuple[BulkCount, list[NewLabel]]:
    """Return what would happen, and the decisions to store for it."""
    given = _checked(ws, task_id, label, run_id, by)
    one_by_one = not isinstance(target, GridFilter)
    ids, left_out = _examples(ws, task_id, target, run_id, by)
    deed = f"bulk-{uuid.uuid4().hex}"
    rows: list[NewLabel] = []
    found: Counter[str] = Counter(test_left_out=left_out)
    for row in ws.store.labels.beside(task_id, ids, run_id=run_id, person=by):
        is_test = row["split"] == Split.TEST
        label_id = row["predicted"] if given is None else given
        if is_test and (given is None or not one_by_one):
            found["test_left_out"] += 1
        elif label_id is None:
            found["unlabeled"] += 1
        elif row["own"] == label_id:
            found["same"] += 1
        elif row["settled"]:
            found["settled"] += 1
        else:
            found["own_changed"] += row["own"] is not None
            others = set((row["others"] or str(label_id)).split(","))
            found["contradicted"] += not is_test and others != {str(label_id)}
            blind = is_test or (one_by_one and run_id is None)
            rows.append(
                NewLabel(
                    example_id=row["id"],
                    label_id=label_id,
                    person=by,
                    origin=Origin.BLIND if blind else Origin.ASSISTED,
                    run_id=None if blind else run_id,
                    mode=Mode.BULK,
                    deed=deed,
                )
            )
    return BulkCount(n=len(rows), **found), rows


def _checked(
    ws: Workspace, task_id: int, label: str | None, run_id: int | None, by: str
) -> int | None:
    """Return the label's id, None to accept the run's; refuse what cannot be."""
    if not by.strip():
        raise InputError("Nobody is named as the person who decides.", next_step="Give your name.")
    if run_id is not None and ws.store.runs.get(run_id).task_id != task_id:
        raise InputError(
            f"Run {run_id} belongs to another task.", next_step="See `studio run list`."
        )
    if label is None and run_id is None:
        raise InputError("No run is shown whose labels could be accepted.", next_step="Choose one.")
    return None if label is None else ws.store.tasks.get(task_id).label(label).id


def _examples(
    ws: Workspace, task_id: int, target: Target, run_id: int | None, by: str
) -> tuple[Sequence[int], int]:
    """Return the examples meant, and how many test examples fit a filter beside them."""
    left_out = 0
    if isinstance(target, GridFilter):
        found: dict[bool, list[int]] = {}
        for is_test in (True, False):
            splits = [s.value for s in Split if (s is Split.TEST) is is_test]
            splits = [s for s in splits if not target.splits or s in target.splits]
            found[is_test] = (
                ws.store.examples.grid_ids(
                    task_id,
                    run_id=run_id,
                    person=by,
                    filter=replace(target, splits=tuple(splits)),
                    limit=MOST + 1,
                )
                if splits
                else []
            )
        target, left_out = found[False], len(found[True])
    if len(target) > MOST:
        raise InputError(
            f"More than {MOST:,} examples are meant; so many cannot be labeled at once.",
            next_step="Narrow the filter, or do it in parts.",
        )
    return target, left_out
