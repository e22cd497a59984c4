"""What the rules of a task say of its examples; joining and scoring the votes is found here too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.analysis.joining import Joined, join_votes, joined_predictions
from studio.analysis.matching import check_condition, holds
from studio.analysis.rule_scores import RuleScore, rule_report
from studio.analysis.vote_matrix import VoteMatrix, matrix_of
from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.example import Example
from studio.errors import InputError

__all__ = [
    "Joined",
    "RuleScore",
    "VoteMatrix",
    "apply_rules",
    "check_rule",
    "join_votes",
    "joined_predictions",
    "matrix_of",
    "rule_report",
]

_CHUNK = 20_000


def check_rule(body: RuleBody) -> None:
    """Refuse a rule that can never be applied.

    Raises:
        InputError: With the rule's name, for a pattern RE2 refuses and for words without letters.
    """
    for condition in body.conditions:
        try:
            check_condition(condition)
        except InputError as error:
            raise InputError(
                f"Rule {body.name!r}: {error.message}", next_step=error.next_step
            ) from None


def apply_rules(rules: Sequence[CodedRationale], examples: Sequence[Example]) -> VoteMatrix:
    """Return the votes of all enabled rules on all examples.

    A rule whose scope is a metadata column abstains where the column is missing.

    Raises:
        InputError: As `check_rule`.
    """
    rules = sorted((r for r in rules if r.enabled), key=lambda r: (r.position, r.id))
    for rule in rules:
        check_rule(rule.body)
    labels = np.zeros((len(examples), len(rules)), dtype=np.int32)
    for start in range(0, len(examples), _CHUNK):
        part = examples[start : start + _CHUNK]
        for scope in {rule.body.scope for rule in rules}:
            columns = [i for i, rule in enumerate(rules) if rule.body.scope == scope]
            fires = _fire([rules[i].body for i in columns], scope, part)
            ids = np.array([rules[i].label_id for i in columns], dtype=np.int32)
            labels[start : start + len(part), columns] = fires.T * ids
    return VoteMatrix(
        rule_ids=tuple(rule.id for rule in rules),
        example_ids=tuple(e.id for e in examples),
        labels=labels,
        against=np.array([rule.body.against for rule in rules], dtype=np.bool_),
    )


def _fire(bodies: Sequence[RuleBody], scope: str, examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Return truths of shape (rules, examples)."""
    rows = [e.metadata for e in examples]
    known = np.ones(len(examples), dtype=np.bool_)
    if scope == "text":
        texts = [e.text for e in examples]
    else:
        texts = [row.get(scope, "") for row in rows]
        known = np.array([scope in row for row in rows], dtype=np.bool_)
    held = holds([c for body in bodies for c in body.conditions], texts, rows)
    fires = np.zeros((len(bodies), len(examples)), dtype=np.bool_)
    for i, body in enumerate(bodies):
        fires[i] = known
        for condition in body.all:
            fires[i] &= held[condition]
        if body.any:
            fires[i] &= np.logical_or.reduce([held[c] for c in body.any])
        for condition in body.none:
            fires[i] &= ~held[condition]
    return fires
