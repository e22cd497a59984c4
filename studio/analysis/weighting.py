"""How much each rule's vote weighs, told by gold.

A vote of a rule that is right in a share `a` of cases weighs logit(a) - logit(p), where p is how
often its label is right anyhow: alone, it makes its label as likely as the rule is right. Shares
are pulled towards what all rules do, since few gold labels fall on one rule; a rule no better than
chance weighs nothing. Rules that nearly always fire together have one voice between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.analysis.vote_patterns import (
    Bools,
    Floats,
    Judged,
    Panel,
    Patterns,
    evidence,
    softmax,
)

PULL = 5.0
"""How many gold labels the average of all rules counts for in a rule's accuracy."""
USUAL = 0.8
"""What an accuracy is taken for where there is no gold at all; it counts for two labels."""
ALIKE = 0.6
"""Share of the examples of two rules on which both fire, from which on they have one voice."""

_TEMPERATURES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 2.5)


@dataclass(frozen=True, eq=False, slots=True)
class Weighting:
    """What votes weigh.

    Attributes:
        prior: How likely each label is before any vote, of shape (k,).
        accuracy: How often each rule is right, of shape (n,).
        temperature: What the weights are multiplied by, so that probabilities hold on gold.
        voices: Truths of shape (n, n): rules that have one voice between them.
    """

    prior: Floats
    accuracy: Floats
    temperature: float
    voices: Bools

    def weights(self, panel: Panel) -> Floats:
        """Return what each vote weighs, alone; at least 0."""
        return self.temperature * log_odds(self.accuracy, panel, self.prior)

    def scores(self, fires: Bools, panel: Panel) -> Floats:
        """Return the logarithm of each label's probability but for a constant, of shape (u, k)."""
        summed = evidence(fires, panel, self.weights(panel), self.voices)
        return np.log(self.prior) + summed


def taken_for(panel: Panel) -> Floats:
    """Return what the accuracy of each rule is taken for before anything is known of it."""
    _, against = panel.speaks
    # A vote against one of many labels is right more often than not, whoever casts it.
    return np.where(against, 1 - (1 - USUAL) / max(1, panel.size - 1), USUAL)


def log_odds(accuracy: Floats, panel: Panel, prior: Floats) -> Floats:
    """Return what votes weigh; `accuracy` has the rules on its last axis."""
    label, against = panel.speaks
    anyhow = np.where(against, 1 - prior[label], prior[label])
    lift: Floats = _logit(np.clip(accuracy, 0.005, 0.995)) - _logit(anyhow)
    return np.maximum(lift, 0.0)


def voices_of(patterns: Patterns, panel: Panel) -> Bools:
    """Return which rules have one voice: they vote alike and nearly always fire together.

    Likeness is handed on: of three rules, two may share a voice because of the third.
    """
    weighed = patterns.fires.astype(np.float64)
    both = weighed.T @ (weighed * patterns.counts[:, None])
    fired = np.diagonal(both)
    either = fired[:, None] + fired[None, :] - both
    label, against = panel.speaks
    same = (label[:, None] == label) & (against[:, None] == against)
    alike: Bools = same & (either > 0) & (both >= ALIKE * either)
    np.fill_diagonal(alike, val=True)
    while True:
        wider = (alike.astype(np.float64) @ alike.astype(np.float64)) > 0
        if np.array_equal(wider, alike):
            return alike
        alike = wider


def fit_weights(gold: Judged, panel: Panel, voices: Bools) -> Weighting:
    """Return the weights that gold tells.

    The temperature is the one under which gold labels are likeliest, each told from all the
    others. Labels are taken for equally likely, unless gold is clearly likelier (e times) when
    they are as frequent as among it: few gold labels tell shares badly.
    """
    seen = np.bincount(gold.truth, weights=gold.counts, minlength=panel.size) + 1
    best: tuple[float, Floats, float] | None = None
    right, fired = _record(gold, panel)
    usual = _usual(right, fired, panel, voices)
    for prior in (np.full(panel.size, 1 / panel.size), seen / seen.sum()):
        summed = _held_back(gold, panel, prior, voices, (right, fired, usual))
        loss, temperature = best_temperature(gold, prior, summed)
        if best is None or loss < best[0] - 1:
            best = (loss, prior, temperature)
    assert best is not None
    accuracy = (right + PULL * usual) / (fired + PULL)
    return Weighting(best[1], accuracy, best[2], voices)


def _held_back(
    gold: Judged, panel: Panel, prior: Floats, voices: Bools, record: tuple[Floats, Floats, Floats]
) -> Floats:
    """Return the evidence on each gold label as all the other gold labels weigh it."""
    right, fired, usual = record
    hits = gold.fires & _agrees(gold, panel)
    others = (right - hits + PULL * usual) / np.maximum(fired - gold.fires + PULL, PULL)
    return evidence(gold.fires, panel, log_odds(others, panel, prior), voices)


def best_temperature(gold: Judged, prior: Floats, summed: Floats) -> tuple[float, float]:
    """Return the least loss on gold that some rule fires on, and the temperature of it.

    Args:
        gold: The gold labels.
        prior: How likely each label is before any vote.
        summed: The evidence for each label, of shape (g, k), told without that gold label.
    """
    heard = gold.fires.any(axis=1)
    rows, truth, counts = summed[heard], gold.truth[heard], gold.counts[heard]
    losses = []
    for temperature in _TEMPERATURES:
        told = softmax(np.log(prior) + temperature * rows)[np.arange(len(rows)), truth]
        # Few gold labels must not push it far from 1.
        doubt = 0.5 * np.log(temperature) ** 2
        losses.append(float(-(counts * np.log(np.maximum(told, 1e-12))).sum()) + doubt)
    best = int(np.argmin(losses))
    return losses[best], _TEMPERATURES[best]


def _record(gold: Judged, panel: Panel) -> tuple[Floats, Floats]:
    """Return how often each rule is right on gold, and how often it fires there."""
    fires = gold.fires.astype(np.float64)
    return gold.counts @ (fires * _agrees(gold, panel)), gold.counts @ fires


def _agrees(gold: Judged, panel: Panel) -> Bools:
    agrees: Bools = (panel.label == gold.truth[:, None]) != panel.against
    return agrees


def _usual(right: Floats, fired: Floats, panel: Panel, voices: Bools) -> Floats:
    """Return what rules of each kind do on average, those with one voice counted once."""
    _, against = panel.speaks
    sharing = voices.sum(axis=1)
    usual = taken_for(panel)
    for kind in (False, True):
        these = against == kind
        won, said = ((x / sharing)[these].sum() for x in (right, fired))
        usual[these] = (won + 2 * usual[these]) / (said + 2)
    return usual


def _logit(share: Floats) -> Floats:
    result: Floats = np.log(share) - np.log1p(-share)
    return result
