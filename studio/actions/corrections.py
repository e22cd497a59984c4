"""What experts do with labels: decide, correct, take back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.analysis.tables import Table, read_table
from studio.domain.correction import Crossed, Mode, Origin, Undone
from studio.domain.example import Split
from studio.errors import InputError
from studio.store.labels import NewLabel
from studio.workspace import Workspace

LONGEST_LOOK_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A label a person gives one example.

    Attributes:
        example_id: The example.
        label: The label's name; None takes the person's label back.
        client: The browser's own number of this decision, so that one sent twice counts once.
        note: A remark; may be empty.
        seconds: How long the person looked at the example for it; None where nobody measured.
    """

    example_id: int
    label: str | None
    client: str | None = None
    note: str = ""
    seconds: float | None = None


def correct_labels(
    ws: Workspace,
    task_id: int,
    decisions: Sequence[Decision],
    *,
    run_id: int | None = None,
    beside_rule: bool = False,
    mode: Mode = Mode.OTHER,
    deed: str | None = None,
    by: str,
) -> int:
    """Append a person's decisions; what was there before stays in the history.

    A decision counts as blind when nobody's label of the example was in sight: neither a rule's nor
    a colleague's, nor a run's. Test examples show none of a run.

    Args:
        ws: The workspace.
        task_id: The task.
        decisions: In the order they were made.
        run_id: The run whose labels were in sight; None when none were.
        beside_rule: What a rule says of the examples was in sight, or what a colleague said whose
            label is taken over, or nobody says what was.
        mode: By which way of working; the stopwatch compares these.
        deed: A name of its own for decisions made at once; one undo takes all of them back.
        by: Who decided.

    Returns:
        How many were new; a decision sent twice counts once.

    Raises:
        InputError: If a label, example or run is unknown; nothing is stored then.
    """
    _check(ws, task_id, run_id, by)
    task = ws.store.tasks.get(task_id)
    splits = {
        e.id: e.split for e in ws.store.examples.some(task_id, [d.example_id for d in decisions])
    }
    rows = []
    for d in decisions:
        if d.example_id not in splits:
            raise InputError(f"Example {d.example_id} is not of this task; nothing was stored.")
        is_test = splits[d.example_id] is Split.TEST
        blind = not beside_rule and (run_id is None or is_test)
        rows.append(
            NewLabel(
                example_id=d.example_id,
                label_id=None if d.label is None else task.label(d.label).id,
                person=by,
                origin=Origin.BLIND if blind else Origin.ASSISTED,
                run_id=None if blind or is_test else run_id,
                note=d.note,
                client=d.client,
                mode=mode,
                seconds=_measured(d.seconds),
                deed=deed,
            )
        )
    return ws.store.labels.append(task_id, rows, ws.now()) if rows else 0


def paste_labels(
    ws: Workspace,
    task_id: int,
    given: Mapping[int, str],
    *,
    blind: bool,
    run_id: int | None = None,
    by: str,
) -> int:
    """Append labels that a person made elsewhere, as one deed: one undo takes all of them back.

    What was in sight there the studio cannot know, so they are assisted, on test too, unless the
    person says that no model's or rule's label was.

    Args:
        ws: The workspace.
        task_id: The task.
        given: Example id to the label's name.
        blind: The person says so.
        run_id: The run whose labels are shown beside the examples; None when none are.
        by: Whose labels they are.

    Returns:
        How many were stored.

    Raises:
        InputError: As `correct_labels`.
    """
    return correct_labels(
        ws,
        task_id,
        [Decision(example_id=i, label=label) for i, label in given.items()],
        run_id=None if blind else run_id,
        beside_rule=not blind,
        mode=Mode.PASTE,
        deed=f"paste-{uuid.uuid4().hex}",
        by=by,
    )


def undo_correction(ws: Workspace, task_id: int, *, by: str) -> Undone | None:
    """Take back this person's latest deed that still stands, a label or a mark, by one more event.

    What was done at once, in bulk or by a paste, is taken back at once.

    Returns:
        What was taken back; None when there is nothing, or when a change of the label set holds
        it: `ws.read.deeds.held` says which.
    """
    return ws.store.deeds.undo(task_id, by, ws.now())


