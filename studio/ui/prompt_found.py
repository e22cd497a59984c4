"""What came of a preview: two runs on one sample, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.actions.evaluations import compare_runs, evaluate_run
from studio.domain.evaluation import Comparison, Evaluation, Figure
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import count
from studio.workspace import Workspace

SPLIT = "train+validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A preview that was asked for.

    Attributes:
        run_id: The run of the draft.
        before_id: The run of the version before; None without one.
        before: What that version is called.
        text: Hash of the draft that was tried.
    """

    run_id: int
    before_id: int | None
    before: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a preview.

    Attributes:
        now, then: Accuracy of draft and version before; None without gold.
        majority: The most common gold label and the accuracy of always saying it; ("", 0) without.
        comparison: The two compared; None without both or without gold.
        rows: Examples whose label changed, or which are wrong.
        changed: Labels that changed, gold or not.
        asked: Examples of the sample.
        notes: What the model's reader says of the prompt.
        unused: Lines it could not use.
    """

    now: Figure | None
    then: Figure | None
    majority: tuple[str, float]
    comparison: Comparison | None
    rows: list[dict[str, Any]]
    changed: int
    asked: int
    notes: list[str]
    unused: list[str]


def found_by(ws: Workspace, task: Task, shown: Shown) -> Found:
    """Return what came of a preview; computed anew when anything of the task was written."""
    return _found(str(ws.path), task.id, task.revision, shown, ws)


def comparison_sentence(c: Comparison) -> str:
    """Return in a sentence whether the draft is better than the version before.

    >>> def c(low, high, needed):
    ...     d = Figure(value=0.05, low=low, high=high, n=40)
    ...     return Comparison(
    ...         runs=(1, 2),
    ...         metric="accuracy",
    ...         n=40,
    ...         difference=d,
    ...         p=0.1,
    ...         fixed=(),
    ...         broke=(),
    ...         changed=0,
    ...         needed=needed,
    ...     )
    >>> comparison_sentence(c(-0.05, 0.15, 120))
    'Not enough to tell: +5.0 points [-5.0, +15.0] on 40 examples. About 120 more would tell.'
    >>> comparison_sentence(c(0.01, 0.15, None))
    'Better: +5.0 points [+1.0, +15.0] on 40 examples.'
    """
    d = c.difference
    points = f"{100 * d.value:+.1f} points [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    said = f"{points} on {count(d.n, 'example')}."
    if c.tells:
        return f"{'Better' if d.low > 0 else 'Worse'}: {said}"
    if not c.fixed and not c.broke and d.value == 0:
        return f"No difference on {count(d.n, 'example')} with gold."
    more = f" About {c.needed:,} more would tell." if c.needed else ""
    return f"Not enough to tell: {said}{more}"


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _found(path: str, task_id: int, revision: int, shown: Shown, _ws: Workspace) -> Found:
    task = _ws.read.tasks.get(task_id)
    now = {p.example_id: p for p in _ws.read.runs.predictions(shown.run_id)}
    before_id = shown.before_id
    then = {p.example_id: p for p in _ws.read.runs.predictions(before_id)} if before_id else {}
    gold = _ws.read.labels.gold(task_id, ("train", "validation"), ids=list(now))
    comparison = None
    if before_id is not None:
        try:
            comparison = compare_runs(
                _ws, before_id, shown.run_id, split=SPLIT, metric="accuracy", by="studio"
            )
        except InputError:  # no gold in the sample: the labels are shown all the same
            comparison = None
    rows: list[dict[str, Any]] = []
    for example in _ws.read.examples.some(task_id, list(now)):
        said = now[example.id].label_id
        was = then[example.id].label_id if example.id in then else None
        right = gold[example.id].label_id if example.id in gold else None
        kinds: list[str] = []
        if example.id in then and said != was:
            kinds.append("Changed")
        if comparison and example.id in comparison.fixed:
            kinds.append("Fixed")
        if comparison and example.id in comparison.broke:
            kinds.append("Broke")
        if right is not None and said != right:
            kinds.append("Wrong")
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "before": task.name_of(was),
                "now": task.name_of(said),
                "gold": task.name_of(right),
                "kinds": kinds,
            }
        )
    detail: dict[str, Any] = {}
    if now:
        answer = _ws.read.runs.answer(shown.run_id, next(iter(now)))
        detail = answer.detail if answer else {}
    told = _evaluation(_ws, shown.run_id)
    was_told = _evaluation(_ws, before_id) if before_id else None
    return Found(
        now=told.accuracy if told else None,
        then=was_told.accuracy if was_told else None,
        majority=(told.majority_label, told.majority) if told else ("", 0.0),
        comparison=comparison,
        rows=rows,
        changed=sum("Changed" in row["kinds"] for row in rows),
        asked=len(rows),
        notes=[n for n in detail.get("notes", []) if not str(n).startswith("The text")],
        unused=[str(line) for line in detail.get("unused_lines", [])],
    )


def _evaluation(ws: Workspace, run_id: int) -> Evaluation | None:
    try:
        return evaluate_run(ws, run_id, split=SPLIT, by="studio")
    except InputError:
        return None
