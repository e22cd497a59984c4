"""What experts do with rationales."""

from __future__ import annotations

from collections.abc import Sequence

from studio.domain.example import Split
from studio.domain.rationale import Evidence, find_evidence
from studio.errors import InputError, NotFoundError
from studio.workspace import Workspace


def record_rationale(
    ws: Workspace,
    task_id: int,
    *,
    label: str,
    text: str,
    example_id: int | None = None,
    evidence: Sequence[str] = (),
    by: str,
) -> int:
    """Store why an expert gives a label, with the words of the example it points at.

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
        found = find_evidence(example.text, [w.strip() for w in evidence if w.strip()])
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
    known = [*ws.store.rationales.all(task_id), *ws.store.rationales.all(task_id, retired=True)]
    if rationale_id not in {r.id for r in known}:
        raise NotFoundError(
            f"There is no rationale {rationale_id} in this task.",
            next_step="See `studio rationale list`.",
        )
    ws.store.rationales.retire(task_id, rationale_id, None if back else ws.now())
