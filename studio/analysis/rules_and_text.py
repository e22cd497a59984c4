"""Text only, rules only, or both: which decides best, as gold that is held back shows.

The probabilities of the text must be those of a model that has not seen the example's label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.analysis.intervals import macro_f1_interval, paired_difference, wilson
from studio.analysis.joined_evidence import Given, RulesAndText, Way, fit_evidence
from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.vote_patterns import Floats, Ints, softmax
from studio.domain.evaluation import Figure

LEAST_GOLD = 20
"""Fewer gold labels than these choose nothing."""
MOST_GOLD = 5_000
"""More than these are not needed to choose."""
_FOLDS = 5
_SURE = 1.282  # one-sided 90 %


@dataclass(frozen=True, eq=False, slots=True)
class RulesSay:
    """What the rules together say of n examples.

    Attributes:
        chances: The probability of each label, of shape (n, labels).
        said: The column of the label they answer; -1 where they are silent.
    """

    chances: Floats
    said: Ints

    @classmethod
    def of(cls, chances: Floats, said: Ints) -> RulesSay:
        """Return it with silence as no evidence at all: equal probabilities.

        How often silence goes with a label is told by gold, but does not last: it changes with
        every rule, and with where the texts come from.
        """
        silent = said < 0
        return cls(np.where(silent[:, None], 1.0 / chances.shape[1], chances), said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """How one way does on gold that was held back from it.

    Attributes:
        way: What decides.
        accuracy, macro_f1: With their intervals.
        log_loss: Mean surprise at the gold label.
        gain: Macro-F1 above that of the text only, on the same examples.
        is_better: Whether it beats the text only beyond noise.
    """

    way: Way
    accuracy: Figure
    macro_f1: Figure
    log_loss: float
    gain: Figure
    is_better: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "way": self.way.value, "words": self.way.words, "accuracy": self.accuracy.to_dict(),
            "macro_f1": self.macro_f1.to_dict(), "log_loss": round(self.log_loss, 4),
            "gain": self.gain.to_dict(), "is_better": self.is_better,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which way gold advises, and the evidence.

    Attributes:
        joined: How to add up, ready to be kept with a run.
        n: Gold labels behind it.
        candidates: Each way, the text only first; empty with too little gold.
        why: One sentence for people.
    """

    joined: RulesAndText
    n: int
    candidates: tuple[Candidate, ...]
    why: str

    @property
    def way(self) -> Way:
        """What decides."""
        return self.joined.way

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as `--json` shows it."""
        return {
            "way": self.way.value, "n": self.n, "why": self.why,
            "candidates": [candidate.to_dict() for candidate in self.candidates],
        }  # fmt: skip


def choose_way(
    text: Floats,
    rules: Callable[[Ints], RulesSay],
    matrix: VoteMatrix,
    gold: Sequence[int],
    labels: dict[int, str],
    seed: int = 0,
) -> Choice:
    """Choose among text only, rules only and both by cross-validation on gold.

    The text only stays unless another way beats it beyond noise: its log-loss is lower with 90 %
    confidence on the same examples, and its macro-F1 is not lower.

    Args:
        text: The model's probabilities of n examples, of a model that saw none of their labels.
        rules: Given the rows whose gold may be learnt from, what the rules say of all n.
        matrix: The votes on the same examples.
        gold: Their gold label ids.
        labels: Label id to name, in the order of the columns of `text` and `rules`.
        seed: Deals the folds.
    """
    ids = tuple(labels)
    truth = np.array([ids.index(label) for label in gold], dtype=np.int64)
    if missing := _missing(truth, list(labels.values())):
        alone = RulesAndText(way=Way.TEXT, label_ids=ids)
        return Choice(joined=alone, n=len(truth), candidates=(), why=missing)
    found, said = _cross_validate(text, rules, matrix, truth, ids, seed)
    candidates = tuple(_judge(way, found, truth, said) for way in Way)
    best = _best(candidates)
    whole = rules(np.arange(len(truth)))
    given = Given.of(text, whole.chances, matrix, ids)
    joined = fit_evidence(given, truth, best.way).frozen(best.way, ids, matrix.rule_ids)
    return Choice(
        joined=joined, n=len(truth), candidates=candidates, why=_why(best, candidates, len(truth))
    )


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """Return the best way with both, else the rules alone, of those that beat the text; or it.

    Rules alone are silent where no rule fires, so they wait until both together do no good.
    """
    better = [c for c in candidates if c.is_better]
    both = [c for c in better if c.way is not Way.RULES]
    return min(both or better or candidates[:1], key=lambda c: c.log_loss)


def _missing(truth: Ints, names: Sequence[str]) -> str:
    """Return why gold cannot choose; empty when it can."""
    alone = "so the model decides alone"
    if len(truth) < LEAST_GOLD:
        return (
            f"Whether the rules help cannot be told from {len(truth)} gold labels with an answer"
            f" of the model that was not trained on them ({LEAST_GOLD} are needed), {alone}."
        )
    counts = np.bincount(truth, minlength=len(names))
    if bare := [name for name, count in zip(names, counts, strict=True) if not count]:
        return f"No gold label is {bare[0]!r}, so what the rules add cannot be told, {alone}."
    return ""


def _why(best: Candidate, candidates: Sequence[Candidate], n: int) -> str:
    text = candidates[0]
    told = f"on {n} gold labels held back in turn"
    if best.way is Way.TEXT:
        nearest = min(candidates[1:], key=lambda c: c.log_loss)
        return (
            f"No way with the rules beats the text only beyond noise {told} (macro-F1"
            f" {text.macro_f1.value:.3f}; {nearest.way.words} {nearest.macro_f1.value:.3f}),"
            " so the model decides alone."
        )
    return (
        f"{best.way.words.capitalize()}: macro-F1 {best.macro_f1.value:.3f} against"
        f" {text.macro_f1.value:.3f} of the text only {told}, and log-loss {best.log_loss:.3f}"
        f" against {text.log_loss:.3f}, which is beyond noise."
    )


def _deal(truth: Ints, seed: int) -> list[Ints]:
    """Return folds for each of several rounds, labels spread evenly; fewer rounds of many."""
    random = np.random.default_rng(seed)
    rounds = 4 if len(truth) < 500 else 2
    dealt = []
    for _ in range(rounds):
        order = random.permutation(len(truth))
        order = order[np.argsort(truth[order], kind="stable")]
        folds = np.empty(len(truth), dtype=np.int64)
        folds[order] = np.arange(len(truth)) % _FOLDS
        dealt.append(folds)
    return dealt


def _cross_validate(
    text: Floats,
    rules: Callable[[Ints], RulesSay],
    matrix: VoteMatrix,
    truth: Ints,
    ids: tuple[int, ...],
    seed: int,
) -> tuple[dict[Way, Floats], Ints]:
    """Return the probabilities by numbers found without each example, and the rules' answers."""
    rounds = _deal(truth, seed)
    found = {way: np.zeros((len(truth), len(ids))) for way in Way}
    said = np.full(len(truth), len(ids), dtype=np.int64)
    for folds in rounds:
        for fold in range(_FOLDS):
            out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            told = rules(rest)
            given = Given.of(text, told.chances, matrix, ids)
            said[out] = np.where(told.said[out] < 0, len(ids), told.said[out])
            for way in Way:
                fitted = fit_evidence(given.rows(rest), truth[rest], way)
                found[way][out] += softmax(fitted.logits(given.rows(out))) / len(rounds)
    return found, said


def _judge(way: Way, found: dict[Way, Floats], truth: Ints, rules_said: Ints) -> Candidate:
    labels = found[way].shape[1]
    text = found[Way.TEXT].argmax(axis=1)
    said = rules_said if way is Way.RULES else found[way].argmax(axis=1)
    confusion = np.zeros((labels, labels + 1), dtype=np.int64)
    np.add.at(confusion, (truth, said), 1)
    saved = _surprise(found[Way.TEXT], truth) - _surprise(found[way], truth)
    noise = _SURE * saved.std(ddof=1) / np.sqrt(len(saved))
    gain = paired_difference(truth, text, said, labels, "macro_f1")
    return Candidate(
        way=way,
        accuracy=wilson(int((said == truth).sum()), len(truth)),
        macro_f1=macro_f1_interval(confusion),
        log_loss=float(_surprise(found[way], truth).mean()),
        gain=gain,
        is_better=bool(way is not Way.TEXT and saved.mean() > noise and gain.value >= 0),
    )


def _surprise(chances: Floats, truth: Ints) -> Floats:
    return np.asarray(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12)))
