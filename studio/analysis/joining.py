"""The votes on an example, joined into one answer the way its expert ordered the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale
from studio.domain.run import Method, Outcome, Prediction


@dataclass(frozen=True, slots=True)
class Joined:
    """What all rules together say of one example.

    Attributes:
        label_id: The label; None when they are silent and there is no fallback.
        deciding: The rules that led to it, in the expert's order.
        method: decisive, majority, tie, fallback or silent.
        confidence: Share of the counted votes that the label got, 1 for a decisive rule; None when
            no vote was counted. It is not a probability.
    """

    label_id: int | None
    deciding: tuple[int, ...]
    method: str
    confidence: float | None


def join_votes(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    fallback_label_id: int | None,
    label_ids: Sequence[int],
) -> list[Joined]:
    """Return one answer an example, in the order of the matrix.

    The first decisive rule that fires, in the expert's order, decides alone. Otherwise the label
    most votes are for wins. A vote against a label removes it, whatever speaks for it; when only
    one label is left, that vote is for the one left. A decisive rule that votes against does so
    before the decisive rules after it. Tied labels: the label of the earliest rule among them.
    Nothing to count (silence, or every label removed) is the fallback, or no label.

    Args:
        matrix: The votes.
        rules: The rules behind its columns.
        fallback_label_id: The label of silence; None abstains.
        label_ids: All labels of the task.
    """
    by_id = {rule.id: rule for rule in rules}
    columns = [by_id[i] for i in matrix.rule_ids]
    order = sorted(range(len(columns)), key=lambda i: (columns[i].position, columns[i].id))
    voters = [(i, columns[i].id, columns[i].body.decisive, bool(matrix.against[i])) for i in order]
    # Many examples have the same votes: each pattern is joined once.
    known: dict[bytes, Joined] = {}
    answers = []
    for row in matrix.labels:
        pattern = row.tobytes()
        joined = known.get(pattern)
        if joined is None:
            ballots = [
                _Ballot(rule, int(row[i]), decisive, against)
                for i, rule, decisive, against in voters
                if row[i]
            ]
            joined = known[pattern] = _join(ballots, fallback_label_id, tuple(label_ids))
        answers.append(joined)
    return answers


@dataclass(frozen=True, slots=True)
class _Ballot:
    rule: int
    label: int
    decisive: bool
    against: bool


def _join(ballots: list[_Ballot], fallback: int | None, label_ids: tuple[int, ...]) -> Joined:
    silent = Joined(fallback, (), "silent" if fallback is None else "fallback", None)
    left = list(label_ids)
    against: list[int] = []
    for ballot in (b for b in ballots if b.decisive):
        if not ballot.against and ballot.label in left:
            return Joined(ballot.label, (ballot.rule,), "decisive", 1.0)
        if ballot.against and ballot.label in left:
            left.remove(ballot.label)
            against.append(ballot.rule)
            if len(left) == 1:
                return Joined(left[0], tuple(against), "decisive", 1.0)
    removed = {b.label for b in ballots if b.against}
    left = [label for label in left if label not in removed]
    voices = [
        _Ballot(b.rule, left[0] if b.against else b.label, b.decisive, b.against)
        for b in ballots
        if (len(left) == 1 if b.against else b.label in left)
    ]
    if not left or not voices:
        return silent
    counts = Counter(b.label for b in voices)
    most = max(counts.values())
    winner = next(b.label for b in voices if counts[b.label] == most)
    method = "tie" if sum(n == most for n in counts.values()) > 1 else "majority"
    deciding = tuple(b.rule for b in voices if b.label == winner)
    return Joined(winner, deciding, method, most / len(voices))


def joined_predictions(matrix: VoteMatrix, joined: Sequence[Joined]) -> list[Prediction]:
    """Return the answers of the rules as predictions of a run; no label is an abstention."""
    return [
        Prediction(
            example_id=example_id,
            label_id=j.label_id,
            confidence=j.confidence,
            outcome=Outcome.ABSTAINED if j.label_id is None else Outcome.OK,
            method=None if j.confidence is None else Method.RULES,
        )
        for example_id, j in zip(matrix.example_ids, joined, strict=True)
    ]
