"""What a person did in the labeling grid, read from the log that the browser keeps.

The grid sends `{"instance", "seq", "log"}`: the last entries of everything done since it was drawn,
each with a number that grows by one, and in `before` the same of grids drawn shortly before. The
same entries arrive again with every later key, slices overlap, and some never arrive alone. So
nothing is done "because a value is there": an entry counts when its number is above the last one
applied, and its client id lets the store ignore repeats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

MAX_ENTRIES = 300
_INSTANCE = re.compile(r"^[0-9a-zA-Z-]{8,64}$")


class Deed(StrEnum):
    """What a person can do in the grid."""

    LABEL = "label"
    BULK = "bulk"
    FLAG = "flag"
    NOTE = "note"
    SKIP = "skip"
    UNDO = "undo"
    REDO = "redo"
    KEEP = "keep"
    TAKE = "take"
    WHY = "why"
    NEXT = "next"
    PREVIOUS = "previous"
    HELP = "help"


_NEEDS_EXAMPLE = frozenset({Deed.LABEL, Deed.FLAG, Deed.NOTE, Deed.SKIP, Deed.WHY})
_MOST_AT_ONCE = 200
_MOST_BEFORE = 3
_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the log.

    Attributes:
        seq: Its number in its grid, from 1.
        deed: What was done.
        example_id: To which example. For an undo or redo the first one the browser rolled back or
            on, None when it knew of none.
        n: To how many examples that undo or redo was.
        label_id: The label given; None takes it back.
        given: Of a deed on many rows, each example with its label.
        text: The words of a note.
        on: Whether a mark is set or taken away.
        seconds: How long each of the examples was looked at; None where nobody measured.
        client: The same for the same entry however often it is sent.
    """

    seq: int
    deed: Deed
    example_id: int | None = None
    n: int = 0
    label_id: int | None = None
    given: tuple[tuple[int, int | None], ...] = ()
    text: str = ""
    on: bool = False
    seconds: float | None = None
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is new in a value that the grid sent.

    Attributes:
        instance: The grid as it was drawn once; empty when the value is not ours.
        new: Entries not applied before, in order.
        missing: Entries that were never seen and cannot be any more.
        focus: The example a reason would be about, if known: the one just labeled, until the person
            moves on.
        at: The example the keys are about, if known.
    """

    instance: str = ""
    new: tuple[Change, ...] = ()
    missing: int = 0
    focus: int | None = None
    at: int | None = None


class Applied(Protocol):
    """How far the log of each grid was applied."""

    def get(self, instance: str, /) -> int | None:
        """Return the number of the last entry applied, None for a grid never heard of."""
        ...


def read_changes(value: Any, applied: Applied) -> Changes:
    """Return what is new in the value of a grid.

    Args:
        value: What the browser sent; untrusted.
        applied: The number of the last entry applied, by instance.

    >>> entry = {"seq": 1, "do": "label", "id": 7, "label": "2", "ms": 1250}
    >>> sent = {"instance": "grid-0001", "seq": 1, "log": [entry], "focus": 8}
    >>> changes = read_changes(sent, {})
    >>> changes.new[0].example_id, changes.new[0].label_id, changes.new[0].seconds, changes.focus
    (7, 2, 1.25, 8)
    >>> read_changes(sent, {"grid-0001": 1}).new
    ()
    """
    if not isinstance(value, dict):
        return Changes()
    instance, log = value.get("instance"), value.get("log")
    if not isinstance(instance, str) or not _INSTANCE.match(instance) or not isinstance(log, list):
        return Changes()
    last = applied.get(instance) or 0
    found: dict[int, Change] = {}
    for item in log[-MAX_ENTRIES:]:
        # Most of a long log was applied before; only what is new is worth reading whole.
        seq = _number(item.get("seq")) if isinstance(item, dict) else None
        if seq is not None and seq > last and (change := _change(item, seq, instance)) is not None:
            found.setdefault(seq, change)
    new = tuple(found[seq] for seq in sorted(found))
    return Changes(
        instance=instance,
        new=new,
        missing=new[-1].seq - last - len(new) if new else 0,
        focus=_number(value.get("focus")),
        at=_number(value.get("at")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is new of a grid that the same tab drew before.

    Attributes:
        changes: The new entries.
        run_id: The run that was in sight in it.
        server: The process that drew it.
        row: The example the keys were about, if known.
    """

    changes: Changes
    run_id: int | None
    server: str
    row: int | None


def read_before(value: Any, applied: Applied) -> list[Before]:
    """Return what is new of the grids that this tab drew before, the oldest first."""
    before = value.get("before") if isinstance(value, dict) else None
    if not isinstance(before, list):
        return []
    logs = [item for item in before[:_MOST_BEFORE] if isinstance(item, dict)]
    return [
        Before(
            changes=changes,
            run_id=_number(item.get("run")),
            server=str(item.get("server")),
            row=_number(item.get("row")),
        )
        for item in reversed(logs)
        if (changes := read_changes(item, applied)).new
    ]


def _change(item: Mapping[str, Any], seq: int, instance: str) -> Change | None:
    """Return an entry, or None for what no grid of ours writes."""
    example_id = _number(item.get("id"))
    try:
        deed = Deed(str(item.get("do")))
    except ValueError:
        return None
    if deed in _NEEDS_EXAMPLE and example_id is None:
        return None
    label = item.get("label") if deed is Deed.LABEL else None
    given = _given(item.get("given")) if deed is Deed.BULK else ()
    if given is None or (deed is Deed.BULK and not given) or not _is_label(label):
        return None
    text = item.get("text") if deed is Deed.NOTE else ""
    return Change(
        seq=seq,
        deed=deed,
        example_id=example_id,
        n=_number(item.get("n")) or 0,
        label_id=_number(label),
        given=given,
        text=text[:_LONGEST_NOTE] if isinstance(text, str) else "",
        on=item.get("on") is True,
        seconds=_seconds(item.get("ms")),
        client=f"{instance}:{seq}",
    )


def _given(value: Any) -> tuple[tuple[int, int | None], ...] | None:
    """Return the pairs of a deed on many rows; None when one of them is not of our writing."""
    pairs = value if isinstance(value, list) and len(value) <= _MOST_AT_ONCE else [None]
    found: dict[int, int | None] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not _is_label(pair[1]):
            return None
        if (example_id := _number(pair[0])) is None:
            return None
        found[example_id] = _number(pair[1])
    return tuple(found.items())


def _is_label(value: Any) -> bool:
    return value in ("", None) or _number(value) is not None


def _seconds(value: Any) -> float | None:
    """Return milliseconds as seconds; None for what no clock says."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return value / 1000


def _number(value: Any) -> int | None:
    """Return a whole number above 0 that SQLite can hold, else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        return None
    return value
