"""What votes weigh when no gold is asked: rules that agree with the others are trusted more.

Expectation and maximisation over the patterns of votes, one accuracy a rule and a learned share
of each label; a silent rule says nothing. It believes that rules err apart from each other, and
where they do not it goes wrong: it is offered only where it wins on gold, which it never saw.
"""

from __future__ import annotations

import numpy as np

from studio.analysis.vote_patterns import Bools, Floats, Ints, Panel, Patterns, evidence, softmax
from studio.analysis.weighting import Weighting, log_odds, taken_for

STEPS = 100
MOST = 20_000
"""Patterns looked at, the most frequent ones: what it costs has a bound."""
_PULL = 30.0  # strong: without it all rules can end as no better than chance


def fit_label_model(patterns: Patterns, panel: Panel, voices: Bools) -> Weighting:
    """Return the weights the votes themselves tell; no chance is in it, and it always ends.

    Args:
        patterns: The votes, on all examples.
        panel: The rules.
        voices: Rules that have one voice between them, as `voices_of` finds them.
    """
    # A lone vote agrees with nobody: it would only bear out what is believed of its rule.
    heard = np.flatnonzero(voices_heard(patterns.fires, voices) > 1)
    heard = heard[np.argsort(-patterns.counts[heard], kind="stable")[:MOST]]
    fires, counts = patterns.fires[heard], patterns.counts[heard].astype(np.float64)
    prior = np.full(panel.size, 1 / panel.size)
    accuracy = usual = taken_for(panel)
    fired = counts @ fires
    believed = _believe(fires, panel, prior, accuracy, voices)
    for _ in range(STEPS):
        share = counts @ believed + 1
        prior = share / share.sum()
        right = _right(fires, panel, believed * counts[:, None])
        accuracy = (right + _PULL * usual) / (fired + _PULL)
        again = _believe(fires, panel, prior, accuracy, voices)
        moved = float(np.abs(again - believed).max(initial=0.0))
        believed = again
        if moved < 1e-6:
            break
    return Weighting(prior, accuracy, 1.0, voices)


def voices_heard(fires: Bools, voices: Bools) -> Ints:
    """Return how many voices speak in each pattern; rules with one voice count once."""
    first = voices & (np.cumsum(voices, axis=1) == 1)
    spoken = fires.astype(np.float64) @ first
    result: Ints = (spoken > 0).sum(axis=1)
    return result


def _believe(fires: Bools, panel: Panel, prior: Floats, accuracy: Floats, voices: Bools) -> Floats:
    weights = log_odds(accuracy, panel, prior)
    return softmax(np.log(prior) + evidence(fires, panel, weights, voices))


def _right(fires: Bools, panel: Panel, believed: Floats) -> Floats:
    """Return how often each rule is believed to be right."""
    label, against = panel.speaks
    by_label = fires.T.astype(np.float64) @ believed
    spoken = by_label[np.arange(len(label)), label]
    result: Floats = np.where(against, by_label.sum(axis=1) - spoken, spoken)
    return result
