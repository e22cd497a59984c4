"""What a person did in the labeling grid, read from the log that the browser keeps.

The grid sends `{"instance", "seq", "log"}`: the last entries of everything done since it was drawn,
each with a number that grows by one. The same entries arrive again with every later key, slices
overlap, and some never arrive alone. So nothing is done "because a value is there": an entry counts
when its number is above the last one applied, and its client id lets the store ignore repeats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_ENTRIES = 300
_INSTANCE = re.compile(r"^[0-9a-zA-Z-]{8,64}$")


class Deed(StrEnum):
    """What a person can do in the grid."""

    LABEL = "label"
    UNDO = "undo"
    WHY = "why"
    NEXT = "next"
    PREVIOUS = "previous"
    HELP = "help"


_NEEDS_EXAMPLE = frozenset({Deed.LABEL, Deed.WHY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the log.

    Attributes:
        seq: Its number in its grid, from 1.
        deed: What was done.
        example_id: To which example. For an undo the one the browser rolled back, None when it
            knew of none.
        label_id: The label given; None takes it back.
        client: The same for the same entry however often it is sent.
    """

    seq: int
    deed: Deed
    example_id: int | None = None
    label_id: int | None = None
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is new in a value that the grid sent.

    Attributes:
        instance: The grid as it was drawn once; empty when the value is not ours.
        new: Entries not applied before, in order.
        missing: Entries that were never seen and cannot be any more.
        focus: The example the person looks at, if known.
    """

    instance: str = ""
    new: tuple[Change, ...] = ()
    missing: int = 0
    focus: int | None = None


def read_changes(value: Any, applied: Mapping[str, int]) -> Changes:
    """Return what is new in the value of a grid.

    Args:
        value: What the browser sent; untrusted.
        applied: The number of the last entry applied, by instance.

    >>> entry = {"seq": 1, "do": "label", "id": 7, "label": "2"}
    >>> sent = {"instance": "grid-0001", "seq": 1, "log": [entry], "focus": 8}
    >>> changes = read_changes(sent, {})
    >>> changes.new[0].example_id, changes.new[0].label_id, changes.new[0].client, changes.focus
    (7, 2, 'grid-0001:1', 8)
    >>> read_changes(sent, {"grid-0001": 1}).new
    ()
    """
    if not isinstance(value, dict):
        return Changes()
    instance, log = value.get("instance"), value.get("log")
    if not isinstance(instance, str) or not _INSTANCE.match(instance) or not isinstance(log, list):
        return Changes()
    last = applied.get(instance, 0)
    found: dict[int, Change] = {}
    for item in log[-MAX_ENTRIES:]:
        change = _change(item, instance)
        if change is not None and change.seq > last:
            found.setdefault(change.seq, change)
    new = tuple(found[seq] for seq in sorted(found))
    return Changes(
        instance=instance,
        new=new,
        missing=new[-1].seq - last - len(new) if new else 0,
        focus=_number(value.get("focus")),
    )


def _change(item: Any, instance: str) -> Change | None:
    """Return an entry, or None for what no grid of ours writes."""
    if not isinstance(item, dict):
        return None
    seq, example_id = _number(item.get("seq")), _number(item.get("id"))
    try:
        deed = Deed(str(item.get("do")))
    except ValueError:
        return None
    if seq is None or (deed in _NEEDS_EXAMPLE and example_id is None):
        return None
    label = item.get("label")
    label_id = _number(label)
    if deed is Deed.LABEL and label_id is None and label not in ("", None):
        return None
    return Change(
        seq=seq,
        deed=deed,
        example_id=example_id,
        label_id=label_id if deed is Deed.LABEL else None,
        client=f"{instance}:{seq}",
    )


def _number(value: Any) -> int | None:
    """Return a whole number above 0 that SQLite can hold, else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        return None
    return value
