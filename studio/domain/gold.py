"""Which label counts now for an example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from studio.domain.correction import FROM_FILES, Correction, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldLabel:
    """The label that counts for an example.

    Attributes:
        example_id: The example.
        label_id: The label.
        origin: Of the decision that settled it.
        person: Whose decision it was.
        event_id: The event that settled it.
    """

    example_id: int
    label_id: int
    origin: Origin
    person: str
    event_id: int


def resolve_gold(current: Sequence[Correction]) -> GoldLabel | None:
    """Return the label that counts, given each person's current decision on one example.

    Adjudicated beats people's labels beats imported or computed ones. Among several people the
    label most of them gave wins; a tie goes to the latest decision. It is blind gold where those
    who had seen nothing would have chosen it by themselves: who agrees after having looked takes
    nothing from it, and who tips the scales after having looked makes it assisted. Votes of rules
    and predictions never come in here.

    Args:
        current: At most one decision a person, all on the same example.

    Returns:
        None when nobody's decision carries a label.

    >>> def said(n, who, label, origin):
    ...     return Correction(id=n, example_id=1, person=who, label_id=label, origin=origin, at="")
    >>> ada, bo = said(1, "Ada", 7, Origin.BLIND), said(2, "Bo", 7, Origin.ASSISTED)
    >>> resolve_gold([ada, bo]).person, resolve_gold([bo]).origin.value
    ('Ada', 'assisted')
    """
    given = [c for c in current if c.label_id is not None]
    adjudicated = [c for c in given if c.origin is Origin.ADJUDICATED]
    people = [c for c in given if c.origin not in FROM_FILES]
    pool = adjudicated or people or given
    if not pool:
        return None
    winner = max(adjudicated, key=lambda c: c.id) if adjudicated else _elected(pool)
    assert winner.label_id is not None
    return GoldLabel(
        example_id=winner.example_id,
        label_id=winner.label_id,
        origin=winner.origin,
        person=winner.person,
        event_id=winner.id,
    )


def _elected(pool: Sequence[Correction]) -> Correction:
    """Return the decision that stands for the label most gave."""
    chosen = _most_given(pool)
    unseen = [c for c in pool if c.origin is not Origin.ASSISTED]
    seen = [c for c in pool if c.origin is Origin.ASSISTED and c.label_id == chosen.label_id]
    alone = _most_given(unseen) if unseen else None
    if alone is not None and alone.label_id == chosen.label_id:
        return alone
    return max(seen, key=lambda c: c.id)


def _most_given(pool: Sequence[Correction]) -> Correction:
    """Return the latest decision on the label that most gave, or of those that as many gave."""
    counts = Counter(c.label_id for c in pool)
    return max(pool, key=lambda c: (counts[c.label_id], c.id))