def redo_correction(ws: Workspace, task_id: int, *, by: str) -> Undone | None:
    """Put back what this person's latest undo took, unless they decided something new since.

    Returns:
        What was put back; None when there is nothing, or as in `undo_correction`.
    """
    return ws.store.deeds.redo(task_id, by, ws.now())


def others_since(
    ws: Workspace, task_id: int, example_ids: Sequence[int], *, since: int, by: str
) -> list[Crossed]:
    """Return what others decided of these examples since a page was read, where it differs.

    Args:
        ws: The workspace.
        task_id: The task.
        example_ids: Those this person decided just now.
        since: `ws.read.labels.last_event(task_id)` from when the page's rows were read.
        by: Who asks.

    Returns:
        Current decisions of other people, not of files, in the order they were made.
    """
    return ws.read.labels.crossed(task_id, example_ids, since=since, person=by)


def import_corrections(
    ws: Workspace,
    task_id: int,
    *,
    data: bytes,
    filename: str,
    by: str,
    run_id: int | None = None,
    blind: bool = False,
) -> tuple[int, list[tuple[int, str]]]:
    """Append the decisions of a file with the columns id, label and, where there is one, note.

    They are one deed: one undo takes all of them back.

    Args:
        ws: The workspace.
        task_id: The task.
        data: The file's bytes.
        filename: Its name.
        by: Whose decisions they are.
        run_id: The run whose labels were in sight.
        blind: No model's label was in sight.

    Returns:
        How many were stored, and (line, reason) of the rows that were not.

    Raises:
        InputError: If the file cannot be read or lacks a column, or the run is unknown.
    """
    _check(ws, task_id, run_id, by)
    task = ws.store.tasks.get(task_id)
    table = read_table(data, filename)
    cells = _cells(table)
    ids = ws.store.examples.by_external_id(task_id, [external_id for _, external_id, _, _ in cells])
    labels = task.written
    rejected = list(table.rejected)
    decisions: list[NewLabel] = []
    deed = f"file-{uuid.uuid4().hex}"
    for line, external_id, said, note in cells:
        example_id, label = ids.get(external_id), labels.get(said.casefold())
        if example_id is None:
            rejected.append((line, f"there is no example {external_id[:40]!r}"))
        elif label is None:
            rejected.append((line, f"the label {said[:40]!r} is unknown"))
        else:
            decisions.append(
                NewLabel(
                    example_id=example_id,
                    label_id=label.id,
                    person=by,
                    origin=Origin.BLIND if blind else Origin.ASSISTED,
                    run_id=None if blind else run_id,
                    note=note,
                    mode=Mode.FILE,
                    deed=deed,
                )
            )
    stored = ws.store.labels.append(task_id, decisions, ws.now()) if decisions else 0
    return stored, sorted(rejected)


def _cells(table: Table) -> list[tuple[int, str, str, str]]:
    """Return line, id, label and note of every row."""
    id_column, label_column = table.column("id", "id"), table.column("label", "label")
    note_column = next((c for c in table.columns if c.strip().casefold() == "note"), "")
    return [
        (
            line,
            row.get(id_column, "").strip(),
            row.get(label_column, "").strip(),
            row.get(note_column, "").strip(),
        )
        for line, row in table.rows
    ]


def _measured(seconds: float | None) -> float | None:
    """Return a time that can be; a browser can send anything."""
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_LOOK_S else None


def _check(ws: Workspace, task_id: int, run_id: int | None, by: str) -> None:
    """Refuse decisions of nobody, and those on a run that is not of the task."""
    if not by.strip():
        raise InputError("Nobody is named as the person who decides.", next_step="Give your name.")
    if run_id is not None and ws.store.runs.get(run_id).task_id != task_id:
        raise InputError(
            f"Run {run_id} belongs to another task; nothing was stored.",
            next_step="See `studio run list`.",
        )
