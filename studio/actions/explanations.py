"""Why the rules say of one example what they say."""

from __future__ import annotations

from dataclasses import dataclass

from studio.analysis.corpus import Corpus
from studio.analysis.joining import EXPERT, Explanation, Joining, explain
from studio.domain.coded_rationale import CodedRationale
from studio.domain.example import Example, Split
from studio.domain.run import ClassifierKind
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.rules_and_text import PARAM
from studio.handlers.votes import find_votes
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why an example has its label.

    Attributes:
        explanation: The answer of the rules together, and who said what with which weight.
        rules: Rule id to the rule, as it was when it voted.
        joining: How the votes were joined.
    """

    explanation: Explanation
    rules: dict[int, CodedRationale]
    joining: Joining


def explain_label(
    ws: Workspace, task_id: int, example_id: int, joining: Joining = EXPERT
) -> Explained:
    """Return what the rules in force say of an example of train or validation.

    Args:
        ws: The workspace.
        task_id: The task.
        example_id: The example.
        joining: How the task joins votes, see `rule_reports.task_joining`.

    Raises:
        InputError: If the example is of test.
    """
    _refuse_test(ws.read.examples.get(task_id, example_id))
    task = ws.read.tasks.get(task_id)
    rules = ws.read.rules.all(task_id, enabled_only=True)
    return _explained(ws, task, rules, example_id, joining)


def explain_run_label(ws: Workspace, run_id: int, example_id: int) -> Explained:
    """Return what the rules of a run said of an example, as they were when it was started.

    Raises:
        InputError: If no rules took part in the run, or the example is of test and has no gold.
    """
    run = ws.read.runs.get(run_id)
    params = ws.read.runs.params(run_id)
    if run.kind not in (ClassifierKind.RULES, ClassifierKind.JOINED):
        raise InputError(f"No rules took part in run {run_id}.", next_step="Open a run of rules.")
    task = ws.read.tasks.get(run.task_id)
    if not ws.read.labels.gold(task.id, ids=[example_id]):
        _refuse_test(ws.read.examples.get(task.id, example_id))
    rules = ws.read.rules.frozen(task.id, params["rules"])
    told = params.get(PARAM, params).get("joining") or {}
    joining = Joining.from_dict(told) if "accuracy" in told else EXPERT
    return _explained(ws, task, rules, example_id, joining, before_run=run_id)


def _refuse_test(example: Example) -> None:
    """Refuse an example whose label people are still to give without a model's or rule's word."""
    if example.split is Split.TEST:
        raise InputError(
            f"Example {example.external_id!r} is of the locked test split.",
            next_step="Choose one of train or validation, or open a run's labels once it has gold.",
        )


def _explained(
    ws: Workspace,
    task: Task,
    rules: list[CodedRationale],
    example_id: int,
    joining: Joining,
    before_run: int | None = None,
) -> Explained:
    corpus = Corpus.of(ws.read.examples.some(task.id, [example_id]))
    matrix = find_votes(ws.read, task.id, rules, corpus, before_run=before_run).matrix
    label_ids = [label.id for label in task.labels]
    found = explain(matrix, rules, example_id, label_ids, joining, task.fallback_label_id)
    return Explained(explanation=found, rules={rule.id: rule for rule in rules}, joining=joining)
