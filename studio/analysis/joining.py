"""Choosing how votes are joined: fitting it on gold, comparing the ways, explaining one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studio.analysis.joined_votes import (
    ENOUGH_GOLD,
    EXPERT,
    Joined,
    Joiner,
    Joining,
    JoiningMethod,
    join_votes,
    joined_predictions,
    label_places,
    posterior,
)
from studio.analysis.joining_evidence import JoiningChoice, JoiningEvidence, advise, evidence_of
from studio.analysis.label_model import fit_label_model, voices_heard
from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.vote_patterns import (
    Bools,
    Floats,
    Ints,
    Judged,
    Panel,
    Patterns,
    judged,
    panel_of,
    patterns_of,
    rulings,
)
from studio.analysis.weighting import (
    PULL,
    USUAL,
    Weighting,
    best_temperature,
    fit_weights,
    voices_of,
)
from studio.domain.coded_rationale import CodedRationale
from studio.errors import InputError

__all__ = [
    "ENOUGH_GOLD",
    "EXPERT",
    "Explanation",
    "Joined",
    "Joining",
    "JoiningChoice",
    "JoiningEvidence",
    "JoiningMethod",
    "Said",
    "compare_joinings",
    "explain",
    "fit_joining",
    "join_votes",
    "joined_predictions",
    "posterior",
]

FOLDS, REPEATS = 5, 5


def fit_joining(
    method: JoiningMethod | str,
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    gold: Mapping[int, int],
    label_ids: Sequence[int],
    fallback_label_id: int | None = None,
) -> Joining:
    """Return a way of joining votes, fitted: what it weighs, and how likely its answers are.

    The expert's order needs no gold: gold only tells `posterior` how far to trust its answers.

    Args:
        method: How to join.
        matrix: The votes on all examples; gold or not.
        rules: The rules behind its columns.
        gold: Example id to gold label id; give blind gold of train and validation.
        label_ids: All labels of the task.
        fallback_label_id: The label of silence; None abstains.

    Raises:
        InputError: With fewer than 50 gold labels to weigh votes on; for a label model, where no
            three rules ever speak beside one another.
    """
    method = JoiningMethod(method)
    panel, found = panel_of(matrix, rules, label_ids), judged(matrix, gold, label_ids)
    joining = Joining(method=method, gold=found.n, prior=_prior(found, label_ids))
    if method is not JoiningMethod.EXPERT:
        patterns = patterns_of(matrix)
        voices = voices_of(patterns, panel)
        if reason := _not_offered(method, found.n, patterns, voices):
            raise InputError(reason, next_step=_INSTEAD[method])
        weighting = _weighting(method, found, panel, patterns, voices)
        joining = _with_weights(joining, weighting, matrix.rule_ids, label_ids)
    joiner = Joiner.of(matrix, rules, label_ids, fallback_label_id, joining)
    return _with_trust(joining, found, joiner.answers(found.fires), label_ids)


def _weighting(
    method: JoiningMethod, gold: Judged, panel: Panel, patterns: Patterns, voices: Bools
) -> Weighting:
    if method is JoiningMethod.WEIGHTED:
        return fit_weights(gold, panel, voices)
    weighting = fit_label_model(patterns, panel, voices)
    summed = weighting.scores(gold.fires, panel) - np.log(weighting.prior)
    _, temperature = best_temperature(gold, weighting.prior, summed)
    return replace(weighting, temperature=temperature)


_INSTEAD = {
    JoiningMethod.WEIGHTED: "Label more examples blind, or keep the expert's order.",
    JoiningMethod.LABEL_MODEL: "Write more rules, or keep the expert's order.",
}


def _not_offered(method: JoiningMethod, gold: int, patterns: Patterns, voices: Bools) -> str:
    """Return why a way of joining cannot be fitted; empty where it can."""
    if method is JoiningMethod.WEIGHTED and gold < ENOUGH_GOLD:
        return (
            f"Votes are weighed on {ENOUGH_GOLD} blind gold labels or more, and there are {gold}."
        )
    meeting = patterns.fires[voices_heard(patterns.fires, voices) > 1]
    together: Bools = np.logical_or.reduce(meeting, axis=0)[None]
    if method is JoiningMethod.LABEL_MODEL and not (voices_heard(together, voices) > 2).any():
        return "No three rules speak beside others, so agreement cannot tell which to believe."
    return ""


def _with_weights(
    joining: Joining, weighting: Weighting, rule_ids: Sequence[int], label_ids: Sequence[int]
) -> Joining:
    shared = {
        tuple(rule_ids[i] for i in np.flatnonzero(row).tolist())
        for row in weighting.voices
        if row.sum() > 1
    }
    return replace(
        joining,
        prior=dict(zip(label_ids, weighting.prior.tolist(), strict=True)),
        accuracy=dict(zip(rule_ids, weighting.accuracy.tolist(), strict=True)),
        temperature=weighting.temperature,
        voices=tuple(sorted(shared)),
    )


def _with_trust(
    joining: Joining, gold: Judged, answers: Sequence[Joined], label_ids: Sequence[int]
) -> Joining:
    """Say how often answers of each kind are right, pulled towards what all of them do."""
    right: Counter[str] = Counter()
    told: Counter[str] = Counter()
    silence = np.array([joining.prior.get(i, 1 / len(label_ids)) for i in label_ids]) * PULL
    seen = zip(answers, gold.truth.tolist(), gold.counts.tolist(), strict=True)
    for answer, truth, count in seen:
        if answer.label_id is None:
            silence[truth] += count
        elif answer.method not in (JoiningMethod.WEIGHTED, JoiningMethod.LABEL_MODEL):
            told[answer.kind] += int(count)
            right[answer.kind] += int(count) * (label_ids[int(truth)] == answer.label_id)
    usual = (right.total() + 2 * USUAL) / (told.total() + 2)
    return replace(
        joining,
        trust={kind: (right[kind] + PULL * usual) / (n + PULL) for kind, n in told.items()},
        usual_trust=usual,
        silence=dict(zip(label_ids, (silence / silence.sum()).tolist(), strict=True)),
    )


def _prior(gold: Judged, label_ids: Sequence[int]) -> dict[int, float]:
    seen = np.bincount(gold.truth, weights=gold.counts, minlength=len(label_ids)) + 1
    return dict(zip(label_ids, (seen / seen.sum()).tolist(), strict=True))


def compare_joinings(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    gold: Mapping[int, int],
    label_ids: Sequence[int],
    fallback_label_id: int | None = None,
    *,
    seed: int = 0,
) -> JoiningChoice:
    """Return how well each way of joining does on gold it was not fitted on, and what is advised.

    Weights are fitted five times anew on four fifths of gold and asked about the rest, each label
    in equal shares; the label model never sees gold. A change from the expert's order is advised
    only where the interval of the difference in macro-F1 leaves zero out; it is never made.
    No label counts as an error.

    Args:
        matrix: The votes on all examples; gold or not.
        rules: The rules behind its columns.
        gold: Example id to gold label id; give blind gold of train and validation.
        label_ids: All labels of the task.
        fallback_label_id: The label of silence; None abstains.
        seed: Makes it repeatable.
    """
    panel, found = panel_of(matrix, rules, label_ids), judged(matrix, gold, label_ids)
    patterns = patterns_of(matrix)
    voices = voices_of(patterns, panel)
    none = len(label_ids)
    place: dict[int | None, int] = {label: i for i, label in enumerate(label_ids)}
    silent = place.get(fallback_label_id, none)
    joiner = Joiner.of(matrix, rules, label_ids, fallback_label_id, EXPERT)
    ordered = [place.get(answer.label_id, none) for answer in joiner.answers(found.fires)]
    truth = found.truth[found.of]
    expert = np.array(ordered, dtype=np.int64)[found.of]
    rows = [evidence_of(JoiningMethod.EXPERT, truth, none, [expert], expert)]
    for method in (JoiningMethod.WEIGHTED, JoiningMethod.LABEL_MODEL):
        reason = _not_offered(method, found.n, patterns, voices)
        if reason or not found.n:
            rows.append(JoiningEvidence(method=method, missing=reason or "There is no blind gold."))
            continue
        if method is JoiningMethod.WEIGHTED:
            said = _held_back(found, panel, voices, silent, seed)
        else:
            model = fit_label_model(patterns, panel, voices)
            said = [_said(found.fires, panel, model, silent)[found.of]]
        rows.append(evidence_of(method, truth, none, said, expert))
    return advise(found.n, rows)


def _held_back(gold: Judged, panel: Panel, voices: Bools, silent: int, seed: int) -> list[Ints]:
    """Return what weighed votes say of each gold example, told from others; once a repeat."""
    chance = np.random.default_rng(seed)
    truth = gold.truth[gold.of]
    rounds = []
    for _ in range(REPEATS):
        shuffled = chance.permutation(len(truth))
        by_label = shuffled[np.argsort(truth[shuffled], kind="stable")]
        fold = np.empty(len(truth), dtype=np.int64)
        fold[by_label] = np.arange(len(truth)) % FOLDS
        said = np.empty(len(truth), dtype=np.int64)
        for number in range(FOLDS):
            asked = gold.of[fold == number]
            rest = gold.counts - np.bincount(asked, minlength=len(gold.counts))
            weighting = fit_weights(replace(gold, counts=rest), panel, voices)
            said[fold == number] = _said(gold.fires, panel, weighting, silent)[asked]
        rounds.append(said)
    return rounds


def _said(fires: Bools, panel: Panel, weighting: Weighting, silent: int) -> Ints:
    scores = weighting.scores(fires, panel)
    places = label_places(fires, panel, rulings(fires, panel), scores)
    result: Ints = np.where(places < 0, silent, places)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One rule's vote on one example.

    Attributes:
        rule_id: The rule.
        label_id: The label it speaks of.
        against: Whether it votes "not that label".
        decisive: Whether it decides alone.
        weight: What the vote weighs here; 1 by the expert's order.
        accuracy: How often the rule is taken to be right; None by the expert's order.
        decided: Whether it led to the answer.
        shares_with: Rules that fire here and have one voice with it.
    """

    rule_id: int
    label_id: int
    against: bool
    decisive: bool
    weight: float
    accuracy: float | None
    decided: bool
    shares_with: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why the rules say of one example what they say.

    Attributes:
        joined: The answer.
        votes: The rules that fire, in the expert's order.
        probabilities: Label id to how likely it is; empty where nothing was fitted on gold.
        fallback_label_id: The label of silence.
    """

    joined: Joined
    votes: tuple[Said, ...]
    probabilities: dict[int, float]
    fallback_label_id: int | None


def explain(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    example_id: int,
    label_ids: Sequence[int],
    joining: Joining = EXPERT,
    fallback_label_id: int | None = None,
) -> Explanation:
    """Return which rules fire on an example with what weight, and which of them decided.

    Raises:
        InputError: If the matrix has no such example.
    """
    if example_id not in matrix.example_ids:
        raise InputError(
            f"The rules were not applied to example {example_id}.", next_step="Apply them first."
        )
    fires = matrix.fires[[matrix.example_ids.index(example_id)]]
    joiner = Joiner.of(matrix, rules, label_ids, fallback_label_id, joining)
    joined = joiner.answers(fires)[0]
    told = joiner.told(fires, [joined])[0].tolist() if joining.gold else []
    return Explanation(
        joined=joined,
        votes=_votes(joiner, fires[0], set(joined.deciding)),
        probabilities=dict(zip(label_ids, told, strict=True)) if told else {},
        fallback_label_id=fallback_label_id,
    )


def _votes(joiner: Joiner, fires: Bools, deciding: set[int]) -> tuple[Said, ...]:
    panel, weighting = joiner.panel, joiner.weighting
    voices: Bools = np.eye(len(fires), dtype=np.bool_) if weighting is None else weighting.voices
    weights: Floats = np.ones(len(fires)) if weighting is None else weighting.weights(panel)
    return tuple(
        Said(
            rule_id=joiner.rule_ids[i],
            label_id=joiner.label_ids[panel.label[i]],
            against=bool(panel.against[i]),
            decisive=bool(panel.decisive[i]),
            weight=float(weights[i] / (voices[i] & fires).sum()),
            accuracy=None if weighting is None else float(weighting.accuracy[i]),
            decided=joiner.rule_ids[i] in deciding,
            shares_with=tuple(
                joiner.rule_ids[other] for other in np.flatnonzero(voices[i] & fires) if other != i
            ),
        )
        for i in panel.order.tolist()
        if fires[i]
    )
