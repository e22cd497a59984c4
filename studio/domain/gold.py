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
    label most of them gave wins; a tie goes to the latest decision. Votes of rules and predictions
    never come in here.

    Args:
        current: At most one decision a person, all on the same example.

    Returns:
        None when nobody's decision carries a label.
    """
    given = [c for c in current if c.label_id is not None]
    adjudicated = [c for c in given if c.origin is Origin.ADJUDICATED]
    people = [c for c in given if c.origin not in FROM_FILES]
    pool = adjudicated or people or given
    if not pool:
        return None
    if adjudicated:
        winner = max(adjudicated, key=lambda c: c.id)
    else:
        counts = Counter(c.label_id for c in pool)
        most = max(counts.values())
        winner = max((c for c in pool if counts[c.label_id] == most), key=lambda c: c.id)
    assert winner.label_id is not None
    return GoldLabel(
        example_id=winner.example_id,
        label_id=winner.label_id,
        origin=winner.origin,
        person=winner.person,
        event_id=winner.id,
    )
