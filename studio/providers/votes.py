"""Confidence from asking several times, for services that tell no probabilities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from studio.domain.prompt import PromptText, render_decision, render_messages
from studio.domain.run import Answer, Method, Outcome, Question, Usage
from studio.providers.base import Provider


def rotations(
    body: PromptText, label_names: Sequence[str], text: str, *, model: str, count: int
) -> list[Question]:
    """Return one question several times, each with the labels in another order.

    A model that prefers what stands first shows it by changing its answer.

    >>> asked = rotations(PromptText(instructions=""), ["a", "b", "c"], "hi", model="m", count=2)
    >>> [question.label_names for question in asked], [question.sample for question in asked]
    ([('a', 'b', 'c'), ('b', 'c', 'a')], [0, 1])
    """
    questions = []
    for sample in range(count):
        start = sample % len(label_names)
        names = (*label_names[start:], *label_names[:start])
        questions.append(
            Question(
                model=model,
                messages=tuple(render_messages(body, names, text)),
                label_names=names,
                instructions=render_decision(body, names),
                definitions=body.definitions,
                sample=sample,
            )
        )
    return questions


async def ask_votes(provider: Provider, questions: Sequence[Question]) -> Answer:
    """Ask each of `rotations` once, one after another, and return their shares as probabilities.

    It costs as many calls. An asking that gave no label is nobody's vote and counts all the same:
    the shares sum to less than 1 then, and `detail["uncovered"]` is the rest. Of labels with
    equally many votes the task's first wins.

    Raises:
        ProviderError: If one of them fails; what was asked before is lost.
    """
    return tally([await provider.classify(one) for one in questions], questions[0].label_names)


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
