"""What a set of rules is worth rule by rule, and what to do about each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.freshness import Freshness, rule_freshness
from studio.analysis.joining import EXPERT, Joined, Joining, JoiningMethod, join_votes
from studio.analysis.rule_scores import RuleScore, rule_report
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale

ALIKE = 0.95
"""Two rules that say the same on this share of the examples either fires on are duplicates."""
FEW = 5
"""On fewer examples two rules may agree by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two rules that cannot both be right, wherever both speak.

    Attributes:
        rule_ids: The two, in the expert's order.
        example_ids: Where both speak.
        judged: How many of these have gold.
        right: How often each of the two was right there.
    """

    rule_ids: tuple[int, int]
    example_ids: tuple[int, ...]
    judged: int
    right: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReview:
    """What one rule is worth beside the others.

    Attributes:
        score: How often it speaks, is contradicted, and is right.
        won: Gold examples the rules together get right only because of it.
        lost: Gold examples they would get right without it.
        duplicates: Rules that say the same wherever either speaks.
        freshness: Whether it does on the newest examples as it did before.
        advice: What to do about it, a sentence each; empty where nothing is amiss.
    """

    score: RuleScore
    won: tuple[int, ...]
    lost: tuple[int, ...]
    duplicates: tuple[int, ...]
    freshness: Freshness
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Examples that ask for the same thing to be done.

    Attributes:
        name: `all_wrong`, `none_votes`, or `only` for the examples of one rule alone.
        rule_id: The rule of an `only` bucket.
        example_ids: The examples, those with gold against the rules first.
        says: What they are and what to do, in a sentence.
    """

    name: str
    rule_id: int | None
    example_ids: tuple[int, ...]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The report on all rules in force.

    Attributes:
        rules: One review a rule, in the expert's order.
        contradictions: Pairs of rules that contradict each other, the most frequent first.
        buckets: Lists of examples worth opening.
        looked_at: How many examples the rules were tried on.
        judged: How many of these have gold.
        joining: How votes were joined to tell what is won and lost.
    """

    rules: tuple[RuleReview, ...]
    contradictions: tuple[Contradiction, ...]
    buckets: tuple[Bucket, ...]
    looked_at: int
    judged: int
    joining: JoiningMethod


def review_rules(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    gold: Mapping[int, int],
    *,
    fallback_label_id: int | None,
    label_ids: Sequence[int],
    joining: Joining = EXPERT,
) -> Review:
    """Return what each rule is worth, how it stands to the others, and what to do.

    Args:
        matrix: The votes of all rules in force on the examples that may be looked at.
        rules: The rules behind its columns.
        gold: Example id to gold label id, of splits that may be looked at.
        fallback_label_id: What the rules answer where none votes; None abstains.
        label_ids: All labels of the task.
        joining: How the votes are joined; a rule taken away stays out of weights fitted with it.
    """
    by_id = {rule.id: rule for rule in rules}
    order = [by_id[i] for i in matrix.rule_ids]
    scores = rule_report(matrix, order, gold)
    truth = _truth(matrix, gold)
    swaps = _without_each(
        matrix, truth, lambda asked: join_votes(asked, order, fallback_label_id, label_ids, joining)
    )
    both = _meetings(matrix)
    twins = _duplicates(matrix, both)
    fresh = rule_freshness(matrix, truth)
    reviews = tuple(
        RuleReview(
            score=score, won=won, lost=lost, duplicates=same, freshness=age,
            advice=_advice(score, won, lost, [by_id[i] for i in same], age),
        )
        for score, (won, lost), same, age in zip(scores, swaps, twins, fresh, strict=True)
    )  # fmt: skip
    return Review(
        rules=reviews,
        contradictions=_contradictions(matrix, both, truth),
        buckets=_buckets(matrix, order, scores, truth),
        looked_at=len(matrix.example_ids),
        judged=int((truth != 0).sum()),
        joining=joining.method,
    )


def _truth(matrix: VoteMatrix, gold: Mapping[int, int]) -> NDArray[np.int32]:
    return np.array([gold.get(i, 0) for i in matrix.example_ids], dtype=np.int32)


def _without_each(
    matrix: VoteMatrix,
    truth: NDArray[np.int32],
    join: Callable[[VoteMatrix], Sequence[Joined]],
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return for each rule the gold examples won by it and lost to it, as joined with and without.

    Many examples have the same votes: each pattern is joined once with all its rules, and once
    without each rule that speaks in it.
    """
    judged = np.flatnonzero(truth)
    patterns, which = np.unique(matrix.labels[judged], axis=0, return_inverse=True)
    which = which.reshape(-1)
    rows, columns = np.nonzero(patterns)
    silenced = patterns[rows].copy()
    silenced[np.arange(len(rows)), columns] = 0
    said = _answers(matrix, np.concatenate([patterns, silenced]), join)
    with_all, without = said[: len(patterns)], said[len(patterns) :]
    changed = without != with_all[rows]
    members = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[members], np.arange(len(patterns) + 1))
    ids = np.array(matrix.example_ids, dtype=np.int64)
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in matrix.rule_ids]
    for row, column, other in zip(
        rows[changed].tolist(), columns[changed].tolist(), without[changed].tolist(), strict=True
    ):
        here = judged[members[bounds[row] : bounds[row + 1]]]
        won, lost = found[column]
        won += ids[here[truth[here] == with_all[row]]].tolist()
        lost += ids[here[truth[here] == other]].tolist()
    return [(tuple(sorted(won)), tuple(sorted(lost))) for won, lost in found]


