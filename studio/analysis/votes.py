"""What the rules of a task say of its examples; joining and scoring the votes is found here too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from studio.analysis.corpus import Bools, Corpus
from studio.analysis.joining import Joined, join_votes, joined_predictions
from studio.analysis.matching import check_conditions, holds
from studio.analysis.rule_scores import RuleScore, rule_report
from studio.analysis.vote_matrix import VoteMatrix, matrix_of
from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.conditions import Condition
from studio.domain.example import Example
from studio.errors import InputError

__all__ = [
    "Joined",
    "RuleScore",
    "VoteMatrix",
    "apply_rules",
    "check_rule",
    "fires",
    "join_votes",
    "joined_predictions",
    "matrix_of",
    "rule_report",
]

_CHUNK = 50_000
_NONE_GIVEN: Mapping[Condition, Bools] = MappingProxyType({})


def check_rule(body: RuleBody) -> None:
    """Refuse a rule that can never be applied.

    Raises:
        InputError: With the rule's name, for a pattern RE2 refuses and for words without letters.
    """
    try:
        check_conditions(body.conditions)
    except InputError as error:
        raise InputError(
            f"Rule {body.name!r}: {error.message}", next_step=error.next_step
        ) from None


def apply_rules(
    rules: Sequence[CodedRationale],
    examples: Sequence[Example] | Corpus,
    given: Mapping[Condition, Bools] = _NONE_GIVEN,
) -> VoteMatrix:
    """Return the votes of all enabled rules on all examples.

    A rule whose scope is a metadata column abstains where the column is missing.

    Args:
        rules: In any order; the matrix has them in the expert's.
        examples: The m examples. A corpus keeps what it computed for the next rules that are tried
            on it; a list of examples is read in parts, so that a million take little memory.
        given: m truths of each condition that no text tells.

    Raises:
        InputError: As `check_rule`, and if truths are not given.
    """
    rules = sorted((r for r in rules if r.enabled), key=lambda r: (r.position, r.id))
    for rule in rules:
        check_rule(rule.body)
    step = len(examples) if isinstance(examples, Corpus) else _CHUNK
    # Column after column in memory, as they are made and read.
    labels = np.zeros((len(examples), len(rules)), dtype=np.int32, order="F")
    for start in range(0, len(examples), max(step, 1)):
        part = slice(start, start + step)
        corpus = examples if isinstance(examples, Corpus) else Corpus.of(examples[part])
        spoken = {condition: truths[part] for condition, truths in given.items()}
        for i, truths in enumerate(_fire([rule.body for rule in rules], corpus, spoken)):
            labels[part, i] = truths * np.int32(rules[i].label_id)
    ids = examples.ids.tolist() if isinstance(examples, Corpus) else [e.id for e in examples]
    return VoteMatrix(
        rule_ids=tuple(rule.id for rule in rules),
        example_ids=tuple(ids),
        labels=labels,
        against=np.array([rule.body.against for rule in rules], dtype=np.bool_),
    )


def fires(body: RuleBody, corpus: Corpus, given: Mapping[Condition, Bools] = _NONE_GIVEN) -> Bools:
    """Tell on which examples of a corpus a rule fires, whatever it votes.

    Args:
        body: The rule.
        corpus: The n examples.
        given: n truths of each condition that no text tells.

    Raises:
        InputError: As `check_rule`, and if truths are not given.

    >>> from studio.domain.coded_rationale import parse_rule
    >>> corpus = Corpus(np.arange(2), ["fried rice", "liquorice"], lambda name: [None, None])
    >>> rule = parse_rule({"name": "starch", "label": "not_keto", "any": [{"phrase": "rice"}]})
    >>> fires(rule, corpus).tolist()
    [True, False]
    """
    check_rule(body)
    return next(_fire([body], corpus, given))


def _fire(
    bodies: Sequence[RuleBody], corpus: Corpus, given: Mapping[Condition, Bools]
) -> Iterator[Bools]:
    """Yield of each rule on which examples it fires; what rules share is looked for once."""
    held: dict[str, dict[Condition, Bools]] = {}
    for scope in {body.scope for body in bodies}:
        wanted = [c for body in bodies if body.scope == scope for c in body.conditions]
        held[scope] = holds(wanted, corpus.reading(scope)[0], given)
    for body in bodies:
        truths = corpus.reading(body.scope)[1].copy()
        found = held[body.scope]
        for condition in body.all:
            truths &= found[condition]
        if body.any:
            truths &= np.logical_or.reduce([found[c] for c in body.any])
        for condition in body.none:
            truths &= ~found[condition]
        yield truths
