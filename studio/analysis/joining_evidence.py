"""What gold says of the ways to join votes, and which of them it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.analysis.intervals import UNDEFINED, macro_f1_interval, paired_difference, wilson
from studio.analysis.joined_votes import JoiningMethod
from studio.analysis.vote_patterns import Ints
from studio.domain.evaluation import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningEvidence:
    """How one way of joining does on gold it was not fitted on.

    Attributes:
        method: How votes are joined.
        missing: What it lacks to be offered; empty when it is offered.
        accuracy, macro_f1: With intervals; undefined when it is not offered.
        more_accuracy, more_macro_f1: Its figures minus those of the expert's order on the same
            examples; undefined for that order itself.
    """

    method: JoiningMethod
    missing: str = ""
    accuracy: Figure = UNDEFINED
    macro_f1: Figure = UNDEFINED
    more_accuracy: Figure = UNDEFINED
    more_macro_f1: Figure = UNDEFINED

    @property
    def better(self) -> bool:
        """Whether it beats the expert's order by more than chance explains."""
        return self.more_macro_f1.low > 0 and self.more_accuracy.high > 0

    @property
    def worse(self) -> bool:
        """Whether it loses to the expert's order by more than chance explains."""
        return self.more_macro_f1.high < 0

    @property
    def sentence(self) -> str:
        """What it comes to, for people."""
        words = str(self.method.words).capitalize()
        if self.missing:
            return f"{words}: not offered. {self.missing}"
        reach = f"{words}: macro-F1 {self.macro_f1}"
        if self.method is JoiningMethod.EXPERT:
            return f"{reach}."
        more = self.more_macro_f1
        change = f"{more.value:+.3f} [{more.low:+.3f}, {more.high:+.3f}]"
        judged = "worse" if self.worse else "better" if self.better else "no clear difference"
        return f"{reach}, {change} against the expert's order: {judged}."


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningChoice:
    """All ways of joining on the same gold, and the advised one; choosing is left to people.

    Attributes:
        gold: Gold labels they were judged on.
        evidence: One a way: the expert's order, votes weighed on gold, label model.
        advised: The one gold speaks for.
        why: The reason, in a sentence.
    """

    gold: int
    evidence: tuple[JoiningEvidence, ...]
    advised: JoiningMethod
    why: str

    def of(self, method: JoiningMethod | str) -> JoiningEvidence:
        """Return the evidence on one way."""
        return next(row for row in self.evidence if row.method == JoiningMethod(method))


def evidence_of(
    method: JoiningMethod, truth: Ints, n_labels: int, said: Sequence[Ints], expert: Ints
) -> JoiningEvidence:
    """Return what several rounds of answers to the same examples come to, on average.

    Intervals are those of one round, averaged: asking the same gold again makes none narrower.

    Args:
        method: Who answered.
        truth: Places of the gold labels, of shape (g,).
        n_labels: Labels of the task.
        said: For each round the places of the labels given; `n_labels` for none.
        expert: What the expert's order says.
    """
    if not len(truth):
        return JoiningEvidence(method=method)
    itself = method is JoiningMethod.EXPERT
    return JoiningEvidence(
        method=method,
        accuracy=wilson(round(np.mean([(s == truth).sum() for s in said])), len(truth)),
        macro_f1=_mean([macro_f1_interval(_confusion(truth, s, n_labels)) for s in said]),
        more_accuracy=UNDEFINED if itself else _more("accuracy", truth, said, expert, n_labels),
        more_macro_f1=UNDEFINED if itself else _more("macro_f1", truth, said, expert, n_labels),
    )


def advise(gold: int, evidence: Sequence[JoiningEvidence]) -> JoiningChoice:
    """Return the choice gold speaks for: the expert's order unless another is clearly better."""
    better = [row for row in evidence if row.better]
    if not better:
        offered = [r for r in evidence if not r.missing and r.method is not JoiningMethod.EXPERT]
        why = (
            f"On {gold} blind gold labels no other way is better than the expert's order by more "
            "than chance explains."
            if offered and gold
            else f"With {gold} blind gold labels votes cannot be weighed: the expert's order holds."
        )
        return JoiningChoice(
            gold=gold, evidence=tuple(evidence), advised=JoiningMethod.EXPERT, why=why
        )
    # Of two that win, the label model must do so by more than what gold can tell: it knows none.
    best = next((r for r in better if r.method is JoiningMethod.WEIGHTED), better[0])
    model = next((r for r in better if r.method is JoiningMethod.LABEL_MODEL), best)
    if model.more_macro_f1.low > best.more_macro_f1.value:
        best = model
    more = best.more_macro_f1
    why = (
        f"On {gold} blind gold labels, joining by {best.method.words} gains "
        f"{more.value:.3f} macro-F1 [{more.low:.3f}, {more.high:.3f}] "
        "on the expert's order, more than chance explains."
    )
    return JoiningChoice(gold=gold, evidence=tuple(evidence), advised=best.method, why=why)


def _more(metric: str, truth: Ints, said: Sequence[Ints], expert: Ints, n_labels: int) -> Figure:
    return _mean([paired_difference(truth, expert, s, n_labels, metric) for s in said])


def _mean(figures: Sequence[Figure]) -> Figure:
    value, low, high = (
        float(np.mean([getattr(f, end) for f in figures])) for end in ("value", "low", "high")
    )
    return Figure(value=value, low=low, high=high, n=figures[0].n)


def _confusion(truth: Ints, said: Ints, n_labels: int) -> Ints:
    flat = np.bincount(truth * (n_labels + 1) + said, minlength=n_labels * (n_labels + 1))
    return flat.astype(np.int64).reshape(n_labels, n_labels + 1)
