"""Asking several times for a confidence, for services that tell no probabilities.

Each asking is a call of its own, with its own place in the ledger and its own stored answer, so a
run that is cut short repeats none of them. The prediction follows when all of an example's are in.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from studio.domain.run import Answer, Method, Outcome, Usage
from studio.handlers.calling import Calling
from studio.store.runs import Attempt, Ending, Result


class Repeating(Calling):
    """Asks about each example several times, and takes the shares of labels as probabilities."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._votes: defaultdict[int, list[Result]] = defaultdict(list)
        self._cast: list[Result] = []

    def _whole(self, landed: list[Result]) -> list[Result]:
        self._cast = landed
        whole = []
        for vote in landed:
            votes = self._votes[vote.example_id]
            votes.append(vote)
            if len(votes) == self._asking.samples:
                whole.append(self._tallied(self._votes.pop(vote.example_id)))
        return whole

    def _keep(
        self, results: list[Result], endings: list[Ending], opened: list[Attempt], *, tell: bool
    ) -> list[int]:
        self._ws.store.runs.remember(self._cast, at=self._ws.now())
        return super()._keep(results, endings, opened, tell=tell)

    def _tallied(self, votes: list[Result]) -> Result:
        votes = sorted(votes, key=lambda vote: vote.key)  # in whatever order they came
        answer = tally([vote.answer for vote in votes], self._asking.label_names)
        keys = "\n".join(vote.key for vote in votes)
        key = f"votes:{hashlib.sha256(keys.encode()).hexdigest()}"
        return self._asking.result_of(votes[0].example_id, key, answer)


def tally(answers: Sequence[Answer], label_names: Sequence[str]) -> Answer:
    """Return several answers to one question as one; without any label it is the first of them.

    >>> said = [Answer(outcome=Outcome.OK, label=label) for label in "aba"]
    >>> tally(said, ["a", "b"]).probabilities["b"]
    0.3333333333333333
    """
    votes = Counter(answer.label for answer in answers if answer.label is not None)
    usage = _sum([answer.usage for answer in answers])
    if not votes:
        return replace(answers[0], usage=usage)
    label = max(label_names, key=votes.__getitem__)
    first = next(answer for answer in answers if answer.label == label)
    detail = {**first.detail, "votes": {name: votes[name] for name in label_names if votes[name]}}
    if votes.total() < len(answers):
        detail["uncovered"] = 1 - votes.total() / len(answers)
    return replace(
        first,
        outcome=Outcome.OK,
        label=label,
        probabilities={name: votes[name] / len(answers) for name in label_names},
        method=Method.VOTES,
        usage=usage,
        detail=detail,
    )


def _sum(usages: Sequence[Usage]) -> Usage:
    costs = [usage.cost_usd for usage in usages]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        latency_ms=sum(usage.latency_ms for usage in usages),
    )
