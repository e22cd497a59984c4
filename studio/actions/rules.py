"""What analysts do with rules (coded rationales)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from studio.analysis.rule_scores import RuleScore, rule_report
from studio.analysis.votes import apply_rules, check_rule
from studio.domain.coded_rationale import CodedRationale, RuleBody, parse_rule, rule_to_dict
from studio.domain.example import Split
from studio.errors import InputError
from studio.workspace import Workspace

OPEN_SPLITS = (Split.TRAIN.value, Split.VALIDATION.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePreview:
    """What a rule would do, before it is saved.

    Attributes:
        score: Coverage, conflicts, and accuracy on gold of train and validation.
        fires_on: Ids of the examples it votes on, in those splits.
        looked_at: Number of examples in those splits.
    """

    score: RuleScore
    fires_on: tuple[int, ...]
    looked_at: int


def read_rule(text: str) -> RuleBody:
    """Read one rule from YAML or JSON text.

    Raises:
        InputError: With the line or the key to mend.
    """
    return parse_rule(_load(text))


def save_rule(
    ws: Workspace, task_id: int, body: RuleBody, *, rationale_id: int | None = None, by: str
) -> CodedRationale:
    """Store a rule, or a new version of the rule of this name.

    Raises:
        InputError: If its label is unknown or a pattern cannot be used.
    """
    task = ws.store.tasks.get(task_id)
    check_rule(body)
    label = task.label(body.label)
    if rationale_id is None and body.rationale:
        rationale_id = ws.store.rationales.by_external_id(task_id).get(body.rationale)
    return ws.store.rules.save(
        task_id, body, label_id=label.id, rationale_id=rationale_id, by=by, at=ws.now()
    )


def preview_rule(ws: Workspace, task_id: int, body: RuleBody) -> RulePreview:
    """Return what a rule would do on train and validation, beside the rules in force."""
    task = ws.store.tasks.get(task_id)
    check_rule(body)
    draft = CodedRationale(id=0, label_id=task.label(body.label).id, body=body, position=10**6)
    others = [r for r in ws.read.rules.all(task_id, enabled_only=True) if r.body.name != body.name]
    examples = ws.read.examples.all(task_id, OPEN_SPLITS)
    rules = [*others, draft]
    matrix = apply_rules(rules, examples)
    scores = rule_report(matrix, rules, _gold(ws, task_id, OPEN_SPLITS))
    fired = matrix.fires[:, matrix.rule_ids.index(0)]
    return RulePreview(
        score=next(score for score in scores if score.rule_id == 0),
        fires_on=tuple(i for i, hit in zip(matrix.example_ids, fired, strict=True) if hit),
        looked_at=len(examples),
    )


def report_rules(
    ws: Workspace, task_id: int, splits: Sequence[str] = OPEN_SPLITS
) -> list[RuleScore]:
    """Return how each rule in force does on the gold of the splits, in the expert's order."""
    rules = ws.read.rules.all(task_id, enabled_only=True)
    matrix = apply_rules(rules, ws.read.examples.all(task_id, splits))
    return rule_report(matrix, rules, _gold(ws, task_id, splits))


def order_rules(ws: Workspace, task_id: int, names: Sequence[str]) -> None:
    """Put the named rules first, in this order.

    Raises:
        NotFoundError: If there is no rule of one of the names.
    """
    ws.store.rules.order(task_id, [ws.store.rules.by_name(task_id, name).id for name in names])


def enable_rule(ws: Workspace, task_id: int, name: str, *, enabled: bool) -> None:
    """Let a rule vote, or keep it silent."""
    ws.store.rules.enable(task_id, ws.store.rules.by_name(task_id, name).id, enabled)


def choose_fallback(ws: Workspace, task_id: int, label: str | None) -> None:
    """Say what rules answer where none of them votes; None abstains."""
    task = ws.store.tasks.get(task_id)
    ws.store.tasks.set_fallback(task_id, task.label(label).id if label else None)


def import_rules(ws: Workspace, task_id: int, text: str, *, by: str) -> list[CodedRationale]:
    """Store every rule of a YAML file (`rules:` and optionally `fallback:`); all or none.

    Raises:
        InputError: With the rule and the key to mend; nothing is stored then.
    """
    data = _load(text)
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
        raise InputError("The file has no list under `rules:`.", next_step="See docs/rules.md.")
    task = ws.store.tasks.get(task_id)
    bodies = [parse_rule(item) for item in data["rules"]]
    known = ws.store.rationales.by_external_id(task_id)
    with ws.store.transaction():
        saved = []
        for body in bodies:
            check_rule(body)
            saved.append(
                ws.store.rules.save(
                    task_id,
                    body,
                    label_id=task.label(body.label).id,
                    rationale_id=known.get(body.rationale),
                    by=by,
                    at=ws.now(),
                )
            )
        if data.get("fallback"):
            ws.store.tasks.set_fallback(task_id, task.label(str(data["fallback"])).id)
    return saved


def export_rules(ws: Workspace, task_id: int) -> str:
    """Return the rules in force as the YAML that `import_rules` reads."""
    task = ws.read.tasks.get(task_id)
    data: dict[str, Any] = {}
    if fallback := task.name_of(task.fallback_label_id):
        data["fallback"] = fallback
    data["rules"] = [rule_to_dict(r.body) for r in ws.read.rules.all(task_id, enabled_only=True)]
    return print_yaml(data)


def print_rule(body: RuleBody) -> str:
    """Return one rule as the YAML that `read_rule` reads."""
    return print_yaml(rule_to_dict(body))


def print_yaml(data: Any) -> str:
    """Return plain values as YAML, in the order given."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _load(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InputError(
            f"The rule cannot be read{where}: {getattr(error, 'problem', None) or 'not YAML'}.",
            next_step="Check colons and indentation there.",
        ) from None


def _gold(ws: Workspace, task_id: int, splits: Sequence[str]) -> dict[int, int]:
    gold = ws.read.labels.gold(task_id, splits, blind_only=True)
    return {example_id: g.label_id for example_id, g in gold.items()}
