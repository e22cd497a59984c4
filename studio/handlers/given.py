"""Truths of conditions that no text tells: likeness, answers of prompts, votes made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from studio.domain.coded_rationale import RuleBody
from studio.domain.conditions import Answer, Condition, Similar, Votes, condition_hash
from studio.domain.example import Split
from studio.domain.task import Task
from studio.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.store.store import Store


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of such conditions on some examples.

    Attributes:
        truths: Condition to a truth an example; false where nothing is known.
        unknown: Conditions whose likeness is not computed for all of the examples yet.
    """

    truths: dict[Condition, NDArray[np.bool_]] = field(default_factory=dict)
    unknown: tuple[Similar, ...] = ()


def read_given(
    store: Store,
    task_id: int,
    conditions: Iterable[Condition],
    ids: NDArray[np.int64],
    *,
    before_run: int | None = None,
) -> Given:
    """Return what is stored of the conditions that no text tells; others are left out.

    Args:
        store: The store, or its reader.
        task_id: The task.
        conditions: Any conditions of rules.
        ids: n example ids.
        before_run: Answers of this run and of later ones do not count.
    """
    truths: dict[Condition, NDArray[np.bool_]] = {}
    unknown: list[Similar] = []
    for condition in dict.fromkeys(conditions):
        if isinstance(condition, Similar):
            cosines, known = store.firings.load(task_id, likeness_key(condition), ids)
            truths[condition] = known & (cosines >= condition.min)
            if not known.all():
                unknown.append(condition)
        elif isinstance(condition, Votes):
            truths[condition], _ = store.firings.load(task_id, votes_key(condition.digest), ids)
        elif isinstance(condition, Answer):
            truths[condition] = _answered(store, task_id, condition, ids, before_run)
    return Given(truths, tuple(unknown))


def likeness_key(condition: Similar) -> str:
    """Return where the greatest cosines to these examples are kept, whatever the least one asked.

    >>> likeness_key(Similar(("b", "a"), 0.7)) == likeness_key(Similar(("a", "b"), 0.6))
    True
    """
    examples = tuple(sorted(condition.examples))
    return f"similar:{condition_hash(replace(condition, examples=examples, min=0))}"


def votes_key(digest: str) -> str:
    """Return where votes made elsewhere are kept."""
    return f"votes:{digest}"


def _answered(
    store: Store, task_id: int, condition: Answer, ids: NDArray[np.int64], before_run: int | None
) -> NDArray[np.bool_]:
    import numpy as np

    held = np.zeros(len(ids), dtype=np.bool_)
    if not len(ids):
        return held
    said = store.rules.answers(
        task_id, condition.prompt, condition.version,
        first=int(ids.min()), last=int(ids.max()), before_run=before_run,
    )  # fmt: skip
    least = condition.min or 0.0
    yes = [
        example_id
        for example_id, (label, confidence) in said.items()
        if label in condition.labels and (condition.min is None or (confidence or 0.0) >= least)
    ]
    held[np.isin(ids, np.array(yes, dtype=np.int64))] = True
    return held


def check_given(store: Store, task: Task, body: RuleBody) -> None:
    """Refuse a rule that rests on something this task does not have, or may not show.

    Raises:
        InputError: For examples that are not there or of the test split, a prompt version or an
            answer that is not there, and votes that were not imported here.
    """
    for condition in body.conditions:
        try:
            if isinstance(condition, Similar):
                _check_examples(store, task, condition)
            elif isinstance(condition, Votes):
                _check_votes(store, task, condition)
            elif isinstance(condition, Answer):
                store.prompts.find(task.id, f"{condition.prompt}:{condition.version}")
                for label in condition.labels:
                    task.label(label)
        except InputError as error:
            raise type(error)(
                f"Rule {body.name!r}: {error.message}", next_step=error.next_step
            ) from None


def _check_examples(store: Store, task: Task, condition: Similar) -> None:
    ids = store.examples.by_external_id(task.id, condition.examples)
    if missing := [name for name in condition.examples if name not in ids]:
        raise InputError(
            f"There is no example {missing[0]!r} in the task {task.name!r}.",
            next_step="Name examples by the ids their file gave them.",
        )
    for example in store.examples.some(task.id, list(ids.values())):
        if example.split is Split.TEST:
            raise InputError(
                f"Example {example.external_id!r} is of the test split, which rules never look at.",
                next_step="Name examples of train or validation.",
            )


def _check_votes(store: Store, task: Task, condition: Votes) -> None:
    if not store.firings.has(task.id, votes_key(condition.digest)):
        raise InputError(
            f"The votes of {condition.source!r} are not in the task {task.name!r}.",
            next_step="Import them with `studio rule import TASK --votes FILE`.",
        )
