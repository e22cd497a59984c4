"""Groups of examples that no index knows: those a rule votes on, those of a slice."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.rule_board import Board
from studio.analysis.slices import SliceTest, length_slices, metadata_slices, read_slice
from studio.domain.coded_rationale import CodedRationale
from studio.domain.example import Split
from studio.errors import NotFoundError
from studio.handlers.boards import MOST_EXAMPLES, OPEN_SPLITS
from studio.handlers.votes import has_given, rule_key
from studio.store.grid_filter import IdSet
from studio.workspace import Workspace

_LOOKED_AT = 10_000
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Group:
    """Examples found by reading them.

    Attributes:
        members: The examples.
        looked_at: How many were looked at.
        of: How many there are; more than were looked at when a sample was.
    """

    members: IdSet
    looked_at: int
    of: int

    @property
    def is_sample(self) -> bool:
        """Whether there may be more members than were found."""
        return self.looked_at < self.of


def stored_group(ws: Workspace, task_id: int, rule: str) -> Group | None:
    """Return the train and validation examples a rule votes on, if its votes on all are stored.

    None, too, where they are so few that a board has them all.

    Args:
        ws: The workspace.
        task_id: The task.
        rule: The name of a rule in force; empty for the examples on which none of them votes.
    """
    rules = _rules(ws, task_id, rule)
    counts = ws.read.examples.counts(task_id)
    if sum(counts[split] for split in OPEN_SPLITS) <= MOST_EXAMPLES:
        return None
    ids = np.array(ws.read.examples.ids(task_id, OPEN_SPLITS), dtype=np.int64)
    fires: NDArray[np.bool_] = np.zeros(len(ids), dtype=np.bool_)
    for each in rules:
        if has_given(each.body):
            return None
        said, known = ws.read.firings.load(task_id, rule_key(each.body), ids)
        if not known.all():
            return None
        fires[said] = True
    members = ids[fires] if rule else ids[~fires]
    return Group(IdSet.of(members), len(ids), len(ids))


def voted_group(board: Board, rule: str) -> Group:
    """Return the examples of a board that a rule votes on.

    Args:
        board: Examples of train and validation, and what the rules in force say of them.
        rule: The name of a rule; empty for the examples on which none votes.

    Raises:
        NotFoundError: If no rule in force has this name.
    """
    found = board.matrix.fires
    if rule:
        places = [i for i, each in enumerate(board.rules) if each.body.name == rule]
        if not places:
            raise _no_rule(rule)
        found = found[:, places]
    inside = found.any(axis=1)
    members = board.corpus.ids[inside] if rule else board.corpus.ids[~inside]
    return Group(IdSet.of(members), len(board.corpus.ids), board.of)


def slice_names(ws: Workspace, task_id: int) -> list[str]:
    """Return the slices by metadata and length that a task's examples fall into.

    They are named as Evaluate names its own, after at most 10,000 examples.
    """
    examples = ws.read.examples.sample(task_id, [s.value for s in Split], _LOOKED_AT)
    return [s.name for s in (*metadata_slices(examples), *length_slices(examples))]


def slice_group(ws: Workspace, task_id: int, name: str) -> Group:
    """Return all examples of a slice by metadata or length.

    Args:
        ws: The workspace.
        task_id: The task.
        name: As `slice_names` and Evaluate name it, e.g. "course = dessert" or "words 5 to 9".

    Raises:
        NotFoundError: If the task's examples have no such column.
    """
    test = read_slice(name, ws.read.examples.columns(task_id))
    if test is None:
        raise NotFoundError(
            f"There is no slice {name!r} among the examples.",
            next_step="Choose one of the list; slices are made of further columns and of length.",
        )
    found: list[int] = []
    total = 0
    for rows in ws.read.examples.scan(task_id, _AT_ONCE):
        total += len(rows)
        found += [row["id"] for row in rows if _is_inside(test, row["text"], row["metadata"])]
    return Group(IdSet.of(found), total, total)


def _is_inside(test: SliceTest, text: str, metadata: str) -> bool:
    if test.column is None:
        return test.holds(str(len(text.split())))
    return test.holds(json.loads(metadata).get(test.column, ""))


def _rules(ws: Workspace, task_id: int, name: str) -> list[CodedRationale]:
    rules = ws.read.rules.all(task_id, enabled_only=True)
    found = [rule for rule in rules if not name or rule.body.name == name]
    if name and not found:
        raise _no_rule(name)
    return found


def _no_rule(name: str) -> NotFoundError:
    return NotFoundError(
        f"There is no rule {name!r} in force.", next_step="Choose one of the list of rules."
    )
