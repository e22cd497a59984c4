"""What experts do with rationales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.domain.coded_rationale import CodedRationale
from studio.domain.evaluation import Figure
from studio.domain.example import Split
from studio.domain.rationale import Evidence, Rationale, find_evidence
from studio.errors import InputError, NotFoundError
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.rule_board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class RationaleRecord:
    """What became of a rationale.

    Attributes:
        rationale: The reason itself.
        rules: Its coded forms, silenced ones too.
        fires: Examples of train and validation that some of its rules speak on.
        decided: Label id to how many examples its rules gave that label, alone or with others.
        precision: Share of its rules' votes on blind gold that are right.
        example_ids: The examples it came from: its own, and those of rationales that say the same.
    """

    rationale: Rationale
    rules: tuple[CodedRationale, ...]
    fires: int
    decided: dict[int, int]
    precision: Figure
    example_ids: tuple[int, ...]


def record_rationale(
    ws: Workspace,
    task_id: int,
    *,
    label: str,
    text: str,
    example_id: int | None = None,
    evidence: Sequence[str | Evidence] = (),
    by: str,
) -> int:
    """Store why an expert gives a label, with the words of the example it points at.

    Words stand where they stand first; an `Evidence` says which of several places is meant.

    Returns:
        The rationale's id.

    Raises:
        InputError: If the text is empty, the label unknown, the words are not in the example, or
            the example is of the test split, whose words must never reach a prompt.
    """
    clean = " ".join(text.split())
    if not clean:
        raise InputError(
            "The rationale is empty.", next_step="Say in a sentence why the label fits."
        )
    task = ws.store.tasks.get(task_id)
    found: tuple[Evidence, ...] = ()
    if example_id is not None:
        example = ws.store.examples.get(task_id, example_id)
        if example.split is Split.TEST:
            raise InputError(
                f"Example {example.external_id} is of the locked test split.",
                next_step="Write the reason about an example of train or validation.",
            )
        found = _standing(example.text, evidence)
    elif any(evidence):
        raise InputError("Evidence needs an example.", next_step="Choose the example it stands in.")
    return ws.store.rationales.add(
        task_id,
        label_id=task.label(label).id,
        text=clean,
        example_id=example_id,
        evidence=found,
        author=by,
        at=ws.now(),
    )


def retire_rationale(ws: Workspace, task_id: int, rationale_id: int, *, back: bool = False) -> None:
    """Take a rationale out of use, or bring it back; nothing is deleted.

    Raises:
        NotFoundError: If the task has no such rationale.
    """
    if rationale_id not in {r.id for r in _all(ws, task_id)}:
        raise _unknown(rationale_id)
    ws.store.rationales.retire(task_id, rationale_id, None if back else ws.now())


def rationale_record(
    ws: Workspace, task_id: int, rationale_id: int, board: Board | None = None
) -> RationaleRecord:
    """Return what became of one rationale; see `rationale_records`.

    Raises:
        NotFoundError: If the task has no such rationale.
    """
    found = rationale_records(ws, task_id, board).get(rationale_id)
    if found is None:
        raise _unknown(rationale_id)
    return found


def rationale_records(
    ws: Workspace, task_id: int, board: Board | None = None
) -> dict[int, RationaleRecord]:
    """Return what became of each rationale, retired ones too, by its id.

    Args:
        ws: The workspace.
        task_id: The task.
        board: What rules are tried on; opened when None.
    """
    import numpy as np  # a command that stores a rationale does without

    from studio.analysis.intervals import wilson
    from studio.analysis.joining import join_votes
    from studio.handlers.boards import open_board, open_corpus

    board = board or open_board(ws, task_id, open_corpus(ws, task_id))
    matrix, task = board.matrix, board.task
    label_ids = [label.id for label in task.labels]
    joined = join_votes(matrix, board.rules, task.fallback_label_id, label_ids)
    fires = matrix.fires
    right = fires & ((matrix.labels == board.gold[:, None]) != matrix.against)
    judged = fires & (board.gold != 0)[:, None]
    rules = ws.read.rules.all(task_id)
    everything = _all(ws, task_id)
    records = {}
    for one in everything:
        own = tuple(rule for rule in rules if rule.rationale_id == one.id)
        ids = {rule.id for rule in own}
        columns = [i for i, rule_id in enumerate(matrix.rule_ids) if rule_id in ids]
        spoken = np.flatnonzero(fires[:, columns].any(axis=1)).tolist()
        decided = Counter(joined[i].label_id for i in spoken if ids & set(joined[i].deciding))
        records[one.id] = RationaleRecord(
            rationale=one,
            rules=own,
            fires=len(spoken),
            decided={label_id: n for label_id, n in decided.most_common() if label_id},
            precision=wilson(
                int((right & judged)[:, columns].sum()), int(judged[:, columns].sum())
            ),
            example_ids=_sources(one, everything),
        )
    return records


def _standing(text: str, evidence: Sequence[str | Evidence]) -> tuple[Evidence, ...]:
    """Return where the words stand; a place at which other words stand is looked for anew."""
    found: list[Evidence] = []
    for piece in evidence:
        words = piece if isinstance(piece, str) else piece.words
        if isinstance(piece, Evidence) and text[piece.start : piece.end] == words:
            found.append(piece)
        elif words.strip():
            found += find_evidence(text, [words.strip()])
    return tuple(found)


def _sources(one: Rationale, everything: Sequence[Rationale]) -> tuple[int, ...]:
    said = (one.label_id, one.text.casefold())
    same = [r for r in everything if (r.label_id, r.text.casefold()) == said]
    return tuple(sorted({r.example_id for r in same if r.example_id is not None}))


def _all(ws: Workspace, task_id: int) -> list[Rationale]:
    return [*ws.read.rationales.all(task_id), *ws.read.rationales.all(task_id, retired=True)]


def _unknown(rationale_id: int) -> NotFoundError:
    return NotFoundError(
        f"There is no rationale {rationale_id} in this task.",
        next_step="See `studio rationale list`.",
    )