def _answers(
    matrix: VoteMatrix,
    patterns: NDArray[np.int32],
    join: Callable[[VoteMatrix], Sequence[Joined]],
) -> NDArray[np.int32]:
    """Return the label id joined from each pattern of votes, -1 for none."""
    asked = VoteMatrix(
        rule_ids=matrix.rule_ids,
        example_ids=tuple(range(len(patterns))),
        labels=patterns,
        against=matrix.against,
    )
    said = [-1 if one.label_id is None else one.label_id for one in join(asked)]
    return np.array(said, dtype=np.int32)


def _meetings(matrix: VoteMatrix) -> NDArray[np.int64]:
    """Return on how many examples each pair of rules speaks, of shape (n, n)."""
    # Exact: whole numbers up to 2**24 fit, and a task has fewer examples in sight.
    spoken = matrix.fires.astype(np.float32)
    both: NDArray[np.int64] = np.rint(spoken.T @ spoken).astype(np.int64)
    return both


def _duplicates(matrix: VoteMatrix, both: NDArray[np.int64]) -> list[tuple[int, ...]]:
    label = matrix.labels.max(axis=0, initial=0)
    alike = (label[:, None] == label) & (matrix.against[:, None] == matrix.against)
    alone = np.diag(both)
    either = alone[:, None] + alone - both
    alike &= (either >= FEW) & (both >= ALIKE * either)
    np.fill_diagonal(alike, False)
    return [tuple(matrix.rule_ids[j] for j in np.flatnonzero(row)) for row in alike]


def _contradictions(
    matrix: VoteMatrix, both: NDArray[np.int64], truth: NDArray[np.int32]
) -> tuple[Contradiction, ...]:
    label, against = matrix.labels.max(axis=0, initial=0), matrix.against
    same = label[:, None] == label
    opposed = np.where(same, against[:, None] != against, ~(against[:, None] | against))
    pairs = np.argwhere(np.triu(opposed & (both > 0), 1)).tolist()
    ids = np.array(matrix.example_ids, dtype=np.int64)
    spoken = np.ascontiguousarray(matrix.fires.T)
    found = []
    for a, b in pairs:
        here = np.flatnonzero(spoken[a] & spoken[b])
        known = truth[here][truth[here] != 0]
        found.append(
            Contradiction(
                rule_ids=(matrix.rule_ids[a], matrix.rule_ids[b]),
                example_ids=tuple(ids[here].tolist()),
                judged=len(known),
                right=(
                    int(((known == label[a]) != against[a]).sum()),
                    int(((known == label[b]) != against[b]).sum()),
                ),
            )
        )
    return tuple(sorted(found, key=lambda c: -len(c.example_ids)))


def _buckets(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    scores: Sequence[RuleScore],
    truth: NDArray[np.int32],
) -> tuple[Bucket, ...]:
    ids = np.array(matrix.example_ids, dtype=np.int64)
    right = (matrix.labels == truth[:, None]) != matrix.against
    speaking = matrix.fires.sum(axis=1)
    known = truth != 0
    gold = set(ids[known].tolist())
    all_wrong = known & (speaking > 1) & ~(matrix.fires & right).any(axis=1)
    silent = speaking == 0
    # Those with gold first: they tell what a new rule would have to say.
    none = np.concatenate([np.flatnonzero(silent & (known == has)) for has in (True, False)])
    buckets = [
        Bucket(
            name="all_wrong", rule_id=None, example_ids=tuple(ids[all_wrong].tolist()),
            says=f"On {_many(int(all_wrong.sum()))} several rules speak and gold says that all are "
            "wrong: look what they have in common, and name it under `none` or in a decisive rule.",
        ),
        Bucket(
            name="none_votes", rule_id=None, example_ids=tuple(ids[none].tolist()),
            says=f"No rule speaks on {_many(len(none))}: read a few and say why they are what they "
            "are.",
        ),
    ]  # fmt: skip
    for rule, score in zip(rules, scores, strict=True):
        if score.alone:
            wrong = set(score.wrong)
            only = sorted(score.alone, key=lambda i: (i not in wrong, i))
            bad, judged = len(wrong & set(only)), len(gold & set(only))
            buckets.append(
                Bucket(
                    name="only", rule_id=rule.id, example_ids=tuple(only),
                    says=f"Only {rule.body.name} speaks on {_many(len(only))}; "
                    + (
                        f"of {judged} with gold {bad} are wrong: look at these first." if bad
                        else f"{judged} with gold are right." if judged
                        else "label a few blind, for nothing else checks it there."
                    ),
                )
            )  # fmt: skip
    return tuple(buckets)


def _advice(
    score: RuleScore,
    won: tuple[int, ...],
    lost: tuple[int, ...],
    twins: Sequence[CodedRationale],
    age: Freshness,
) -> tuple[str, ...]:
    if score.fires == 0:
        return ("It never fires: check its words against the examples, or turn it off.",)
    said = []
    if score.accuracy.n == 0:
        said.append("It has no gold: label five of its examples blind before you trust it.")
    elif score.accuracy.high < 0.5:
        said.append("It is wrong more often than right: mend it, turn it round or turn it off.")
    if len(lost) > len(won):
        said.append(f"The rules together are right {len(lost) - len(won)} times more without it.")
    elif score.accuracy.n >= FEW and not won and not lost:
        said.append("Without it nothing changes on gold: others say the same, or outvote it.")
    if twins:
        names = ", ".join(rule.body.name for rule in twins)
        said.append(f"It says what {names} says: keep one of them.")
    elif not score.alone and not won and score.accuracy.n < FEW:
        said.append("It never speaks alone: it adds weight, but covers nothing new.")
    return (*said, *age.warnings)


def _many(n: int) -> str:
    return "1 example" if n == 1 else f"{n:,} examples"
