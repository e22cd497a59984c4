"""What a grid can be asked for, and sets of examples found elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

ANYBODY = ""
"""As a person: any one, files aside."""


class Order(StrEnum):
    """In which order a grid shows its examples; those that the order says nothing of come last."""

    IMPORTED = "imported"
    LEAST_SURE = "least_sure"
    MOST_SURE = "most_sure"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class IdSet:
    """Examples found by other means than SQL, such as those a rule fires on.

    It is compared, hashed and shown by its digest, so that a filter with a million of them is as
    quickly told from another one as a filter with none.

    Attributes:
        digest: Tells it from other sets.
        ids: The ids, sorted, each once.
    """

    digest: str
    ids: NDArray[np.int64] = field(compare=False, repr=False)

    @classmethod
    def of(cls, ids: Iterable[int] | NDArray[Any]) -> IdSet:
        """Return the set of these ids.

        >>> IdSet.of([3, 1, 3]).ids.tolist(), IdSet.of([3, 1]) == IdSet.of([1, 3])
        ([1, 3], True)
        """
        import numpy as np

        found = np.sort(np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), np.int64))
        found = found[np.diff(found, prepend=-1) != 0]  # ten times as fast as `unique`
        return cls(hashlib.sha256(found.tobytes()).hexdigest()[:16], found)

    def __and__(self, other: IdSet) -> IdSet:
        """Return what is in both."""
        import numpy as np

        return IdSet.of(np.intersect1d(self.ids, other.ids, assume_unique=True))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFilter:
    """Which examples a grid shows; all conditions hold together.

    What a model says of a test example, and what others decided on it, fulfils no condition before
    the person's own decision.

    Attributes:
        splits: Only these; all when empty.
        search: Only texts that hold these words, or their beginnings; all when empty.
        label_id: Only examples the run gives this label.
        confidence: Only examples of which the run is as sure as this, from and to.
        outcome: Only examples on which the run ended so, e.g. "refused"; all when empty.
        differs_from: Only examples of which this other run says something else; a run's id.
        gold_label_id: Only examples whose gold is this label.
        gold_origin: Only examples whose gold came to be so, e.g. "blind"; all when empty.
        own_label_id: Only examples this person gave this label.
        people_differ: Only examples to which two people give different labels.
        by: Only examples this person, or `ANYBODY`, has decided on; None for all.
        since, until: Only examples decided on (by `by`, else by anybody) from this moment on, and
            before that one; UTC in ISO form.
        mark: Only examples marked so: "flag", "note" or "skip"; all when empty.
        marked_by: By whom.
        relook: Only examples queued for another look after a change of the label set.
        assigned: Only examples assigned to this person in a round that is open.
        show: "all", "todo" (no decision of this person), "mine", "errors" (the run differs from gold).
        ids: Only these examples; all when None.
        among: Only these, too; all when None.
        order: In which order.
    """

    splits: tuple[str, ...] = ()
    search: str = ""
    label_id: int | None = None
    confidence: tuple[float, float] | None = None
    outcome: str = ""
    differs_from: int | None = None
    gold_label_id: int | None = None
    gold_origin: str = ""
    own_label_id: int | None = None
    people_differ: bool = False
    by: str | None = None
    since: str = ""
    until: str = ""
    mark: str = ""
    marked_by: str = ANYBODY
    relook: bool = False
    assigned: bool = False
    show: str = "all"
    ids: tuple[int, ...] | None = None
    among: IdSet | None = None
    order: Order = Order.IMPORTED

    @property
    def dated(self) -> bool:
        """Whether it asks who decided, or when."""
        return self.by is not None or bool(self.since or self.until)

    @property
    def tells(self) -> bool:
        """Whether it asks what a model or others said, which test examples hide at first."""
        return bool(
            self.label_id is not None
            or self.confidence
            or self.outcome
            or self.differs_from is not None
            or self.gold_label_id is not None
            or self.gold_origin
            or self.people_differ
            or self.show == "errors"
        )
