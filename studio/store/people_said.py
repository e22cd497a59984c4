"""What each person says of each example, read as columns: a million of them in a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.domain.task import Task
from studio.store.connection import Connections, Row
from studio.store.label_moves import moved_labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.analysis.people_votes import PeopleVotes

    Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What people say, as columns; sorted by example, then by person.

    Attributes:
        people: Names, sorted.
        example_id: Of each vote.
        person: Of each vote, the place of its name.
        label_id: Of each vote.
        assisted: Of each vote, whether a model's or a rule's label was in sight.
    """

    people: tuple[str, ...]
    example_id: Ints
    person: Ints
    label_id: Ints
    assisted: NDArray[np.bool_]

    def only_blind(self) -> Said:
        """Return the votes made with no label in sight; people without one stay named."""
        kept = ~self.assisted
        return Said(
            self.people, self.example_id[kept], self.person[kept], self.label_id[kept],
            self.assisted[kept],
        )  # fmt: skip

    def by(self, person: str) -> Ints:
        """Return the examples that a person says something of."""
        place = self.people.index(person) if person in self.people else -1
        found: Ints = self.example_id[self.person == place]
        return found

    def votes(self, task: Task) -> PeopleVotes:
        """Return them for analysis, by the task's labels."""
        from studio.analysis.people_votes import PeopleVotes

        names = {label.id: label.name for label in task.labels}
        return PeopleVotes.of_columns(
            self.people, self.example_id, self.person, self.label_id, names
        )


def read_said(db: Connections, task_id: int, splits: Sequence[str] = ()) -> Said:
    """Return what people say, as `Labels.said` describes it."""
    import numpy as np

    asked = (task_id, json.dumps(list(splits)))
    rows = [*db.read(_STANDING, asked), *db.read(_BEFORE, asked)]
    people = tuple(sorted({row["person"] for row in rows}))
    place = {name: i for i, name in enumerate(people)}
    example, label, assisted = (
        np.concatenate([np.empty(0, np.int64), *(_numbers(row, name) for row in rows)])
        for name in ("examples", "labels", "assisted")
    )
    person = np.repeat(
        np.array([place[row["person"]] for row in rows], np.int64),
        np.array([row["n"] for row in rows], np.int64),
    )
    for gone, moved in moved_labels(db, task_id).items():
        label[label == gone] = -1 if moved.into is None else moved.into
    order = np.lexsort((person, example))
    order = order[label[order] > 0]
    return Said(people, example[order], person[order], label[order], assisted[order] == 1)


def _numbers(row: Row, name: str) -> Ints:
    import numpy as np

    return np.fromstring(row[name], np.int64, sep=",")


_SAID = (
    "c.task_id = ?1 AND c.label_id IS NOT NULL"
    " AND (?2 = '[]' OR c.split IN (SELECT value FROM json_each(?2)))"
)
_COLUMNS = (
    "SELECT c.person, count(*) AS n, group_concat(c.example_id) AS examples,"
    " group_concat({of}.label_id) AS labels, group_concat({of}.origin = 'assisted') AS assisted"
)
_STANDING = (
    f"{_COLUMNS.format(of='c')} FROM current_label c WHERE {_SAID}"
    " AND c.origin IN ('blind', 'assisted') GROUP BY c.person"
)
_BEFORE = (
    f"{_COLUMNS.format(of='v')} FROM current_label c JOIN label_event v ON v.id ="
    " (SELECT max(id) FROM label_event WHERE example_id = c.example_id AND person = c.person"
    "  AND origin IN ('blind', 'assisted'))"
    f" WHERE {_SAID} AND c.origin = 'adjudicated' AND v.label_id IS NOT NULL GROUP BY c.person"
)
