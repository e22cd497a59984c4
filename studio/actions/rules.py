"""What analysts do with rules (coded rationales)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from studio.analysis.joining import JoiningMethod
from studio.analysis.plain_yaml import load_words, print_yaml
from studio.analysis.rule_board import Board, RulePreview, try_rule
from studio.analysis.rule_scores import RuleScore, rule_report
from studio.analysis.votes import check_rule
from studio.domain.arranging import rearranged
from studio.domain.coded_rationale import (
    NO_WORDS,
    CodedRationale,
    RuleBody,
    parse_rule,
    rule_to_dict,
)
from studio.domain.conditions import Similar, Votes
from studio.domain.plain_values import name_in
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.boards import OPEN_SPLITS, OpenCorpus, open_board, open_corpus, open_gold
from studio.handlers.given import check_given, read_given
from studio.handlers.joined import chosen_joining, fit_votes, joining_setting
from studio.workspace import Workspace

__all__ = [
    "OPEN_SPLITS",
    "Board",
    "OpenCorpus",
    "RulePreview",
    "choose_fallback",
    "choose_joining",
    "chosen_joining",
    "compute_likeness",
    "enable_rule",
    "export_rules",
    "import_rules",
    "open_board",
    "open_corpus",
    "order_rules",
    "preview_rule",
    "print_rule",
    "print_yaml",
    "read_rule",
    "rearrange_rules",
    "report_rules",
    "save_rule",
    "try_rule",
]


def read_rule(text: str) -> RuleBody:
    """Read one rule from YAML or JSON text.

    Raises:
        InputError: With the line or the key to mend.
    """
    return parse_rule(load_words(text, but=NO_WORDS, what="The rule"))


def save_rule(
    ws: Workspace, task_id: int, body: RuleBody, *, rationale_id: int | None = None, by: str
) -> CodedRationale:
    """Store a rule, or a new version of the rule of this name.

    Where it asks for likeness that is not known yet, the job that computes it is filed too.

    Raises:
        InputError: If its label is unknown, a pattern cannot be used, or it rests on examples, a
            prompt or votes that the task does not have.
    """
    task = ws.store.tasks.get(task_id)
    _check(ws, task, body)
    if rationale_id is None and body.rationale:
        rationale_id = ws.store.rationales.by_external_id(task_id).get(body.rationale)
    rule = _save(ws, task, body, rationale_id, by)
    compute_likeness(ws, task_id, [body])
    return rule


def preview_rule(ws: Workspace, task_id: int, body: RuleBody) -> RulePreview:
    """Return what a rule would do on train and validation, beside the rules in force.

    Who tries one rule after another opens corpus and board once, and calls `try_rule`.
    """
    return try_rule(open_board(ws, task_id, open_corpus(ws, task_id)), body)


def compute_likeness(ws: Workspace, task_id: int, bodies: Sequence[RuleBody]) -> int | None:
    """File the job that finds out which examples are like those that rules name.

    Returns:
        The job; None when all of it is known.

    Raises:
        InputError: If an example is not there, or is of the test split.
    """
    asked = [body for body in bodies if any(isinstance(c, Similar) for c in body.conditions)]
    if not asked:
        return None
    task = ws.store.tasks.get(task_id)
    ids = np.array(ws.store.examples.ids(task_id), dtype=np.int64)
    for body in asked:
        check_given(ws.store, task, body)
    given = read_given(ws.store, task_id, [c for body in asked for c in body.conditions], ids)
    if not given.unknown:
        return None
    params = {"priority": "high", "tried": [rule_to_dict(body) for body in asked]}
    with ws.store.transaction():
        waiting = [
            job.id
            for job in ws.store.jobs.open()
            if job.kind == "votes" and job.subject_id == task_id and job.params == params
        ]
        job_id = waiting[0] if waiting else ws.store.jobs.file(
            kind="votes", subject_id=task_id, total=len(ids), now=ws.clock(), params=params
        )  # fmt: skip
    ws.wake()
    return job_id


def report_rules(ws: Workspace, task_id: int) -> list[RuleScore]:
    """Return how each rule in force does on train and validation, in the expert's order.

    Of more than 100,000 examples a sample is looked at, and all that have gold.
    """
    board = open_board(ws, task_id, open_corpus(ws, task_id))
    return rule_report(board.matrix, board.rules, open_gold(ws, task_id))


def order_rules(ws: Workspace, task_id: int, names: Sequence[str]) -> None:
    """Put the named rules first, in this order.

    Raises:
        NotFoundError: If there is no rule of one of the names.
    """
    ws.store.rules.order(task_id, [ws.store.rules.by_name(task_id, name).id for name in names])


def rearrange_rules(
    ws: Workspace, task_id: int, before: Sequence[int], after: Sequence[int]
) -> None:
    """Move the rules that somebody moved; what others moved or added meanwhile stays.

    Args:
        ws: The workspace.
        task_id: The task.
        before: Ids of the rules as that person saw them.
        after: The same ids in the order wanted.
    """
    with ws.store.transaction():
        now = [rule.id for rule in ws.store.rules.all(task_id)]
        ws.store.rules.order(task_id, rearranged(now, before, after))


def enable_rule(ws: Workspace, task_id: int, name: str, *, enabled: bool) -> None:
    """Let a rule vote, or keep it silent."""
    ws.store.rules.enable(task_id, ws.store.rules.by_name(task_id, name).id, enabled)


def choose_fallback(ws: Workspace, task_id: int, label: str | None) -> None:
    """Say what rules answer where none of them votes; None abstains."""
    task = ws.store.tasks.get(task_id)
    ws.store.tasks.set_fallback(task_id, task.label(label).id if label else None)


def choose_joining(ws: Workspace, task_id: int, method: str) -> None:
    """Say how runs of the rules join their votes from now on: expert, weighted or label_model.

    It is never changed but here. Each run fits its weights anew and keeps them.

    Raises:
        InputError: If there is no such way, or it cannot be fitted on the gold there is.
    """
    if method not in set(JoiningMethod):
        raise InputError(
            f"There is no way {method!r} to join votes.",
            next_step=f"Use one of {', '.join(JoiningMethod)}.",
        )
    if method != JoiningMethod.EXPERT:
        task = ws.store.tasks.get(task_id)
        fit_votes(ws, task, ws.store.rules.all(task_id, enabled_only=True), method)
    ws.store.tasks.set_setting(joining_setting(task_id), method)


def import_rules(ws: Workspace, task_id: int, text: str, *, by: str) -> list[CodedRationale]:
    """Store every rule of a YAML file (`rules:` and optionally `fallback:`); all or none.

    Raises:
        InputError: With the rule and the key to mend; nothing is stored then.
    """
    data = load_words(text, but=NO_WORDS)
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
        raise InputError("The file has no list under `rules:`.", next_step="See docs/rules.md.")
    task = ws.store.tasks.get(task_id)
    bodies = [parse_rule(item) for item in data["rules"]]
    if twice := [name for name, n in Counter(body.name for body in bodies).items() if n > 1]:
        raise InputError(
            f"The file has more than one rule {twice[0]!r}.", next_step="Name each by its own name."
        )
    known = ws.store.rationales.by_external_id(task_id)
    with ws.store.transaction():
        for body in bodies:
            _check(ws, task, body)
        saved = [_save(ws, task, body, known.get(body.rationale), by) for body in bodies]
        if data.get("fallback"):
            fallback = name_in(data, "fallback", "The file")
            ws.store.tasks.set_fallback(task_id, task.label(fallback).id)
    compute_likeness(ws, task_id, bodies)
    return saved


def export_rules(ws: Workspace, task_id: int) -> str:
    """Return the rules in force as the YAML that `import_rules` reads.

    Rules made of imported votes are left out, and a comment names them: their votes stand in no
    rule, and come from the file they were imported from.
    """
    task = ws.read.tasks.get(task_id)
    data: dict[str, Any] = {}
    if fallback := task.name_of(task.fallback_label_id):
        data["fallback"] = fallback
    bodies = [rule.body for rule in ws.read.rules.all(task_id, enabled_only=True)]
    imported = [body for body in bodies if any(isinstance(c, Votes) for c in body.conditions)]
    data["rules"] = [rule_to_dict(body) for body in bodies if body not in imported]
    note = f"# Left out, made of imported votes: {', '.join(b.name for b in imported)}\n"
    return (note if imported else "") + print_yaml(data)


def print_rule(body: RuleBody) -> str:
    """Return one rule as the YAML that `read_rule` reads."""
    return print_yaml(rule_to_dict(body))


def _check(ws: Workspace, task: Task, body: RuleBody) -> None:
    check_rule(body)
    task.label(body.label)
    check_given(ws.store, task, body)


def _save(
    ws: Workspace, task: Task, body: RuleBody, rationale_id: int | None, by: str
) -> CodedRationale:
    label_id = task.label(body.label).id
    return ws.store.rules.save(
        task.id, body, label_id=label_id, rationale_id=rationale_id, by=by, at=ws.now()
    )
